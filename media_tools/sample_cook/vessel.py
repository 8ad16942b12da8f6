"""Scenes without a cook in a pan: rice washed under the tap, water coming to the boil, eggs beaten, a cold pan.

They tempt a judge on purpose: something pale or yellow goes in while flat noise rises, and nothing is fried.
"""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from media_tools.sample_cook.air import Air
from media_tools.sample_cook.conditions import Window
from media_tools.sample_cook.kitchen import FLOOR_X, FLOOR_Y, PAN, Palette, Stove, choose_palette, draw_pan
from media_tools.sample_cook.panfloor import PanFloor, find_egg_colour
from media_tools.sample_cook.particles import Particles, follow_spatula, scatter
from media_tools.sample_cook.pencil import (
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    Colour,
    Pencil,
    Picture,
    Point,
    draw_layer,
    draw_sprite,
    ease_between,
    mix,
    paste,
)
from media_tools.sample_cook.pouring import Bowl, GrainStream, LiquidStream, Pourer
from media_tools.sample_cook.props import (
    EGG_YELLOW,
    GRAIN_ANGLES,
    GRAIN_SHADES,
    SPATULA_HEAD,
    draw_bowl,
    draw_bubble,
    draw_grains,
    draw_spatula,
)
from media_tools.sample_cook.recipe import PanState
from media_tools.sample_cook.shadow import Shadows
from media_tools.sample_cook.stamps import StampSheet, to_picture, to_pixels

GRAINS = 620
YOLKS = 26
BOWL_HOME: Point = (250, 160)
STEEL: Colour = (186, 193, 198)
WATER: Colour = (150, 182, 200)
NEVER: Window = (math.inf, math.inf)


class Vessel(Enum):
    """What stands where the pan would."""

    SINK = "sink"
    POT = "pot"
    MIXING_BOWL = "mixing bowl"
    COLD_PAN = "cold pan"


@dataclass(frozen=True, slots=True, kw_only=True)
class VesselPlan:
    """What happens: `pour_seconds` is when rice (or, in a mixing bowl, egg) goes in; `running` is tap or flame.

    `vigour` of the boil: 0 to 1, ten values a second; empty where nothing boils.
    """

    vessel: Vessel
    duration_seconds: int
    stirring: tuple[Window, ...]
    pour_seconds: float = math.inf
    running: Window = NEVER
    vigour: tuple[float, ...] = ()

    def vigour_at(self, seconds: float) -> float:
        """How hard it boils."""
        if not self.vigour:
            return 0.0
        return float(np.interp(seconds * 10, np.arange(len(self.vigour)), self.vigour))


