"""Google's models under contract: each adapter before its server, which answers out of local engines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coaching.providers.google.gemini import GeminiCoach
from coaching.providers.google.speech_to_text import GoogleRecogniser
from coaching.providers.google.text_to_speech import GoogleVoice
from coaching.providers.local.signal_coach import SignalCoach
from coaching.providers.ports import SpeechToText, TextToSpeech
from tests.emulators.answering_gemini import make_answerer
from tests.emulators.answering_speech import make_listener, make_speaker
from tests.emulators.gemini import API_KEY, GeminiEmulator
from tests.emulators.gemini_requests import Video
from tests.emulators.iam import PROJECT
from tests.emulators.speech import SpeechEmulator
from tests.emulators.text_to_speech import TextToSpeechEmulator
from tests.emulators.world import GoogleWorld

MODEL = "gemini-3-flash-preview"


@contextmanager
def serve_voice(world: GoogleWorld, voice: TextToSpeech) -> Iterator[TextToSpeech]:
    with TextToSpeechEmulator(world.identity, speaker=make_speaker(voice)) as server:
        yield GoogleVoice(project=PROJECT, endpoint=server.url)
        assert server.complaints == []


@contextmanager
def serve_recogniser(world: GoogleWorld, recogniser: SpeechToText) -> Iterator[SpeechToText]:
    with SpeechEmulator(world.identity, listener=make_listener(recogniser)) as server:
        yield GoogleRecogniser(project=PROJECT, location="asia-northeast1", endpoint=server.url)


@contextmanager
def serve_coach(world: GoogleWorld, coach: SignalCoach, *, folder: Path) -> Iterator[GeminiCoach]:
    """On the Developer API: the video that is watched is the one that went up."""

    def fetch_video(video: Video) -> Path:
        return server.files.save(server.files.find_by_uri(video.uri), suffix=".mp4")

    with GeminiEmulator(
        world.identity, folder=folder, answerer=make_answerer(coach, fetch_video=fetch_video)
    ) as server:
        yield GeminiCoach(model=MODEL, api_key=API_KEY, endpoint=server.url, file_poll_seconds=0.01)
        assert server.complaints == []
