"""The fast, plainer voice: OpenJTalk, about twelve times faster than it speaks."""

from pathlib import Path
from typing import Any

import numpy as np

from coaching.providers.deadline import Deadline
from coaching.providers.local.engine import SharedEngine
from coaching.providers.local.utterances import speak_sentences
from coaching.providers.ports import Speech, SpeechRequest
from coaching.providers.spoken_audio import Samples

SAMPLE_RATE_HZ = 48_000


class OpenJTalkVoice:
    """Everything is inside its package: `cache_folder` is there so that voices can be exchanged."""

    def __init__(self, *, cache_folder: Path) -> None:
        self._engine = SharedEngine(_load, name="OpenJTalk")

    def synthesise(self, request: SpeechRequest) -> Speech:
        """Raises `ProviderRefused` for a text without words, `ProviderUnavailable` at the deadline."""
        deadline = Deadline(request.deadline_seconds, doing="speaking with OpenJTalk")
        with self._engine.borrow(deadline) as openjtalk:

            def say(sentence: str) -> Samples:
                samples, _ = openjtalk.tts(sentence)
                return (np.asarray(samples) / 32768).astype(np.float32)

            return speak_sentences(
                request, say=say, sample_rate_hz=SAMPLE_RATE_HZ, model="openjtalk", deadline=deadline
            )


def _load() -> Any:
    import pyopenjtalk  # heavy: a dictionary of 100 MB

    return pyopenjtalk
