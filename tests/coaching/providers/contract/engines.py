"""Engines under contract. To put another one there, add how to make it; what it needs comes from `Room`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coaching.providers.local.kokoro import KokoroVoice
from coaching.providers.local.openjtalk import OpenJTalkVoice
from coaching.providers.local.whisper import WhisperRecogniser
from coaching.providers.ports import SpeechToText, TextToSpeech


@dataclass(frozen=True, kw_only=True)
class Room:
    """`cache_folder` outlives the run; `folder` is the test's own, the same for adapters made in the same test."""

    cache_folder: Path
    folder: Path


@dataclass(frozen=True, kw_only=True)
class VoiceUnderContract:
    """`most_errors`: share of kana that a small recogniser may hear wrong of this voice."""

    make: Callable[[Room], TextToSpeech]
    most_errors: float


VOICES = {
    "kokoro": VoiceUnderContract(make=lambda room: KokoroVoice(cache_folder=room.cache_folder), most_errors=0.15),
    "openjtalk": VoiceUnderContract(make=lambda room: OpenJTalkVoice(cache_folder=room.cache_folder), most_errors=0.25),
}
RECOGNISERS: dict[str, Callable[[Room], SpeechToText]] = {
    "whisper": lambda room: WhisperRecogniser(cache_folder=room.cache_folder),
}
