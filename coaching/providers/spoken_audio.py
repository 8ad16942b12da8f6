"""Recorded sentences: parted texts, samples cleaned at the edges, joined with pauses, written as WAV."""

import re
import secrets
import wave
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]

PAUSE_SECONDS = 0.35  # a breath: what a listener needs between two sentences
LEAD_SECONDS = 0.08  # kept before and after what is loud: a soft s or h lives there
FADE_SECONDS = 0.008  # long enough not to click, too short to be heard
AUDIBLE = 0.005
PEAK = 0.9  # some voices go beyond full scale on their loudest vowels
_SENTENCE = re.compile(r"[^。！？!?\n]*[。！？!?\n]+[」』）)]*|[^。！？!?\n]+")


def split_sentences(text: str) -> list[str]:
    """The sentences that have something to say, in order, each with its mark."""
    return [sentence for found in _SENTENCE.findall(text) if re.search(r"\w", sentence := found.strip())]


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


def limit_peak(samples: Samples) -> Samples:
    """No louder than `PEAK`; quieter ones stay as they are."""
    loudest = float(np.abs(samples).max(initial=0.0))
    return samples * np.float32(min(1.0, PEAK / loudest)) if loudest else samples


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
