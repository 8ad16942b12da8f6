"""Engines under contract. To put another one there, add how to make it; what it needs comes from `Room`."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from coaching.providers.local.kokoro import KokoroVoice
from coaching.providers.local.openjtalk import OpenJTalkVoice
from coaching.providers.local.signal_coach import SignalCoach
from coaching.providers.local.whisper import WhisperRecogniser
from coaching.providers.ports import Coach, SpeechToText, TextToSpeech
from tests.coaching.providers.contract.google_models import serve_coach, serve_recogniser, serve_voice
from tests.emulators.world import GoogleWorld


@dataclass(frozen=True, kw_only=True)
class Room:
    """`cache_folder` outlives the run; `folder` is the test's own, the same for adapters made in the same test.

    What an adapter needs for as long as it is used, such as a server, is entered into `stack`. The engines that the
    servers of Google answer with are the test run's.
    """

    cache_folder: Path
    folder: Path
    stack: ExitStack
    world: GoogleWorld
    recogniser: WhisperRecogniser
    fast_voice: OpenJTalkVoice


@dataclass(frozen=True, kw_only=True)
class VoiceUnderContract:
    """`most_errors`: share of kana that a small recogniser may hear wrong of this voice."""

    make: Callable[[Room], TextToSpeech]
    most_errors: float


VOICES = {
    "kokoro": VoiceUnderContract(make=lambda room: KokoroVoice(cache_folder=room.cache_folder), most_errors=0.15),
    "openjtalk": VoiceUnderContract(make=lambda room: OpenJTalkVoice(cache_folder=room.cache_folder), most_errors=0.25),
    "google": VoiceUnderContract(
        make=lambda room: room.stack.enter_context(serve_voice(room.world, room.fast_voice)), most_errors=0.25
    ),
}
RECOGNISERS: dict[str, Callable[[Room], SpeechToText]] = {
    "whisper": lambda room: room.recogniser,
    "google": lambda room: room.stack.enter_context(serve_recogniser(room.world, room.recogniser)),
}
COACHES: dict[str, Callable[[Room], Coach]] = {
    "signals": lambda room: SignalCoach(cache_folder=room.cache_folder),
    "google": lambda room: room.stack.enter_context(
        serve_coach(room.world, SignalCoach(cache_folder=room.cache_folder), folder=room.folder)
    ),
}
