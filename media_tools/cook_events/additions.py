"""Finds the moments at which something goes into the pan, and how the pan's sound takes it."""

from dataclasses import dataclass
from typing import overload

import numpy as np

from media_tools.cook_events.findings import Appearance
from media_tools.cook_events.frying import Frying, FryingSpan
from media_tools.cook_events.work import HAZE_TRACE, Work
from media_tools.signals.grid import STEPS_PER_SECOND, Mask, Series, count_steps, find_peaks

# Look change with half the brightening: oil in a dark pan makes about 30, an egg 55, rice over it 20-35, greens 10.
ADDED_SCORE = 18.0
LIGHTER = 6.0
HEARD_DB = 2.0
APART_SECONDS = 3.0
BEFORE_SIZZLE_SECONDS = 25.0
SETTLED_SECONDS = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Something went in at `step`.

    `look_change`, `brightening`, `warming`: see `Work`. `jump_db`: how the sizzle changed within a few seconds.
    `lasting_db`: how it stood over the next six seconds, against before; `steady_lasting_db`: the same over the
    burner's hum; `hum_change_db`: the same of the hum itself.
    """

    step: int
    look_change: float
    brightening: float
    warming: float
    jump_db: float
    lasting_db: float
    steady_lasting_db: float
    hum_change_db: float

    @property
    def score(self) -> float:
        """How sure the picture is that something went in."""
        return score_additions(self.look_change, self.brightening)

    @property
    def seconds(self) -> float:
        return self.step / STEPS_PER_SECOND

    @property
    def appearance(self) -> Appearance:
        if self.brightening > LIGHTER and self.warming > 15:
            return Appearance.GOLDEN
        return Appearance.PALE if self.brightening > LIGHTER else Appearance.OTHER


def find_additions(frying: Frying, work: Work, span: FryingSpan, *, is_cut: Mask) -> list[Addition]:
    """Changes of the work area's look around `span` that moving the food about does not explain.

    What goes in makes a dark pan lighter or is answered by the sound; what only darkens the area is food that is
    spread, browned or taken out.
    """
    start = max(0, span.onset_step - count_steps(BEFORE_SIZZLE_SECONDS))
    counted = np.zeros(len(work.look_change), dtype=np.bool_)
    counted[start : span.end_step] = True
    near_cut = np.convolve(is_cut, np.ones(2 * count_steps(1.5) + 1), "same") > 0
    score = np.where(counted & ~near_cut, score_additions(work.look_change, work.brightening), 0.0)
    found: list[Addition] = []
    for step in find_peaks(score, threshold=ADDED_SCORE, apart_steps=count_steps(APART_SECONDS)):
        addition = _describe(frying, work, step)
        haze = work.haze[max(0, step - count_steps(3.0)) : step + count_steps(1.0)]
        if haze.max() >= HAZE_TRACE and abs(addition.jump_db) < HEARD_DB:
            continue  # steam or smoke changes the look of everything
        if addition.brightening >= LIGHTER or abs(addition.jump_db) >= 4.0:
            found.append(addition)
    return found


@overload
def score_additions(look_change: float, brightening: float) -> float: ...
@overload
def score_additions(look_change: Series, brightening: Series) -> Series: ...
def score_additions(look_change: float | Series, brightening: float | Series) -> float | Series:
    """The change of the look, and half of what grew lighter on top of it."""
    return look_change + np.maximum(0.0, brightening) / 2


def _describe(frying: Frying, work: Work, step: int) -> Addition:
    near = slice(max(0, step - 3), step + 4)
    return Addition(
        step=step,
        look_change=float(work.look_change[step]),
        brightening=_pick_largest(work.brightening[near]),
        warming=_pick_largest(work.warming[near]),
        jump_db=_pick_largest(frying.rise_db[near]),
        lasting_db=_measure_lasting(frying.sizzle_db, step),
        steady_lasting_db=_measure_lasting(frying.steady_db, step),
        hum_change_db=_measure_lasting(frying.hum_db, step),
    )


def _pick_largest(values: Series) -> float:
    return float(values[np.argmax(np.abs(values))])


def _measure_lasting(series: Series, step: int) -> float:
    """Median from one second to `SETTLED_SECONDS` after `step`, minus that of the four seconds before."""
    after = series[step + 2 : step + 2 + count_steps(SETTLED_SECONDS)]
    before = series[max(0, step - count_steps(4.0)) : max(1, step - 1)]
    return float(np.median(after) - np.median(before)) if len(after) >= 4 and len(before) else 0.0
