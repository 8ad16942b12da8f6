"""The board: spring onions are cut into rings, and the rings are swept into their bowl."""

import math

import numpy as np

from media_tools.sample_cook.conditions import Window
from media_tools.sample_cook.kitchen import Palette
from media_tools.sample_cook.pencil import Pencil, Picture, Point, ease, ease_between, mix, paste
from media_tools.sample_cook.pouring import stamp_on
from media_tools.sample_cook.props import draw_knife
from media_tools.sample_cook.shadow import Shadows
from media_tools.sample_cook.stamps import StampSheet

RINGS = 60
STALKS = 3
LEFT, UNCUT_WIDTH = 110, 200
CUT_SECONDS = 0.275
SWEEP_SECONDS = 0.8
SWEEP_STARTS_SECONDS = 0.3  # after the last cut


class Worktop:
    """Chopping within `window`; `swept_seconds` is when the bowl is full."""

    def __init__(
        self, window: Window, bowl_middle: Point, *, palette: Palette, rings: StampSheet, shadows: Shadows, scale: float
    ) -> None:
        self._start, self._end = window
        self._bowl_middle = bowl_middle
        self._rings, self._shadows, self._scale = rings, shadows, scale
        self._knife = draw_knife(scale, palette)
        random = np.random.default_rng(37)
        order = np.arange(RINGS) / RINGS
        self._ring_x = LEFT + UNCUT_WIDTH * (1.1 - order) + random.uniform(-6, 14, RINGS)
        self._ring_y = 548 + random.uniform(0, 46, RINGS)

    @property
    def swept_seconds(self) -> float:
        """When the last ring has reached the bowl."""
        return self._end + SWEEP_STARTS_SECONDS + SWEEP_SECONDS

    def draw(self, canvas: Picture, now: float) -> None:
        """Stalks, rings and knife, as far as they are there."""
        if now > self.swept_seconds + 1:
            return
        done = min(max((now - self._start) / (self._end - self._start), 0.0), 1.0)
        edge = LEFT + UNCUT_WIDTH * (1 - done)
        if done < 1:
            self._draw_stalks(canvas, edge)
        if now < self.swept_seconds:
            self._draw_rings(canvas, now, done)
        self._draw_knife(canvas, now, done, edge)

    def _draw_stalks(self, canvas: Picture, edge: float) -> None:
        pencil = Pencil(canvas, self._scale)
        for stalk in range(STALKS):
            top = 548 + 16.5 * stalk
            green = mix((70, 150, 66), (104, 184, 84), stalk / 2)
            pencil.box((90, top), (edge + 18, top + 13), green, radius=6)
            pencil.box((90, top), (124, top + 13), (226, 236, 198), radius=6)

    def _draw_rings(self, canvas: Picture, now: float, done: float) -> None:
        count = int(done * RINGS)
        if not count:
            return
        # The rings nearest to the bowl leave the board first.
        delay = np.linspace(0, 0.35, RINGS)[:count]
        position = np.clip((now - self._end - SWEEP_STARTS_SECONDS - delay) / (SWEEP_SECONDS - 0.35), 0, 1)
        swept = position * position * (3 - 2 * position)
        x = self._ring_x[:count] * (1 - swept) + self._bowl_middle[0] * swept
        y = self._ring_y[:count] * (1 - swept) + self._bowl_middle[1] * swept - 30 * np.sin(np.pi * swept)
        stamp_on(canvas, self._rings, x, y, np.zeros(count, np.intp), scale=self._scale)

    def _draw_knife(self, canvas: Picture, now: float, done: float, edge: float) -> None:
        shown = ease_between(now, self._start - 0.9, self.swept_seconds - 0.4, 0.8)
        if shown <= 0.01:
            return
        lift = 26 * abs(math.sin(math.pi * (now - self._start) / CUT_SECONDS)) if 0 < done < 1 else 20
        sweep = ease((now - self._end - SWEEP_STARTS_SECONDS) / SWEEP_SECONDS)
        x, y = edge + 6 + 0.2 * lift + 60 * sweep, 470 - lift - 90 * sweep + 420 * (1 - shown)
        self._shadows.lay(canvas, x - 18, y + 30, width=120, height=190)
        paste(canvas, self._knife, x, y, self._scale)
