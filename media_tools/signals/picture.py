"""Sees a cook: light, haze, motion, cuts and the colours of the work, two looks a second at a small size.

A whole film is looked at through its key frames only, which costs about a twelfth of decoding it; the seconds that
matter are then looked at closely. One look is kept as the mean colours of a few hundred cells (about 2 kB), so the
longest film takes some 15 MB.
"""

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from media_tools.errors import MediaToolFailed
from media_tools.ffmpeg import DEFAULT_LIMITS, Limits, Stream, compile_arguments, open_input, read_output
from media_tools.signals.grid import STEPS_PER_SECOND, Series, count_steps

LONG_SIDE_PX = 160
CELL_PX = 5
HISTOGRAM_BINS = 32
MOST_REPEATS = 20  # 10 s: key frames lie closer
FARTHEST_SHIFT = 0.12  # of a side, between two looks
PPM_HEADER = re.compile(rb"P6\s(\d+)\s(\d+)\s255\s")
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

Picture = npt.NDArray[np.float32]
Cells = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """One picture: `cells` is (rows, columns, 4) of mean red, green, blue and of the change since the look before.

    `is_close` looks have their neighbour half a second before them; only their `motion` can be compared.
    """

    step: int
    is_close: bool
    cells: Cells
    luma: float
    shadow: float
    highlight: float
    contrast: float
    sharpness: float
    motion: float
    histogram_change: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureSignals:
    """One value a grid step in each series, taken from the nearest look; lumas run from 0 to 255.

    `luma`: mean. `shadow`, `highlight`: its 5th and 95th percentile. `contrast`: its standard deviation.
    `sharpness`: mean absolute Laplacian. `motion`: mean change since half a second ago, after the hand's sway has
    been taken out; NaN away from close looks. `histogram_change`: 0 to 1, since the look before. `gap_seconds`: from
    this step to the nearest look. `cells`: (looks, rows, columns, 4), see Look; `look_of_step` indexes it.
    """

    luma: Series
    shadow: Series
    highlight: Series
    contrast: Series
    sharpness: Series
    motion: Series
    histogram_change: Series
    gap_seconds: Series
    cells: Cells
    look_of_step: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.luma)


def look_at_key_frames(
    source: Path | str, *, cancel: threading.Event | None = None, limits: Limits = DEFAULT_LIMITS
) -> list[Look]:
    """The film's key frames, at most two a second. Raises as `media_tools.ffmpeg.read_output` does."""
    stream = open_input(source, threads=1, skip_frame="nokey")
    return list(_look(stream, start_step=0, is_close=False, cancel=cancel, limits=limits))


