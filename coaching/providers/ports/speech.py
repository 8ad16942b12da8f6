"""Speech to text, and text to speech."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from coaching.providers.ports.storage import MediaLocation
from coaching.providers.ports.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRequest:
    """`audio` has passed the probe. `hints` are words likely to be said (dish, ingredients)."""

    audio: MediaLocation
    duration_seconds: float
    hints: tuple[str, ...] = ()
    deadline_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardSegment:
    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """`text` is empty where nothing was said."""

    text: str
    segments: tuple[HeardSegment, ...]
    usage: Usage


class SpeechToText(Protocol):
    def transcribe(self, request: TranscriptionRequest) -> Transcription: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """`output` is a WAV file to be written."""

    text: str
    output: Path
    deadline_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    path: Path
    duration_seconds: float
    sample_rate_hz: int
    usage: Usage


class TextToSpeech(Protocol):
    def synthesise(self, request: SpeechRequest) -> Speech: ...
