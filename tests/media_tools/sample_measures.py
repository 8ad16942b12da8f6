"""Measures for the tests of the sample cooks: levels, flatness and colours of a film."""

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from media_tools.sample_cook import CookTruth
from media_tools.sample_cook.noises import SAMPLE_RATE_HZ, Samples

TINY_SIZE, TINY_FPS = (160, 90), 2
SIZZLE_HZ, VOICE_HZ = (2000, 7600), (300, 1200)
WINDOW = 1536  # 32 ms

Frames = npt.NDArray[np.uint8]


def measure_band_db(samples: Samples, start: float, end: float, band_hz: tuple[int, int]) -> float:
    """Level of what stays in a band between syllables and clicks: the 15th percentile of 32 ms windows, in dB."""
    return float(np.percentile(10 * np.log10(measure_powers(samples, start, end, band_hz).sum(axis=1) + 1e-12), 15))


def measure_flatness(samples: Samples, start: float, end: float) -> float:
    """Median spectral flatness of the sizzle's band: near 0.5 for noise, near 0 for tones."""
    powers = measure_powers(samples, start, end, SIZZLE_HZ) + 1e-12
    return float(np.median(np.exp(np.log(powers).mean(axis=1)) / powers.mean(axis=1)))


def measure_powers(samples: Samples, start: float, end: float, band_hz: tuple[int, int]) -> npt.NDArray[np.float64]:
    part = samples[int(start * SAMPLE_RATE_HZ) : int(end * SAMPLE_RATE_HZ)]
    windows = part[: len(part) // WINDOW * WINDOW].reshape(-1, WINDOW) * np.hanning(WINDOW)
    hz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE_HZ)
    powers = np.abs(np.fft.rfft(windows)) ** 2 / WINDOW**2
    return np.asarray(powers[:, (hz >= band_hz[0]) & (hz < band_hz[1])], np.float64)


def read_frames(film: Path) -> Frames:
    """All frames as (count, 90, 160, 3) RGB."""
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="rgb24", width=160, height=90) for frame in container.decode(video=0)]
    return np.stack(frames)


def read_sound(film: Path) -> Samples:
    """The sound track as mono samples at SAMPLE_RATE_HZ."""
    with av.open(str(film)) as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(blocks).astype(np.float32)


def look_at_pan(frames: Frames, fps: float, start: float, end: float) -> npt.NDArray[np.float32]:
    """The middle of the pan between two seconds, as (pixels, 3)."""
    part = frames[int(start * fps) : int(end * fps), 28:62, 72:130]
    return part.reshape(-1, 3).astype(np.float32)


def share_of_yellow(pixels: npt.NDArray[np.float32]) -> float:
    red, green, blue = pixels.T
    return float(((red > 180) & (green > 130) & (blue < 0.6 * red) & (green > 0.6 * red)).mean())


def share_of_white(pixels: npt.NDArray[np.float32]) -> float:
    return float(((pixels.min(axis=1) > 150) & (np.ptp(pixels, axis=1) < 50)).mean())


def second_of(truth: CookTruth, label: str) -> float:
    seconds = truth.find_event(label)
    assert seconds is not None, label
    return seconds
