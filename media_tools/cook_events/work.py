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
HAZE_SECONDS = 6.0
HAZE_BEFORE_SECONDS = 20.0
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
    have been lifted while contrast was lost, for six seconds on end. `is_covered`: a hand or cloth lies over the lens.
    """

    area: Mask
    brightness: Series
    surrounding: Series
    look_change: Series
    brightening: Series
    warming: Series
    haze: Series
    is_covered: Mask


def watch_work(picture: PictureSignals, *, start_step: int, end_step: int) -> Work:
    """Watch where it works between the two steps; the series cover the whole film.

    A dim film is brightened first, so that its changes count like those of a light one.
    """
    is_covered = find_covered(picture)
    area = _find_work_area(picture, start_step, end_step, is_covered)
    gain = float(np.clip(USUAL_HIGHLIGHT / max(1.0, float(np.median(picture.highlight))), 1.0, MOST_GAIN))
    colours = picture.cells[..., :3].astype(np.float32) * np.float32(gain)
    luma = colours @ LUMA
    inside, outside = luma[:, area], luma[:, ~area]
    warmth = colours[..., 0][:, area] - colours[..., 2][:, area]
    greenness = colours[..., 1][:, area] - colours[..., 0][:, area]
    parts = [np.percentile(values, QUANTILES, axis=1).T for values in (inside, warmth, greenness)]
    looks = np.concatenate(parts, axis=1)[picture.look_of_step]

    def spread(values: npt.NDArray[np.floating]) -> Series:
        return np.asarray(values.mean(axis=1)[picture.look_of_step], dtype=np.float64)

    brightness, mean_warmth, surrounding = spread(inside), spread(warmth), spread(outside)
    window = count_steps(LOOK_SECONDS)
    # Exposure, and steam on the lens, lift the surrounding as well: only what goes beyond it is the work's own.
    lifted = measure_rises(smooth_by_median(surrounding, 3), window)
    look_change = _measure_look_change(looks, window, is_covered)
    return Work(
        area=area,
        brightness=brightness,
        surrounding=surrounding,
        look_change=np.maximum(0.0, look_change - np.abs(lifted)),
        brightening=measure_rises(smooth_by_median(brightness, 3), window) - lifted,
        warming=measure_rises(smooth_by_median(mean_warmth, 3), window),
        haze=gain * _measure_haze(picture, is_covered),
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


def _measure_look_change(looks: Quantiles, window: int, is_covered: Mask) -> Series:
    """Mean distance between the medians of the quantiles after and before each step."""
    smooth = np.stack([smooth_by_median(column, 3) for column in looks.T], axis=1)
    change = np.zeros(len(looks))
    for step in range(2, len(looks) - 2):
        around = slice(max(0, step - window), step + 1 + window)
        if is_covered[around].any():
            continue
        after = np.median(smooth[step + 1 : step + 1 + window], axis=0)
        before = np.median(smooth[max(0, step - window) : step], axis=0)
        change[step] = np.abs(after - before).mean()
    return change


def _measure_haze(picture: PictureSignals, is_covered: Mask) -> Series:
    """Lifted shadows AND lost contrast, after against before: exposure moves both the same way, so it cancels."""
    shadow, contrast = smooth_by_median(picture.shadow, 5), smooth_by_median(picture.contrast, 5)
    after_steps, before_steps = count_steps(HAZE_SECONDS), count_steps(HAZE_BEFORE_SECONDS)
    haze = np.zeros(len(picture))
    for step in range(count_steps(4.0), len(picture) - after_steps):
        after = slice(step, step + after_steps)
        before = slice(max(0, step - before_steps), step - count_steps(2.0))
        clear = ~is_covered[before]
        if is_covered[after].any() or clear.sum() < 4:
            continue
        lifted = np.percentile(shadow[after], 30) - np.median(shadow[before][clear])
        lost = np.median(contrast[before][clear]) - np.percentile(contrast[after], 70)
        haze[step] = max(0.0, min(lifted, 1.2 * lost))
    return haze
