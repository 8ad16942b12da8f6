"""The cook as a moving picture: one call a drawing, in the order of the film."""

import numpy as np

from media_tools.sample_cook.air import Air
from media_tools.sample_cook.food import Food
from media_tools.sample_cook.kitchen import FLOOR_X, FLOOR_Y, PAN, Palette, Stove, choose_palette, draw_pan
from media_tools.sample_cook.particles import follow_spatula
from media_tools.sample_cook.pencil import Picture, Point, ease_between, paste
from media_tools.sample_cook.pouring import Bowl, GrainStream, LiquidStream, OilBottle, Pourer
from media_tools.sample_cook.props import (
    BOWL_SIZE,
    EGG_YELLOW,
    GRAIN_ANGLES,
    GRAIN_SHADES,
    SPATULA_HEAD,
    draw_bowl,
    draw_spatula,
)
from media_tools.sample_cook.recipe import CookRecipe
from media_tools.sample_cook.shadow import Shadows
from media_tools.sample_cook.worktop import Worktop

EGG_HOME: Point = (66, 116)
RICE_HOME: Point = (250, 160)
GREENS_HOME: Point = (92, 300)
USUAL_FIRE = 1.08


class CookScene:
    """Draws a recipe. It keeps state, so `draw` must be called with rising seconds."""

    def __init__(self, recipe: CookRecipe, scale: float) -> None:
        self._recipe, self._scale = recipe, scale
        palette = choose_palette(recipe.seed)
        random = np.random.default_rng([recipe.seed, 3])
        pan = draw_pan(scale)
        # Only the fire that is too strong looks it at first glance; the others differ as real flames do.
        flame_height = 1 + 0.8 * (recipe.fire.strength - USUAL_FIRE)
        self._stove = Stove(scale, palette, flame_height=flame_height, vessel=pan)
        self._food = Food(recipe, random, pan, scale)
        self._air = Air(random, scale)
        self._shadows = Shadows(scale)
        bowl_middle = GREENS_HOME[0] + BOWL_SIZE / 2, GREENS_HOME[1] + BOWL_SIZE / 2
        self._worktop = Worktop(
            recipe.schedule.chopping,
            bowl_middle,
            palette=palette,
            rings=self._food.rings,
            shadows=self._shadows,
            scale=scale,
        )
        self._pourer = Pourer(self._set_out_bowls(palette, random), palette, self._shadows, scale)
        self._bottle = OilBottle(recipe.schedule.oil_seconds, scale)
        self._spatula = draw_spatula(scale, palette)
        self._now = 0.0
        self._stroke = follow_spatula((), 0.0)

    def _set_out_bowls(self, palette: Palette, random: np.random.Generator) -> tuple[Bowl, ...]:
        plan, scale = self._recipe.schedule, self._scale
        raw_grains = range(len(GRAIN_SHADES) * GRAIN_ANGLES)
        return (
            Bowl(
                full=draw_bowl(scale, (236, 240, 242), "liquid"),
                empty=draw_bowl(scale, (236, 240, 242), None),
                home=EGG_HOME,
                filled_seconds=0,
                pour_seconds=plan.egg_seconds,
                stream=LiquidStream(EGG_YELLOW, scale),
            ),
            Bowl(
                full=draw_bowl(scale, palette.rice_bowl, "rice"),
                empty=draw_bowl(scale, palette.rice_bowl, None),
                home=RICE_HOME,
                filled_seconds=0,
                pour_seconds=plan.rice_seconds,
                stream=GrainStream(self._food.grains, raw_grains, random, scale),
            ),
            Bowl(
                full=draw_bowl(scale, palette.greens_bowl, "greens"),
                empty=draw_bowl(scale, palette.greens_bowl, None),
                home=GREENS_HOME,
                filled_seconds=self._worktop.swept_seconds,
                pour_seconds=plan.greens_seconds,
                stream=GrainStream(self._food.rings, [0], random, scale),
            ),
        )

    def draw(self, now: float, drawing: int) -> Picture:
        """The whole canvas at `now`; `drawing` counts the drawings and turns the loops of flame and oil."""
        plan = self._recipe.schedule
        elapsed_seconds, self._now = max(0.0, now - self._now), now
        before, self._stroke = self._stroke, follow_spatula((plan.egg_stirring, plan.rice_stirring), now)
        state = self._recipe.state_at(now)
        self._food.move(now, elapsed_seconds, before, self._stroke)
        self._air.move(now, elapsed_seconds, state)
        flame = ease_between(now, plan.flame_on_seconds, plan.flame_off_seconds, 0.3)
        canvas = self._stove.draw(drawing, flame)
        if now > plan.oil_seconds:
            canvas.paste(self._food.draw(now, drawing, state), self._food.floor.corner_px, self._food.floor.mask)
        self._worktop.draw(canvas, now)
        self._bottle.draw(canvas, now)
        self._draw_spatula(canvas)
        self._pourer.draw(canvas, now)
        return self._air.draw(canvas, now, state)

    def _draw_spatula(self, canvas: Picture) -> None:
        if self._stroke.y > 2.2:
            return
        x, y = PAN[0] + self._stroke.x * FLOOR_X, PAN[1] + self._stroke.y * FLOOR_Y
        self._shadows.lay(canvas, x - 60, y - 30, width=150, height=130)
        paste(canvas, self._spatula, x - SPATULA_HEAD[0], y - SPATULA_HEAD[1], self._scale)
