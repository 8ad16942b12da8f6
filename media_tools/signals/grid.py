"""The time grid of all signals, and the few running statistics that their readers share."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

STEP_SECONDS = 0.5
STEPS_PER_SECOND = 2

Series: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]


def count_steps(seconds: float) -> int:
    """How many grid steps `seconds` are, rounded, at least one."""
    return max(1, round(seconds * STEPS_PER_SECOND))


def smooth_by_median(series: Series, steps: int) -> Series:
    """Running median over an odd number of steps; the ends are held."""
    if len(series) == 0:
        return series
    half = steps // 2
    padded = np.pad(series, half, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=-1))


def find_base(series: Series, steps: int, percentile: float) -> Series:
    """Running low percentile over an odd number of steps; the ends are held."""
    if len(series) == 0:
        return series
    half = steps // 2
    padded = np.pad(series, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    return np.asarray(np.percentile(windows, percentile, axis=-1))


def measure_rises(series: Series, steps: int) -> Series:
    """At every step: the median of the `steps` values after it minus that of the `steps` values before it.

    Works along the first axis; the step itself is in neither, and the ends are held.
    """
    if len(series) == 0:
        return series
    padded = np.pad(series, [(steps, steps)] + [(0, 0)] * (series.ndim - 1), mode="edge")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, steps, axis=0), axis=-1)
    return np.asarray(medians[steps + 1 :] - medians[: len(series)])


def find_peaks(series: Series, *, threshold: float, apart_steps: int) -> list[int]:
    """Steps of the local maxima of at least `threshold`, the stronger first kept, in order of time."""
    kept: list[int] = []
    for index in np.argsort(-series, kind="stable").tolist():
        if not series[index] >= threshold:  # NaN ends it too
            break
        if all(abs(index - other) > apart_steps for other in kept):
            kept.append(index)
    return sorted(kept)


def find_spans(mask: Mask, *, bridge_steps: int) -> list[tuple[int, int]]:
    """Half-open ranges of steps where `mask` holds, joined over gaps of up to `bridge_steps`."""
    spans: list[tuple[int, int]] = []
    for index in np.flatnonzero(mask).tolist():
        if spans and index - spans[-1][1] <= bridge_steps:
            spans[-1] = (spans[-1][0], index + 1)
        else:
            spans.append((index, index + 1))
    return spans
