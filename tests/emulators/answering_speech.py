"""Answers for the speech services out of local engines: really spoken, and really heard."""

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from scipy.signal import resample_poly

from coaching.providers.google.text_to_speech import read_recording
from coaching.providers.ports import MediaLocation, SpeechRequest, SpeechToText, TextToSpeech, TranscriptionRequest
from media_tools.errors import MediaError
from media_tools.facts import AudioLimits
from media_tools.probe import probe_audio
from tests.emulators.speech import CannotDecode, Heard, Listener
from tests.emulators.text_to_speech import Speaker, compose_wav

MOST_PHRASES = 20  # what the local recogniser takes; the request's own come first
PATIENCE_SECONDS = 600.0


def make_listener(recogniser: SpeechToText, *, limits: AudioLimits | None = None) -> Listener:
    """Hears the bytes that arrived, which are opened as a stranger's."""

    def listen(content: bytes, phrases: Sequence[str]) -> Heard:
        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder) / "recording"
            recording.write_bytes(content)
            try:
                facts = probe_audio(recording, limits or AudioLimits())
            except MediaError as error:
                raise CannotDecode(str(error)) from error
            heard = recogniser.transcribe(
                TranscriptionRequest(
                    audio=MediaLocation(object_path="recording", source=recording),
                    duration_seconds=facts.duration_seconds,
                    hints=tuple(phrases[:MOST_PHRASES]),
                    deadline_seconds=PATIENCE_SECONDS,
                )
            )
        parts = [(segment.text, segment.end_seconds) for segment in heard.segments]
        return Heard(parts=parts, duration_seconds=facts.duration_seconds)

    return listen


def make_speaker(voice: TextToSpeech) -> Speaker:
    """Speaks with a local voice, at the rate that was asked for."""
    lock = threading.Lock()

    def speak(text: str, sample_rate_hz: int) -> bytes:
        with lock, tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "speech.wav"
            speech = voice.synthesise(SpeechRequest(text=text, output=output, deadline_seconds=PATIENCE_SECONDS))
            samples = read_recording(output.read_bytes(), what="the local voice", sample_rate_hz=speech.sample_rate_hz)
        resampled = resample_poly(samples, sample_rate_hz, speech.sample_rate_hz)
        return compose_wav(resampled, sample_rate_hz=sample_rate_hz)

    return speak
