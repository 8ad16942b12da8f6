"""Hears a cook: levels of the bands in which frying, burners and voices lie, on the grid of half seconds.

The sound is streamed as 16 kHz mono and never held: memory does not grow with the film but for the series (eight
numbers a step), and a minute costs a fraction of a CPU second.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from media_tools.ffmpeg import DEFAULT_LIMITS, Limits, compile_arguments, open_input, read_output
from media_tools.signals.grid import STEPS_PER_SECOND, Series

SAMPLE_RATE_HZ = 16_000
STEP_SAMPLES = SAMPLE_RATE_HZ // STEPS_PER_SECOND
HOP_SAMPLES = 250  # 32 frames a step, exactly
FRAME_SAMPLES = 500
FFT_SAMPLES = 512
FRAMES_PER_STEP = STEP_SAMPLES // HOP_SAMPLES
CLICK_SAMPLES = 64  # 4 ms: short enough to see one drop burst
BLOCK_STEPS = 20
SILENCE_DB = -60.0
FLOOR_POWER = 1e-12

HUM_HZ = (100, 500)
MIDDLE_HZ = (500, 2000)
SIZZLE_HZ = (2000, 7600)
# The flatness is taken within narrow bands, so that a microphone's or a codec's slope does not count as tone.
FLATNESS_BANDS_HZ = tuple((low, low + 800) for low in range(2000, 7600, 800))
PITCH_LAGS = slice(20, 107)  # at 8 kHz: voices of 75 to 400 Hz

_BIN_HZ = SAMPLE_RATE_HZ / FFT_SAMPLES
_WINDOW = np.hanning(FRAME_SAMPLES).astype(np.float32)
_CLICK_WINDOW = np.hanning(CLICK_SAMPLES).astype(np.float32)

Samples = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoundSignals:
    """One value a grid step in each series; levels in dB below full scale.

    `level_db`: power of everything. `hum_db` (100-500 Hz): burner and motor. `middle_db` (500-2000 Hz).
    `sizzle_db` (2-7.6 kHz): its 15th percentile within the step, which looks between syllables and clicks.
    `noise_likeness`: spectral flatness of the sizzle's band, 0 a tone to about 0.56 noise. `crackle_db`: how far the
    bursts of 4 ms stand out of that band; plain noise has about 2.5. `speech`: 0 to 1. `knocks_per_second`: sudden
    low knocks, as of a knife on a board.
    """

    level_db: Series
    hum_db: Series
    middle_db: Series
    sizzle_db: Series
    noise_likeness: Series
    crackle_db: Series
    speech: Series
    knocks_per_second: Series

    def __len__(self) -> int:
        return len(self.level_db)

    @property
    def is_silent(self) -> bool:
        """Whether not even a room can be heard anywhere."""
        return len(self) == 0 or bool(np.percentile(self.level_db, 95) < SILENCE_DB)


def measure_sound(
    source: Path | str, *, cancel: threading.Event | None = None, limits: Limits = DEFAULT_LIMITS
) -> SoundSignals:
    """Listen to the first audio stream of `source`, from the start of the file's own clock.

    Raises MediaToolFailed when there is none, and as `media_tools.ffmpeg.read_output` does.
    """
    heard = (
        open_input(source, threads=1)
        .audio.filter("aresample", SAMPLE_RATE_HZ, **{"async": 1, "first_pts": 0})
        .output("pipe:1", format="f32le", acodec="pcm_f32le", ac=1, ar=SAMPLE_RATE_HZ)
    )
    pieces = read_output(compile_arguments(heard), cancel=cancel, limits=limits)
    rows = [row for block in _cut_blocks(pieces) for row in _measure_block(block)]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 9).T
    level, hum, middle, sizzle, flatness, crackle, voiced, syllables, knocks = table
    # A hum of a motor is voiced too, but does not move at the rate of syllables.
    talk = np.clip(1.6 * voiced, 0, 1) * np.clip((syllables - 5) / 8, 0, 1)
    return SoundSignals(
        level_db=level,
        hum_db=hum,
        middle_db=middle,
        sizzle_db=sizzle,
        noise_likeness=flatness,
        crackle_db=crackle,
        speech=np.convolve(talk, np.ones(3) / 3, "same") if len(talk) else talk,
        knocks_per_second=knocks,
    )


def _cut_blocks(pieces: Iterator[bytes]) -> Iterator[Samples]:
    """Samples in blocks of whole steps, each followed by the overlap of its last frame."""
    overlap = FRAME_SAMPLES - HOP_SAMPLES
    whole_bytes = 4 * (BLOCK_STEPS * STEP_SAMPLES + overlap)
    step_bytes = 4 * BLOCK_STEPS * STEP_SAMPLES
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= whole_bytes:
            yield np.frombuffer(bytes(buffer[:whole_bytes]), np.float32)
            del buffer[:step_bytes]
    rest = np.frombuffer(bytes(buffer[: len(buffer) // 4 * 4]), np.float32)
    steps = len(rest) // STEP_SAMPLES
    if steps:
        yield np.pad(rest, (0, overlap))[: steps * STEP_SAMPLES + overlap]


def _measure_block(samples: Samples) -> list[list[float]]:
    """One row a step: level, hum, middle, sizzle, flatness, crackle, voiced share, syllabic range, knocks."""
    samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    steps = (len(samples) - (FRAME_SAMPLES - HOP_SAMPLES)) // STEP_SAMPLES
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::HOP_SAMPLES]
    spectra = np.abs(np.fft.rfft(frames * _WINDOW, FFT_SAMPLES)) ** 2
    power = np.asarray(spectra, dtype=np.float64) / (FRAME_SAMPLES * FFT_SAMPLES * 0.375) * 2 + FLOOR_POWER
    hum, middle, sizzle = (_sum_band(power, *band) for band in (HUM_HZ, MIDDLE_HZ, SIZZLE_HZ))
    flatness = _measure_flatness(power)
    voiced = _measure_voicing(power) > 0.55
    low_db = _to_db(hum + middle)
    jumps = np.diff(low_db, prepend=low_db[:1]) > 9
    clicks = _measure_click_power(samples[: steps * STEP_SAMPLES])
    rows: list[list[float]] = []
    for step in range(steps):
        part = slice(step * FRAMES_PER_STEP, (step + 1) * FRAMES_PER_STEP)
        whole = samples[step * STEP_SAMPLES : (step + 1) * STEP_SAMPLES]
        bursts = _to_db(clicks[step])
        quiet_db, loud_db = np.percentile(low_db[part], [10, 90])
        rows.append(
            [
                float(_to_db(np.mean(np.square(whole, dtype=np.float64)))),
                float(np.percentile(_to_db(hum[part]), 25)),
                float(np.percentile(_to_db(middle[part]), 40)),
                float(np.percentile(_to_db(sizzle[part]), 15)),
                float(np.median(flatness[part])),
                float(np.percentile(bursts, 95) - np.median(bursts)),
                float(np.mean(voiced[part])),
                float(loud_db - quiet_db),
                float(np.sum(jumps[part])) * STEPS_PER_SECOND,
            ]
        )
    return rows


def _to_db(power: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(10 * np.log10(np.asarray(power, dtype=np.float64) + FLOOR_POWER))


def _sum_band(power: Spectra, low_hz: float, high_hz: float) -> npt.NDArray[np.float64]:
    return np.asarray(power[:, _find_bins(low_hz, high_hz)].sum(axis=1))


def _find_bins(low_hz: float, high_hz: float) -> slice:
    return slice(math.ceil(low_hz / _BIN_HZ), math.ceil(high_hz / _BIN_HZ))


def _measure_flatness(power: Spectra) -> npt.NDArray[np.float64]:
    """Geometric over arithmetic mean of the power in narrow bands; the median of those that a codec left standing."""
    flatness, levels = [], []
    for low_hz, high_hz in FLATNESS_BANDS_HZ:
        band = power[:, _find_bins(low_hz, high_hz)]
        mean = band.mean(axis=1)
        flatness.append(np.exp(np.log(band).mean(axis=1)) / mean)
        levels.append(mean)
    level = np.array(levels)
    standing = level > 10**-2.5 * level.max(axis=0)
    values = np.where(standing, np.array(flatness), np.nan)
    return np.asarray(np.nanmedian(values, axis=0), dtype=np.float64)


def _measure_voicing(power: Spectra) -> npt.NDArray[np.float64]:
    """Highest autocorrelation, at the lags of a voice's pitch, of what lies under 4 kHz: 0 to 1."""
    correlation = np.fft.irfft(power[:, : FFT_SAMPLES // 4 + 1])
    return np.asarray(correlation[:, PITCH_LAGS].max(axis=1) / np.maximum(correlation[:, 0], FLOOR_POWER))


def _measure_click_power(samples: Samples) -> npt.NDArray[np.float64]:
    """Power over 2 kHz of every 4 ms, as (steps, 125)."""
    clicks = samples.reshape(-1, CLICK_SAMPLES) * _CLICK_WINDOW
    spectra = np.abs(np.fft.rfft(clicks)) ** 2
    lowest = int(SIZZLE_HZ[0] * CLICK_SAMPLES / SAMPLE_RATE_HZ)
    return np.asarray(spectra[:, lowest:].sum(axis=1), dtype=np.float64).reshape(-1, STEP_SAMPLES // CLICK_SAMPLES)
