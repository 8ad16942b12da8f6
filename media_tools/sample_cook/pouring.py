"""Pouring: a bowl is carried from the counter to the pan, emptied and put back; oil comes from a bottle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from media_tools.sample_cook.kitchen import PAN, Palette
from media_tools.sample_cook.pencil import Colour, Pencil, Picture, Point, ease_between, mix, paste
from media_tools.sample_cook.props import ARM_HAND, BOTTLE_MOUTH, draw_arm, draw_bottle, draw_thumb
from media_tools.sample_cook.shadow import Shadows
from media_tools.sample_cook.stamps import StampSheet, to_picture, to_pixels

POUR_SECONDS = 1.75
POUR_PLACE: Point = (PAN[0] - 250, PAN[1] - 235)  # the bowl's corner while it pours
LANDING: Point = (PAN[0] - 40, PAN[1] - 20)
HAND_ON_BOWL: Point = (34, 122)  # from the bowl's corner
TILT_DEGREES = -28
FALLING_BITS = 46


class Stream(Protocol):
    """What falls from a bowl."""

    def draw(self, canvas: Picture, start: Point, end: Point, age_seconds: float) -> None:
        """Draw it falling from `start` to `end`, that long after it began."""


@dataclass(frozen=True, slots=True)
class LiquidStream:
    """A thin band that swings a little."""

    colour: Colour
    scale: float

    def draw(self, canvas: Picture, start: Point, end: Point, age_seconds: float) -> None:
        """See Stream."""
        width = 16 * min(1.0, 4 * (age_seconds + 0.2), 3 * (POUR_SECONDS + 0.05 - age_seconds))
        points = [
            (
                start[0] + (end[0] - start[0]) * share + 3 * math.sin(17 * age_seconds + 9 * share),
                start[1] + (end[1] - start[1]) * share - 40 * share * (1 - share),
            )
            for share in np.linspace(0, 1, 9).tolist()
        ]
        pencil = Pencil(canvas, self.scale)
        pencil.line(points, mix(self.colour, (150, 80, 0), 0.25), max(2.0, width) + 5)
        pencil.line(points, self.colour, max(2.0, width))


@dataclass(frozen=True, slots=True)
class GrainStream:
    """Loose bits; `which` are the sheet's stamps to choose from."""

    sheet: StampSheet
    which: Sequence[int]
    random: np.random.Generator
    scale: float

    def draw(self, canvas: Picture, start: Point, end: Point, age_seconds: float) -> None:
        """See Stream."""
        fallen = (np.arange(FALLING_BITS) / FALLING_BITS + 2.3 * age_seconds) % 1
        x = start[0] + (end[0] - start[0]) * fallen + self.random.normal(0, 10 + 16 * fallen)
        y = start[1] + (end[1] - start[1]) * fallen + self.random.normal(0, 7 + 14 * fallen)
        stamp_on(canvas, self.sheet, x, y, self.random.choice(self.which, FALLING_BITS), scale=self.scale)


def stamp_on(
    canvas: Picture,
    sheet: StampSheet,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    which: npt.NDArray[np.integer],
    *,
    scale: float,
) -> None:
    """Stamp onto a picture, places in design units; only the part around the stamps is copied."""
    x_px, y_px = x * scale, y * scale
    left, top = max(0, int(x_px.min()) - 20), max(0, int(y_px.min()) - 20)
    right, bottom = min(canvas.width, int(x_px.max()) + 20), min(canvas.height, int(y_px.max()) + 20)
    pixels = to_pixels(canvas.crop((left, top, right, bottom)))
    sheet.lay(pixels, x_px - left, y_px - top, which)
    canvas.paste(to_picture(pixels), (left, top))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bowl:
    """A bowl with its place on the counter (its corner), when it is filled, and when it pours."""

    full: Picture
    empty: Picture
    home: Point
    filled_seconds: float
    pour_seconds: float
    stream: Stream


class Pourer:
    """Draws the bowls, and the arm that carries one at a time."""

    def __init__(self, bowls: Sequence[Bowl], palette: Palette, shadows: Shadows, scale: float) -> None:
        self._bowls, self._shadows, self._scale = tuple(bowls), shadows, scale
        self._arm, self._thumb = draw_arm(scale, palette), draw_thumb(scale, palette)

    def draw(self, canvas: Picture, now: float) -> None:
        """All bowls: those at rest first, the carried one with its stream over everything."""
        held = [bowl for bowl in self._bowls if self._reach(bowl, now) > 0]
        for bowl in self._bowls:
            if bowl not in held:
                self._shadows.lay(canvas, bowl.home[0], bowl.home[1] + 14, width=180, height=160)
                paste(canvas, self._choose_look(bowl, now), *bowl.home, self._scale)
        for bowl in held:
            self._draw_held(canvas, bowl, now)

    def _reach(self, bowl: Bowl, now: float) -> float:
        """0 while the arm is away, 1 while the hand is at the bowl."""
        return ease_between(now, bowl.pour_seconds - 1.8, bowl.pour_seconds + 3.2, 0.7)

    def _draw_held(self, canvas: Picture, bowl: Bowl, now: float) -> None:
        age = now - bowl.pour_seconds
        carried = ease_between(age, -1.1, 2.2, 1.0)
        x = bowl.home[0] + (POUR_PLACE[0] - bowl.home[0]) * carried
        y = bowl.home[1] + (POUR_PLACE[1] - bowl.home[1]) * carried - 40 * math.sin(math.pi * carried)
        self._shadows.lay(canvas, x + 14 * carried, y + 14 + 38 * carried, width=190, height=160)
        away = 1 - self._reach(bowl, now)
        hand_x, hand_y = x + HAND_ON_BOWL[0] - 360 * away, y + HAND_ON_BOWL[1] + 640 * away
        paste(canvas, self._arm, hand_x - ARM_HAND[0], hand_y - ARM_HAND[1], self._scale)
        look = self._choose_look(bowl, now)
        if carried > 0.01:
            look = look.rotate(TILT_DEGREES * carried, Image.Resampling.BILINEAR)
            if -0.15 <= age < POUR_SECONDS:
                bowl.stream.draw(canvas, (x + 128, y + 104), LANDING, age)
        paste(canvas, look, x, y, self._scale)
        if away < 0.02:
            paste(canvas, self._thumb, x - 4, y + 76, self._scale)

    def _choose_look(self, bowl: Bowl, now: float) -> Picture:
        is_full = bowl.filled_seconds <= now < bowl.pour_seconds + 1.2
        return bowl.full if is_full else bowl.empty


class OilBottle:
    """The bottle that comes in from above."""

    def __init__(self, pour_seconds: float, scale: float) -> None:
        self._pour_seconds, self._scale = pour_seconds, scale
        self._bottle = draw_bottle(scale)

    def draw(self, canvas: Picture, now: float) -> None:
        """The bottle and its oil, while they are there."""
        age = now - self._pour_seconds
        if not -0.8 < age < 2.0:
            return
        lowered = ease_between(age, -0.8, 1.3, 0.7)
        x, mouth_y = PAN[0] - 60, -92 + 250 * lowered
        if 0 < age < 1.3:
            landing = (x + 3 * math.sin(20 * now), PAN[1] - 40)
            Pencil(canvas, self._scale).line([(x, mouth_y), landing], (232, 190, 80), 7)
        paste(canvas, self._bottle, x - BOTTLE_MOUTH[0], mouth_y - BOTTLE_MOUTH[1], self._scale)
