"""Building blocks of a synthetic sound track: bands of noise, knocks, water, a range hood, a phone's auto gain.

Samples are mono float32 at SAMPLE_RATE_HZ, nominally within -1..1.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

SAMPLE_RATE_HZ = 48_000
GAIN_BLOCKS_PER_SECOND = 20

Samples: TypeAlias = npt.NDArray[np.float32]


def make_noise(random: np.random.Generator, seconds: float) -> Samples:
    """White noise of unit power."""
    return random.standard_normal(round(seconds * SAMPLE_RATE_HZ), dtype=np.float32)


def filter_band(samples: Samples, low_hz: float, high_hz: float) -> Samples:
    """What a second-order Butterworth band-pass lets through."""
    sections = butter(2, [low_hz, high_hz], "band", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(sections, samples), np.float32)


def stretch(curve: npt.NDArray[np.floating], points_per_second: float, sample_count: int) -> Samples:
    """A curve with few points a second, drawn out to one value a sample."""
    positions = np.arange(sample_count) * (points_per_second / SAMPLE_RATE_HZ)
    return np.asarray(np.interp(positions, np.arange(len(curve)), curve), np.float32)


def make_knock(frequencies_hz: tuple[float, ...], decay_per_second: float, seconds: float) -> Samples:
    """A struck thing: sines, each at 0.6 of the one before it, that die away together."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    rings = np.zeros(len(time))
    for order, hz in enumerate(frequencies_hz):
        rings += 0.6**order * np.sin(2 * np.pi * hz * time)
    return (np.exp(-decay_per_second * time) * rings).astype(np.float32)


def make_thump(random: np.random.Generator) -> Samples:
    """A knife on a board: a low knock with a short crack."""
    body = make_knock((190.0,), 55, 0.09)
    crack = make_noise(random, 0.09) * np.exp(-300 * np.arange(len(body)) / SAMPLE_RATE_HZ)
    return (0.42 * body + 0.25 * crack).astype(np.float32)


class Track:
    """A sound track that parts are added to."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.samples: Samples = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)

    def add(self, start_seconds: float, part: Samples) -> None:
        """Mix `part` in; what lies outside the track is dropped."""
        start = round(start_seconds * SAMPLE_RATE_HZ)
        if start < 0:
            part, start = part[-start:], 0
        room = self.samples[start : start + len(part)]
        room += part[: len(room)]


def flutter(random: np.random.Generator, sample_count: int, depth: float) -> Samples:
    """An unsteady level around 1, new 20 times a second, at most `depth` away."""
    points = sample_count * GAIN_BLOCKS_PER_SECOND // SAMPLE_RATE_HZ + 2
    return stretch(random.uniform(1 - depth, 1 + depth, points), GAIN_BLOCKS_PER_SECOND, sample_count)


def make_hood(random: np.random.Generator, seconds: float) -> Samples:
    """A range hood: a broad rush with a motor's hum in it. It is flat noise in the sizzle's own band too."""
    noise = make_noise(random, seconds)
    time = np.arange(len(noise)) / SAMPLE_RATE_HZ
    motor = 0.006 * np.sin(2 * np.pi * 98 * time) + 0.003 * np.sin(2 * np.pi * 196 * time)
    rush = 0.035 * filter_band(noise, 120, 1200) + 0.012 * filter_band(noise[::-1], 1200, 7000)
    return (rush + motor).astype(np.float32)


def make_tap_water(random: np.random.Generator, seconds: float) -> Samples:
    """Water from a tap into a bowl: bright steady noise, with gurgles low down."""
    noise = make_noise(random, seconds)
    hiss = 0.075 * filter_band(noise, 1500, 9000) * flutter(random, len(noise), 0.15)
    gurgle = 0.09 * filter_band(noise[::-1], 250, 900) * flutter(random, len(noise), 0.8)
    return (hiss + gurgle).astype(np.float32)


def make_boiling(random: np.random.Generator, seconds: float, vigour: npt.NDArray[np.floating]) -> Samples:
    """Water coming to the boil. `vigour`: 0 to 1, ten values a second. First it sings, then it bubbles."""
    track = Track(seconds)
    noise = make_noise(random, seconds)
    level = stretch(vigour, 10, len(noise))
    rumble = 0.10 * filter_band(noise, 180, 700) * flutter(random, len(noise), 0.6)
    singing = 0.035 * filter_band(noise[::-1], 1800, 7500)
    track.add(0, (level * (rumble + singing)).astype(np.float32))
    now = 0.0
    while now < seconds:
        strength = float(np.interp(now * 10, np.arange(len(vigour)), vigour))
        now += random.exponential(1 / (1 + 30 * strength))
        if strength > 0.3:
            bubble = make_knock((random.uniform(300, 900),), random.uniform(40, 90), 0.05)
            track.add(now, np.float32(random.uniform(0.03, 0.12)) * bubble)
    return track.samples


def level_automatically(samples: Samples) -> Samples:
    """A phone's slow leveller: about 1 s up, 4 s down, towards one loudness for everything."""
    block = SAMPLE_RATE_HZ // GAIN_BLOCKS_PER_SECOND
    starts = np.arange(0, len(samples), block)
    levels = np.sqrt(np.maximum(1e-8, np.add.reduceat(samples.astype(np.float64) ** 2, starts) / block))
    gains = np.zeros(len(levels))
    followed = float(levels[:GAIN_BLOCKS_PER_SECOND].mean())
    for index, level in enumerate(levels.tolist()):
        followed += (level - followed) * (0.05 if level > followed else 0.0125)
        gains[index] = (0.06 / max(followed, 0.004)) ** 0.7
    return samples * stretch(gains, GAIN_BLOCKS_PER_SECOND, len(samples))


def record(samples: Samples, *, gain_db: float) -> Samples:
    """What the phone's microphone makes of it: amplified, and softly limited to within -1..1."""
    return np.asarray(np.tanh(samples * np.float32(1.2 * 10 ** (gain_db / 20))), np.float32)