def look_closely(
    source: Path | str,
    *,
    start_seconds: float,
    length_seconds: float,
    cancel: threading.Event | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[Look]:
    """Every half second from `start_seconds` on. Raises as `media_tools.ffmpeg.read_output` does."""
    start_step = round(start_seconds * STEPS_PER_SECOND)
    stream = open_input(source, threads=1, seek_seconds=start_step / STEPS_PER_SECOND, length_seconds=length_seconds)
    return list(_look(stream, start_step=start_step, is_close=True, cancel=cancel, limits=limits))


def combine_looks(looks: Iterable[Look], *, duration_seconds: float) -> PictureSignals | None:
    """All looks on one grid, a close look standing before a key frame of the same step; None without any look."""
    by_step: dict[int, Look] = {}
    steps = count_steps(duration_seconds)
    shape: tuple[int, ...] | None = None
    for look in looks:
        shape = shape or look.cells.shape
        if look.cells.shape == shape and look.step < steps and (look.is_close or look.step not in by_step):
            by_step[look.step] = look
    if not by_step:
        return None
    kept = [by_step[step] for step in sorted(by_step)]
    places = np.array([look.step for look in kept])
    grid = np.arange(steps)
    after = np.clip(np.searchsorted(places, grid), 0, len(kept) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(places[before] - grid) < np.abs(places[after] - grid), before, after)

    def spread(values: list[float]) -> Series:
        return np.asarray(np.array(values, dtype=np.float64)[nearest])

    is_close = np.array([look.is_close for look in kept])[nearest] & (places[nearest] == grid)
    return PictureSignals(
        luma=spread([look.luma for look in kept]),
        shadow=spread([look.shadow for look in kept]),
        highlight=spread([look.highlight for look in kept]),
        contrast=spread([look.contrast for look in kept]),
        sharpness=spread([look.sharpness for look in kept]),
        motion=np.where(is_close, spread([look.motion for look in kept]), np.nan),
        histogram_change=np.where(places[nearest] == grid, spread([look.histogram_change for look in kept]), 0.0),
        gap_seconds=np.abs(places[nearest] - grid) / STEPS_PER_SECOND,
        cells=np.stack([look.cells for look in kept]),
        look_of_step=nearest,
    )


def _look(
    stream: Stream,
    *,
    start_step: int,
    is_close: bool,
    cancel: threading.Event | None,
    limits: Limits,
) -> Iterator[Look]:
    shown = (
        stream["V:0"]
        .filter("fps", STEPS_PER_SECOND, start_time=0)
        .filter("scale", LONG_SIDE_PX, LONG_SIDE_PX, force_original_aspect_ratio="decrease", flags="bilinear")
        .output("pipe:1", format="image2pipe", vcodec="ppm", pix_fmt="rgb24")
    )
    pieces = read_output(compile_arguments(shown), cancel=cancel, limits=limits)
    previous, repeats = b"", 0
    meter = _Meter()
    for index, (width_px, height_px, raw) in enumerate(_cut_pictures(pieces)):
        # Equal ones are what the pacing filled up to the next key frame with; a scene that does stand still shows
        # by their number.
        repeats = repeats + 1 if raw == previous else 0
        previous = raw
        if is_close or repeats % MOST_REPEATS == 0:
            frame = np.frombuffer(raw, np.uint8).reshape(height_px, width_px, 3)
            yield meter.measure(frame, step=start_step + index, is_close=is_close)


def _cut_pictures(pieces: Iterator[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Width, height and the RGB bytes of binary PPM pictures; they say their own size, so that no probe is needed."""
    buffer = bytearray()
    needed_bytes = len("P6\n100 100\n255\n")
    for piece in pieces:
        buffer += piece
        while len(buffer) >= needed_bytes:
            header = PPM_HEADER.match(buffer)
            if header is None:
                raise MediaToolFailed("FFmpeg wrote something that is not a PPM picture")
            width_px, height_px = int(header[1]), int(header[2])
            needed_bytes = header.end() + 3 * width_px * height_px
            if len(buffer) < needed_bytes:
                break
            yield width_px, height_px, bytes(buffer[header.end() : needed_bytes])
            del buffer[:needed_bytes]


class _Meter:
    """Measures one picture after another; remembers the one before."""

    def __init__(self) -> None:
        self._luma: Picture | None = None
        self._spectrum: npt.NDArray[np.complexfloating] | None = None
        self._histogram: npt.NDArray[np.float64] | None = None

    def measure(self, frame: npt.NDArray[np.uint8], *, step: int, is_close: bool) -> Look:
        height_px, width_px = (side // CELL_PX * CELL_PX for side in frame.shape[:2])
        colours = frame[:height_px, :width_px].astype(np.float32)
        luma = colours @ LUMA
        change = self._measure_change(luma)
        counts = np.histogram(luma, HISTOGRAM_BINS, (0, 256))[0] / luma.size
        histogram_change = 0.0 if self._histogram is None else float(np.abs(counts - self._histogram).sum() / 2)
        self._luma, self._histogram = luma, counts
        shadow, highlight = np.percentile(luma, [5, 95])
        inner = luma[1:-1, 1:-1]
        laplacian = 4 * inner - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
        layers = np.concatenate([colours, np.minimum(change * 4, 255)[..., None]], axis=2)
        rows, columns = height_px // CELL_PX, width_px // CELL_PX
        cells = layers.reshape(rows, CELL_PX, columns, CELL_PX, 4).mean(axis=(1, 3))
        return Look(
            step=step,
            is_close=is_close,
            cells=np.round(cells).astype(np.uint8),
            luma=float(luma.mean()),
            shadow=float(shadow),
            highlight=float(highlight),
            contrast=float(luma.std()),
            sharpness=float(np.abs(laplacian).mean()),
            motion=float(change.mean()),
            histogram_change=histogram_change,
        )

    def _measure_change(self, luma: Picture) -> Picture:
        """Absolute change since the picture before, with the hand's sway taken out; the borders count as unchanged."""
        window = np.outer(np.hanning(luma.shape[0]), np.hanning(luma.shape[1])).astype(np.float32)
        spectrum = np.fft.rfft2((luma - luma.mean()) * window)
        before, spectrum_before = self._luma, self._spectrum
        self._spectrum = spectrum
        change = np.zeros_like(luma)
        if before is None or spectrum_before is None or before.shape != luma.shape:
            return change
        cross = spectrum * np.conj(spectrum_before)
        correlation = np.fft.irfft2(cross / (np.abs(cross) + 1e-6), luma.shape)
        shift = _find_shift(correlation)
        margins = [max(1, round(FARTHEST_SHIFT * side)) for side in luma.shape]
        inside = (slice(margins[0], -margins[0]), slice(margins[1], -margins[1]))
        plain = np.abs(luma - before)[inside]
        steadied = np.abs(luma - np.roll(before, shift, (0, 1)))[inside]
        change[inside] = steadied if steadied.mean() < plain.mean() else plain
        return change


def _find_shift(correlation: npt.NDArray[np.floating]) -> tuple[int, int]:
    """Where a phase correlation peaks, in pixels down and right; none when that is too far for a hand's sway."""
    peak = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
    shift: list[int] = []
    for place, side in zip(peak, correlation.shape, strict=True):
        moved = int(place) - side if place > side // 2 else int(place)
        if abs(moved) > FARTHEST_SHIFT * side:
            return 0, 0
        shift.append(moved)
    return shift[0], shift[1]
