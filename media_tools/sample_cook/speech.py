"""Babble that a machine takes for speech: voiced vowels, hissing consonants, phrases and pauses, but no words."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, resample_poly, sosfilt

from media_tools.sample_cook.conditions import Window
from media_tools.sample_cook.noises import SAMPLE_RATE_HZ, Samples, Track

VOICE_RATE_HZ = 16_000
FRAMES_PER_SECOND = 200
HARMONICS = 36
# The first three formants of the Japanese a, i, u, e, o (rounded means over speakers), in Hz.
VOWELS_HZ = np.array([(780, 1240, 2600), (310, 2200, 2950), (340, 1290, 2300), (490, 1950, 2600), (480, 850, 2550)])
FORMANT_WIDTHS_HZ = np.array([90, 120, 180])
FORMANT_LEVELS = np.array([1.0, 0.55, 0.25])


def add_speech(track: Track, random: np.random.Generator, windows: Iterable[Window]) -> None:
    """Babble within each of the windows."""
    for start, end in windows:
        track.add(start, _babble(random, min(end, track.seconds) - start))


def _babble(random: np.random.Generator, seconds: float) -> Samples:
    frames = int(seconds * FRAMES_PER_SECOND)
    if frames < FRAMES_PER_SECOND // 4:
        return np.zeros(0, np.float32)
    voicing, hissing = np.zeros(frames), np.zeros(frames)
    pitch_hz, vowels = np.full(frames, 130.0), np.zeros(frames, np.intp)
    now = 0.0
    while now < seconds:
        phrase_start, syllables = now, int(random.integers(4, 13))
        high_hz = random.uniform(135, 185)
        for syllable in range(syllables):
            now = _speak_syllable(random, now, voicing, hissing, vowels)
            part = slice(int(phrase_start * FRAMES_PER_SECOND), int(now * FRAMES_PER_SECOND))
            pitch_hz[part] = high_hz * (1 - 0.3 * syllable / syllables)  # a phrase falls
        now += random.uniform(0.2, 0.5)
    voice = _sing(pitch_hz, vowels) * _smooth(voicing)
    noise = random.standard_normal(len(voice))
    sibilants = sosfilt(butter(2, [3500, 7000], "band", fs=VOICE_RATE_HZ, output="sos"), noise)
    voice += 0.035 * sibilants * _smooth(hissing)
    return resample_poly(voice, SAMPLE_RATE_HZ // VOICE_RATE_HZ, 1).astype(np.float32)


def _speak_syllable(
    random: np.random.Generator,
    now: float,
    voicing: npt.NDArray[np.float64],
    hissing: npt.NDArray[np.float64],
    vowels: npt.NDArray[np.intp],
) -> float:
    """Write one syllable from `now` on into the frames; returns its end."""
    hiss_seconds = random.uniform(0.04, 0.08) if random.random() < 0.2 else 0.0
    gap_seconds = random.uniform(0.0, 0.02)
    vowel_seconds = random.uniform(0.08, 0.16)
    edges = np.cumsum([now + gap_seconds, hiss_seconds, vowel_seconds])
    start, middle, end = (int(edge * FRAMES_PER_SECOND) for edge in edges)
    hissing[start:middle] = 1
    voicing[middle:end] = random.uniform(0.7, 1.0)
    vowels[start:end] = random.integers(len(VOWELS_HZ))
    return float(edges[-1])


def _smooth(frames: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Frames as samples at VOICE_RATE_HZ, with 20 ms slopes."""
    return _draw_out(np.convolve(frames, np.hanning(7)[1:-1] / 3, "same"))


def _draw_out(frames: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    step = VOICE_RATE_HZ // FRAMES_PER_SECOND
    return np.interp(np.arange(len(frames) * step) / step, np.arange(len(frames)), frames)


def _sing(pitch_hz: npt.NDArray[np.float64], vowels: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """A voice at this pitch whose harmonics are weighted by the vowels' formants."""
    phase = 2 * np.pi * np.cumsum(_draw_out(pitch_hz)) / VOICE_RATE_HZ
    formants_hz = VOWELS_HZ[vowels]
    voice = np.zeros(len(phase))
    for harmonic in range(1, HARMONICS + 1):
        distance = (harmonic * pitch_hz[:, None] - formants_hz) / FORMANT_WIDTHS_HZ
        gain = (FORMANT_LEVELS / (1 + distance**2)).sum(axis=1) + 0.004
        voice += _draw_out(gain / harmonic**0.3) * np.sin(harmonic * phase)
    return 0.12 * voice