class VesselScene:
    """Draws a plan. It keeps state, so `draw` must be called with rising seconds."""

    def __init__(self, plan: VesselPlan, seed: int, scale: float) -> None:
        self._plan, self._scale = plan, scale
        palette = choose_palette(seed)
        self._random = np.random.default_rng([seed, 23])
        body = draw_vessel(plan.vessel, scale)
        self._stove = Stove(scale, palette, flame_height=1.0, vessel=body)
        self._floor = PanFloor(body, scale)
        self._rice = Particles(self._random, GRAINS, reach=0.8, landing_share=0.3, limit=0.9)
        self._egg = Particles(self._random, YOLKS, reach=0.55, landing_share=0.1, limit=0.8)
        self._which = self._random.integers(0, len(GRAIN_SHADES) * GRAIN_ANGLES, GRAINS)
        self._grains = StampSheet(draw_grains(scale))
        self._bubbles = StampSheet([draw_bubble(scale)])
        self._shadows = Shadows(scale)
        self._air = Air(self._random, scale)
        self._pourer = Pourer(self._set_out_bowls(palette), palette, self._shadows, scale)
        self._spatula = draw_spatula(scale, palette)
        self._tap = draw_sprite(120, 200, scale, _draw_tap) if plan.vessel is Vessel.SINK else None
        self._now, self._stroke = 0.0, follow_spatula((), 0.0)

    @property
    def _holds_egg(self) -> bool:
        return self._plan.vessel is Vessel.MIXING_BOWL

    def _set_out_bowls(self, palette: Palette) -> tuple[Bowl, ...]:
        raw_grains = range(len(GRAIN_SHADES) * GRAIN_ANGLES)
        colour = (236, 240, 242) if self._holds_egg else palette.rice_bowl
        egg = LiquidStream(EGG_YELLOW, self._scale)
        rice = GrainStream(self._grains, raw_grains, self._random, self._scale)
        bowl = Bowl(
            full=draw_bowl(self._scale, colour, "liquid" if self._holds_egg else "rice"),
            empty=draw_bowl(self._scale, colour, None),
            home=BOWL_HOME,
            filled_seconds=0,
            pour_seconds=self._plan.pour_seconds,
            stream=egg if self._holds_egg else rice,
        )
        return (bowl,)

    def draw(self, now: float, drawing: int) -> Picture:
        """The whole canvas at `now`; `drawing` counts the drawings."""
        self._move(now)
        running = ease_between(now, *self._plan.running, 0.4)
        canvas = self._stove.draw(drawing, running if self._plan.vessel is Vessel.POT else 0.0)
        canvas.paste(self._draw_inside(now), self._floor.corner_px, self._floor.mask)
        if self._tap is not None:
            self._draw_water(canvas, now, running)
            paste(canvas, self._tap, PAN[0] - 60, -20, self._scale)
        if self._stroke.y < 2.2:
            x, y = PAN[0] + self._stroke.x * FLOOR_X, PAN[1] + self._stroke.y * FLOOR_Y
            self._shadows.lay(canvas, x - 60, y - 30, width=150, height=130)
            paste(canvas, self._spatula, x - SPATULA_HEAD[0], y - SPATULA_HEAD[1], self._scale)
        self._pourer.draw(canvas, now)
        return self._air.draw(canvas, now, self._steam(now))

    def _steam(self, now: float) -> PanState:
        steam = self._plan.vigour_at(now)
        return PanState(temperature=0, sizzle=0, egg_set=0, egg_browning=0, rice_browning=0, smoke=0, steam=steam)

    def _move(self, now: float) -> None:
        elapsed_seconds, self._now = max(0.0, now - self._now), now
        before, self._stroke = self._stroke, follow_spatula(self._plan.stirring, now)
        self._air.move(now, elapsed_seconds, self._steam(now))
        age = now - self._plan.pour_seconds
        if age <= 0:
            return
        food = self._egg if self._holds_egg else self._rice
        if age < 4:
            food.spread(elapsed_seconds, 0.9)
        if self._stroke.stirs and elapsed_seconds > 0:
            food.push(before, self._stroke, elapsed_seconds)

    def _draw_inside(self, now: float) -> Picture:
        floor = self._floor.start()
        wet = ease_between(now, self._plan.running[0], math.inf, 6.0) if self._plan.vessel is Vessel.SINK else 0.0
        if self._plan.vessel is Vessel.POT:
            wet = 1.0
        if wet > 0:
            ripple = 0.08 * np.sin(11 * self._floor.x + 5 * now) * np.sin(13 * self._floor.y - 4 * now)
            self._floor.lay_flat(floor, wet * (0.62 + ripple), WATER)
        age = now - self._plan.pour_seconds
        if age > 0 and self._holds_egg:
            poured = max(3, int(YOLKS * min(1.0, age / 1.5)))
            field = self._floor.raise_field(self._egg.places[:poured], np.full(poured, 88.0))
            colour = find_egg_colour(0.0, 0.0)
            tones = mix(colour, (150, 80, 10), 0.35), colour, mix(colour, (255, 252, 226), 0.5)
            self._floor.lay_puffy(floor, field, (0.4, 0.6), tones)
        pixels = to_pixels(self._floor.finish(floor))
        if age > 0 and not self._holds_egg:
            landed = int(GRAINS * min(1.0, age / 1.8))
            self._floor.stamp(self._grains, pixels, self._rice.places[:landed], self._which[:landed])
        bubbles = scatter(self._random, round(70 * self._plan.vigour_at(now)), 0.95)
        self._floor.stamp(self._bubbles, pixels, bubbles, np.zeros(len(bubbles), np.intp))
        return to_picture(pixels)

    def _draw_water(self, canvas: Picture, now: float, running: float) -> None:
        if running <= 0.05:
            return
        pencil = Pencil(canvas, self._scale)
        width = 22 * running + 2 * math.sin(23 * now)
        pencil.line([(PAN[0], 165), (PAN[0] + 2 * math.sin(17 * now), PAN[1] - 30)], (206, 224, 234), width)
        pencil.line([(PAN[0] - 3, 165), (PAN[0] - 4, PAN[1] - 34)], (238, 246, 250), width / 3)
        for ring in range(3):
            spread = (now * 1.6 + ring / 3) % 1
            grey = round(225 - 60 * spread)
            middle = (PAN[0], PAN[1] - 26)
            pencil.ellipse(
                middle, 14 + 70 * spread, 9 + 46 * spread, None, outline=(grey, grey + 8, grey + 12), width=3
            )


