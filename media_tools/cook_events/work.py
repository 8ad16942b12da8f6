"""Watches the work: where in the picture it happens, how its look changes, and whether haze rises around it.

Nothing here knows food. The work area is where most changes while it fries; its look is described by quantiles of
brightness and of two colour differences, which stay what they are while food is merely moved about, and change when
something goes in, browns or leaves.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media_tools.signals.grid import Mask, Series, count_steps, measure_rises, smooth_by_median
from media_tools.signals.picture import LUMA, PictureSignals

WORK_SHARE = 0.2
QUANTILES = tuple(range(10, 100, 10))
LOOK_SECONDS = 3.0
HAZE_TRACE = 6.0
HAZE_SECONDS = 6.0
HAZE_BEFORE_SECONDS = 20.0
NEARBY_STEPS = 60
USUAL_HIGHLIGHT = 190.0
MOST_GAIN = 4.0
COVERED_CONTRAST = 0.6  # of the film's median
COVERED_SHARPNESS = 0.6

Quantiles = npt.NDArray[np.float64]  # (steps, 3 * len(QUANTILES))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """One value a grid step; lumas and colour differences on the scale of 0 to 255.

    `area`: the cells that are watched. `brightness`: mean luma of the area. `surrounding`: that of the cells outside.
    `look_change`: how far the area's look after a step lies from that before it, beyond what the surrounding did.
    `brightening`: the same for the brightness, signed; `warming`: for red minus blue, signed. `haze`: how far shadows
    have been lifted while contrast was lost, for six seconds on end. `shadow`, `contrast`: the whole
    picture's 5th percentile and standard deviation of luma. `is_covered`: a hand or cloth lies over the lens.
    """

    area: Mask
    brightness: Series
    surrounding: Series
    look_change: Series
    brightening: Series
    warming: Series
    haze: Series
    shadow: Series
    contrast: Series
    is_covered: Mask


def watch_work(picture: PictureSignals, *, start_step: int, end_step: int) -> Work:
    """Watch where it works between the two steps; the series cover the whole film, and are 0 far from those.

    A dim film is brightened first, so that its changes count like those of a light one.
    """
    is_covered = find_covered(picture)
    area = _find_work_area(picture, start_step, end_step, is_covered)
    near = slice(max(0, start_step - NEARBY_STEPS), min(len(picture), end_step + NEARBY_STEPS))
    gain = float(np.clip(USUAL_HIGHLIGHT / max(1.0, float(np.median(picture.highlight))), 1.0, MOST_GAIN))
    colours = picture.cells[picture.look_of_step[near], :, :, :3].astype(np.float32) * np.float32(gain)
    luma = colours @ LUMA
    inside, outside = luma[:, area], luma[:, ~area]
    warmth = colours[..., 0][:, area] - colours[..., 2][:, area]
    greenness = colours[..., 1][:, area] - colours[..., 0][:, area]
    looks = [np.percentile(values, QUANTILES, axis=1).T for values in (inside, warmth, greenness)]
    window = count_steps(LOOK_SECONDS)
    # Exposure, and steam on the lens, lift the surrounding as well: only what goes beyond it is the work's own.
    lifted = _measure_lift(outside, window)
    brightness, mean_warmth = (smooth_by_median(v.mean(axis=1).astype(np.float64), 3) for v in (inside, warmth))

    def lay(values: Series) -> Series:
        whole = np.zeros(len(picture))
        whole[near] = values
        return whole

    return Work(
        area=area,
        brightness=lay(brightness),
        surrounding=lay(outside.mean(axis=1)),
        look_change=lay(_measure_look_change(np.concatenate(looks, axis=1), lifted, window, is_covered[near])),
        brightening=lay(measure_rises(brightness, window) - lifted),
        warming=lay(measure_rises(mean_warmth, window)),
        haze=lay(gain * _measure_haze(picture.shadow[near], picture.contrast[near], is_covered[near])),
        shadow=lay(gain * smooth_by_median(picture.shadow[near], 5)),
        contrast=lay(gain * smooth_by_median(picture.contrast[near], 5)),
        is_covered=is_covered,
    )


def find_covered(picture: PictureSignals) -> Mask:
    """Steps at which little is left of the usual contrast and nothing of the usual detail."""
    contrast, sharpness = float(np.median(picture.contrast)), float(np.median(picture.sharpness))
    return np.asarray(
        (picture.contrast < COVERED_CONTRAST * contrast) & (picture.sharpness < COVERED_SHARPNESS * sharpness)
    )


def _find_work_area(picture: PictureSignals, start_step: int, end_step: int, is_covered: Mask) -> Mask:
    """The fifth of the cells with the most change between the steps, where the middle of the picture counts more."""
    steps = np.arange(max(0, start_step), min(len(picture), end_step))
    looks = np.unique(picture.look_of_step[steps[~is_covered[steps]]])
    if len(looks) == 0:
        looks = np.arange(len(picture.cells))
    change = picture.cells[looks, :, :, 3].astype(np.float64).mean(axis=0)
    rows, columns = change.shape
    padded = np.pad(change, 1, mode="edge")
    smooth = sum(padded[row : row + rows, column : column + columns] for row in range(3) for column in range(3))
    down, right = np.mgrid[0:rows, 0:columns]
    away = ((right - (columns - 1) / 2) / (0.38 * columns)) ** 2 + ((down - (rows - 1) / 2) / (0.42 * rows)) ** 2
    weighted = np.asarray(smooth) * np.exp(-away)
    return np.asarray(weighted >= np.percentile(weighted, 100 * (1 - WORK_SHARE)))


def _measure_lift(cells: npt.NDArray[np.floating], window: int) -> Series:
    """Of the changes of (steps, cells) around each step their median: an arm that reaches in is over fewer cells."""
    padded = np.pad(cells.astype(np.float64), [(window, window), (0, 0)], mode="edge")
    sums = np.concatenate([np.zeros((1, cells.shape[1])), np.cumsum(padded, axis=0)])
    means = (sums[window:] - sums[:-window]) / window
    return np.asarray(np.median(means[window + 1 :] - means[: len(cells)], axis=1))


def _measure_look_change(looks: Quantiles, lifted: Series, window: int, is_covered: Mask) -> Series:
    """Mean distance between the medians of the quantiles after and before each step, beyond what the room did."""
    moved = measure_rises(np.stack([smooth_by_median(column, 3) for column in looks.T], axis=1), window)
    moved[:, : len(QUANTILES)] -= lifted[:, None]  # brightness is the first third
    near_cover = np.convolve(is_covered, np.ones(2 * window + 1), "same") > 0
    return np.where(near_cover, 0.0, np.abs(moved).mean(axis=1))


def _measure_haze(shadow: Series, contrast: Series, is_covered: Mask) -> Series:
    """Lifted shadows AND lost contrast, after against before: exposure moves both the same way, so it cancels."""
    after, before, gap = count_steps(HAZE_SECONDS), count_steps(HAZE_BEFORE_SECONDS), count_steps(2.0)
    if is_covered.all():
        return np.zeros(len(shadow))
    steps = np.arange(len(shadow))
    sides: list[Series] = []
    for series, percentile in ((shadow, 30), (contrast, 70)):
        clear = np.interp(steps, steps[~is_covered], series[~is_covered])
        padded = np.pad(smooth_by_median(clear, 5), (before, after), mode="edge")
        ahead = np.lib.stride_tricks.sliding_window_view(padded[before:], after)[: len(steps)]
        behind = np.lib.stride_tricks.sliding_window_view(padded, before - gap)[: len(steps)]
        sides.append(np.percentile(ahead, percentile, axis=1) - np.median(behind, axis=1))
    lifted, lost = sides[0], -1.2 * sides[1]
    haze = np.maximum(0.0, np.minimum(lifted, lost))
    haze[: count_steps(4.0)] = 0.0
    haze[max(0, len(haze) - after) :] = 0.0
    return haze
