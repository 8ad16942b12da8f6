"""A text spoken sentence by sentence: parted, cleaned at the edges, joined with pauses, written as WAV."""

import re
import secrets
import wave
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from coaching.errors import ProviderRefused
from coaching.providers.deadline import Deadline
from coaching.providers.local.readings import write_as_read
from coaching.providers.ports import Speech, SpeechRequest, Usage

Samples: TypeAlias = NDArray[np.float32]

PAUSE_SECONDS = 0.35  # a breath: what a listener needs between two sentences
LEAD_SECONDS = 0.08  # kept before and after what is loud: a soft s or h lives there
FADE_SECONDS = 0.008  # long enough not to click, too short to be heard
AUDIBLE = 0.005
PEAK = 0.9  # OpenJTalk goes beyond full scale on its loudest vowels
_SENTENCE = re.compile(r"[^。！？!?\n]*[。！？!?\n]+[」』）)]*|[^。！？!?\n]+")


def split_sentences(text: str) -> list[str]:
    """The sentences that have something to say, in order, each with its mark."""
    return [sentence for found in _SENTENCE.findall(text) if re.search(r"\w", sentence := found.strip())]


def speak_sentences(
    request: SpeechRequest, *, say: Callable[[str], Samples], sample_rate_hz: int, model: str, deadline: Deadline
) -> Speech:
    """Write the whole text to `request.output`; `say` speaks one sentence (float32 mono, about ±1).

    The file appears whole or not at all. Raises `ProviderRefused` when there is nothing to say, `ProviderUnavailable`
    at the deadline.
    """
    spoken: list[Samples] = []
    for sentence in split_sentences(write_as_read(request.text)):
        deadline.check()
        samples = trim_to_speech(say(sentence), sample_rate_hz=sample_rate_hz)
        if samples.size:
            spoken.append(samples)
    if not spoken:
        raise ProviderRefused(f"nothing can be spoken of the text {request.text[:80]!r}")
    deadline.check()
    joined = join_with_pauses(spoken, sample_rate_hz=sample_rate_hz)
    joined *= min(1, PEAK / np.abs(joined).max())
    write_wav(request.output, joined, sample_rate_hz=sample_rate_hz)
    seconds = joined.size / sample_rate_hz
    return Speech(
        path=request.output,
        duration_seconds=seconds,
        sample_rate_hz=sample_rate_hz,
        usage=Usage(provider="local", model=model, audio_seconds=seconds, characters=len(request.text)),
    )


def trim_to_speech(samples: Samples, *, sample_rate_hz: int) -> Samples:
    """Without the silence around it, faded at both ends so that joints do not click; empty where it is all silence."""
    audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
    if not audible.size:
        return np.zeros(0, np.float32)
    lead = int(LEAD_SECONDS * sample_rate_hz)
    trimmed = samples[max(0, audible[0] - lead) : audible[-1] + 1 + lead].astype(np.float32)
    fade = min(int(FADE_SECONDS * sample_rate_hz), trimmed.size // 2)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    trimmed[:fade] *= ramp
    trimmed[trimmed.size - fade :] *= ramp[::-1]
    return trimmed


def join_with_pauses(spoken: list[Samples], *, sample_rate_hz: int) -> Samples:
    pause = np.zeros(int(PAUSE_SECONDS * sample_rate_hz), np.float32)
    pieces = [piece for sentence in spoken for piece in (sentence, pause)]
    return np.concatenate(pieces[:-1])


def write_wav(path: Path, samples: Samples, *, sample_rate_hz: int) -> None:
    """Mono, 16 bit; written beside `path` and renamed."""
    pcm = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with wave.open(str(draft), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(sample_rate_hz)
            out.writeframes(pcm.tobytes())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