def draw_vessel(vessel: Vessel, scale: float) -> Picture:
    """The vessel on a transparent canvas, its floor where the pan's would be."""
    if vessel is Vessel.COLD_PAN:
        return draw_pan(scale)
    draw = {Vessel.SINK: _draw_sink, Vessel.POT: _draw_pot, Vessel.MIXING_BOWL: _draw_mixing_bowl}[vessel]
    return draw_layer(scale, (0, 0, 0, 0), draw)


def _draw_rings(pencil: Pencil, rim: Colour, wall: Colour, floor: Colour) -> None:
    for radius_x, radius_y, drop, colour in (
        (322, 276, 14, (30, 34, 38)),
        (316, 268, 4, mix(rim, (0, 0, 0), 0.35)),
        (316, 266, 0, rim),
        (303, 253, 2, wall),
        (FLOOR_X + 10, FLOOR_Y + 9, 5, mix(wall, (0, 0, 0), 0.12)),
        (FLOOR_X, FLOOR_Y, 0, floor),
    ):
        pencil.ellipse((PAN[0], PAN[1] + drop), radius_x, radius_y, (*colour, 255))
    pencil.arc(
        (PAN[0], PAN[1] + 2), 292, 243, degrees=(190, 255), fill=(*mix(wall, (255, 255, 255), 0.5), 255), width=8
    )


def _draw_sink(pencil: Pencil) -> None:
    pencil.box((494, 0), (CANVAS_WIDTH, CANVAS_HEIGHT), (168, 175, 180, 255))
    pencil.box((512, 22), (CANVAS_WIDTH - 14, CANVAS_HEIGHT - 20), (142, 150, 156, 255), radius=60)
    pencil.box((524, 36), (CANVAS_WIDTH - 26, CANVAS_HEIGHT - 30), (122, 130, 136, 255), radius=54)
    _draw_rings(pencil, (206, 211, 215), (164, 171, 177), STEEL)


def _draw_pot(pencil: Pencil) -> None:
    for side in (-1, 1):
        x = PAN[0] + side * 330
        pencil.box((x - 34, PAN[1] - 44), (x + 34, PAN[1] + 44), (44, 46, 50, 255), radius=20)
    _draw_rings(pencil, (206, 211, 215), (150, 157, 163), (150, 158, 164))


def _draw_mixing_bowl(pencil: Pencil) -> None:
    pencil.box((506, 12), (CANVAS_WIDTH, CANVAS_HEIGHT), (176, 140, 104, 255), radius=20)
    _draw_rings(pencil, (150, 178, 196), (112, 146, 170), (126, 158, 180))


def _draw_tap(pencil: Pencil) -> None:
    pencil.box((36, -60), (84, 168), (150, 158, 164), radius=22)
    pencil.box((44, -60), (58, 160), (214, 220, 224), radius=7)
    pencil.ellipse((60, 172), 30, 17, (120, 128, 134))
    pencil.ellipse((60, 172), 22, 11, (70, 78, 84))
