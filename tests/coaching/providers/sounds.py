"""Sounds without speech, as a memo might hold them. 16 kHz, mono, within ±1."""

import wave
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HZ = 16_000
SECONDS = 6
COUNT = HZ * SECONDS


def make_silence() -> NDArray[np.float64]:
    return np.zeros(COUNT)


def make_hiss() -> NDArray[np.float64]:
    """The floor of a cheap microphone."""
    return np.random.default_rng(1).normal(scale=1e-3, size=COUNT)


def make_sizzle() -> NDArray[np.float64]:
    """A loud pan: noise with crackle on it."""
    chance = np.random.default_rng(2)
    return 0.08 * chance.normal(size=COUNT) + (chance.random(COUNT) < 0.003) * chance.normal(scale=0.6, size=COUNT)


def make_hum() -> NDArray[np.float64]:
    """A hood: a low tone, its overtone and a breath of air."""
    time = np.arange(COUNT) / HZ
    tones = 0.2 * np.sin(2 * np.pi * 120 * time) + 0.1 * np.sin(2 * np.pi * 240 * time)
    return tones + np.random.default_rng(3).normal(scale=0.01, size=COUNT)


def make_music(*, bowed: bool = False) -> NDArray[np.float64]:
    """A tune, plucked or bowed: of all these, what a voice detector takes for a voice first."""
    sound = np.zeros(COUNT)
    time = np.arange(HZ // 2) / HZ
    shape = np.minimum(1, np.minimum(time, time[::-1]) / 0.03) if bowed else np.exp(-4 * time)
    overtones = range(1, 7) if bowed else range(1, 4)
    vibrato = 1 + (0.003 * np.sin(2 * np.pi * 5 * time) if bowed else 0)
    for number in range(2 * SECONDS):
        pitch_hz = (262, 330, 392, 523, 392, 330, 294, 349)[number % 8]
        tone = sum(np.sin(2 * np.pi * pitch_hz * overtone * time * vibrato) / overtone for overtone in overtones)
        sound[number * time.size : (number + 1) * time.size] = 0.25 * tone * shape
    return sound


SPEECHLESS: dict[str, Callable[[], NDArray[np.float64]]] = {
    "silence": make_silence,
    "hiss": make_hiss,
    "sizzle": make_sizzle,
    "hum": make_hum,
    "plucked tune": make_music,
    "bowed tune": partial(make_music, bowed=True),
}


def write_sound(path: Path, samples: NDArray[np.float64]) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(HZ)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path
