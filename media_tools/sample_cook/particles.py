"""Bits of food on the floor of the pan: where they lie, how they spread, how a spatula pushes them.

Places are in units of the floor's half axes: the rim of the floor is at distance 1 from the middle.
"""

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from media_tools.sample_cook.conditions import Window
from media_tools.sample_cook.pencil import ease

Places: TypeAlias = npt.NDArray[np.float64]  # (count, 2)

SPATULA_REACH = 0.34
RESTING_PLACE = (0.4, 2.3)
LARGEST_STEP_SECONDS = 0.07


class Stroke(NamedTuple):
    """Where the spatula is, in units of the floor, and whether it stirs."""

    x: float
    y: float
    stirs: bool


def follow_spatula(windows: tuple[Window, ...], seconds: float) -> Stroke:
    """The spatula's way: into the pan before a window of stirring, wandering loops within, out afterwards."""
    for start, end in windows:
        if start - 0.8 < seconds < end + 0.8:
            age = seconds - start
            inside = ease((age + 0.8) / 0.8) * ease((end + 0.8 - seconds) / 0.8)
            x = 0.62 * math.sin(2 * math.pi * 0.58 * age) + 0.12 * math.sin(3.1 * age)
            y = 0.50 * math.cos(2 * math.pi * 0.43 * age + 0.6)
            x, y = x * inside + 0.35 * (1 - inside), y * inside + 2.1 * (1 - inside)
            return Stroke(x, y, stirs=start <= seconds <= end)
    return Stroke(*RESTING_PLACE, stirs=False)


def scatter(random: np.random.Generator, count: int, reach: float) -> Places:
    """Random places, evenly over a disc."""
    angles = random.uniform(0, 2 * math.pi, count)
    distances = np.sqrt(random.uniform(0, 1, count)) * reach
    return np.stack([distances * np.cos(angles), distances * np.sin(angles)], axis=1)


class Particles:
    """One kind of food. It lands within `landing_reach`, spreads to `reach`, and `limit` holds it in the pan."""

    def __init__(
        self, random: np.random.Generator, count: int, *, reach: float, landing_share: float, limit: float
    ) -> None:
        self._random = random
        self._goals = scatter(random, count, reach)
        self._limit = limit
        self.places = self._goals * landing_share

    def spread(self, seconds: float, pace: float) -> None:
        """Flow towards the places where it comes to rest."""
        self.places += (self._goals - self.places) * (1 - math.exp(-pace * seconds))

    def push(self, before: Stroke, after: Stroke, seconds: float) -> None:
        """Be moved by a spatula that went from `before` to `after`."""
        steps = max(1, math.ceil(seconds / LARGEST_STEP_SECONDS))
        stride = np.array([(after.x - before.x) / steps, (after.y - before.y) / steps])
        for step in range(1, steps + 1):
            self._push_once(np.array([before.x, before.y]) + stride * step, stride)

    def _push_once(self, position: npt.NDArray[np.float64], stride: npt.NDArray[np.float64]) -> None:
        places = self.places
        away = places - position
        distance = np.hypot(away[:, 0], away[:, 1])[:, None]
        grip = np.clip(1 - distance / SPATULA_REACH, 0, 1)
        places += grip * (0.7 * stride + 0.02 * away / (distance + 0.05))
        places += grip * self._random.normal(0, 0.03, places.shape)
        radius = np.hypot(places[:, 0], places[:, 1]) + 1e-6
        # What is pushed together is tossed back: each bit drifts to where its rank would fill the pan evenly.
        rank = np.argsort(np.argsort(radius))
        wanted = np.sqrt((rank + 0.5) / len(radius)) * self._limit
        places *= (1 + 0.12 * (wanted / radius - 1))[:, None]
        radius = np.hypot(places[:, 0], places[:, 1]) + 1e-6
        places *= np.minimum(1, self._limit / radius)[:, None]
