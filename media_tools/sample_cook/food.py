"""What lies in the pan: oil, egg, rice and greens, as the spatula and the heat leave them."""

import numpy as np
import numpy.typing as npt

from media_tools.sample_cook.panfloor import Field, PanFloor, find_egg_colour
from media_tools.sample_cook.particles import Particles, Stroke, scatter
from media_tools.sample_cook.pencil import Colour, Picture, mix
from media_tools.sample_cook.props import GRAIN_ANGLES, GRAIN_SHADES, GRAIN_TONES, draw_bubble, draw_grains, draw_ring
from media_tools.sample_cook.recipe import CookRecipe, PanState
from media_tools.sample_cook.stamps import StampSheet, to_picture, to_pixels

EGG_BITS, GREENS_BITS = 46, 60
USUAL_GRAINS, CROWDED_GRAINS = 760, 1300
BURNT: Colour = (112, 62, 26)


class Food:
    """Keeps the state of the particles: `move` must be called in the order of the film."""

    def __init__(self, recipe: CookRecipe, random: np.random.Generator, pan: Picture, scale: float) -> None:
        self._recipe, self._random = recipe, random
        self.floor = PanFloor(pan, scale)
        crowded = recipe.is_crowded
        grains = CROWDED_GRAINS if crowded else USUAL_GRAINS
        reach = 0.95 if crowded else 0.82
        self._egg = Particles(random, EGG_BITS, reach=0.60, landing_share=0.05, limit=0.84)
        self._rice = Particles(random, grains, reach=reach, landing_share=0.25, limit=0.95 if crowded else 0.92)
        self._greens = Particles(random, GREENS_BITS, reach=0.75, landing_share=1.0, limit=0.93)
        self._egg_sizes = random.uniform(0.75, 1.2, EGG_BITS)
        self._egg_cut = 0.0  # 0 is one sheet, 1 is small curds
        self._grain_angles = random.integers(0, GRAIN_ANGLES, grains)
        self._grain_shades = random.integers(0, len(GRAIN_SHADES), grains)
        self._grain_toast = random.uniform(0, 0.8, grains)
        self._grain_landings = np.sort(random.uniform(0, 1.8, grains))
        self._greens_landings = np.sort(random.uniform(0, 1.0, GREENS_BITS))
        self.grains = StampSheet(draw_grains(scale))
        self.rings = StampSheet([draw_ring(scale)])
        self._bubbles = StampSheet([draw_bubble(scale)])

    def move(self, now: float, elapsed_seconds: float, before: Stroke, after: Stroke) -> None:
        """Advance to `now`."""
        plan = self._recipe.schedule
        egg_age, rice_age = now - plan.egg_seconds, now - plan.rice_seconds
        if after.stirs and elapsed_seconds > 0:
            if egg_age > 0:
                self._egg.push(before, after, elapsed_seconds)
                self._egg_cut = min(1.0, self._egg_cut + 0.5 * elapsed_seconds)
            if rice_age > 0:
                self._rice.push(before, after, elapsed_seconds)
            if now > plan.greens_seconds:
                self._greens.push(before, after, elapsed_seconds)
        elif egg_age > 0 and self._egg_cut == 0:
            self._egg.spread(elapsed_seconds, 1.1)
        if 0 < rice_age < 4:
            self._rice.spread(elapsed_seconds, 0.8)

    def draw(self, now: float, drawing: int, state: PanState) -> Picture:
        """The layer to paste at `floor.corner_px` through `floor.mask`."""
        plan = self._recipe.schedule
        egg_age, rice_age = now - plan.egg_seconds, now - plan.rice_seconds
        floor = self.floor.start()
        if now > plan.oil_seconds:
            heat = min(max((state.temperature - 0.45) / 0.45, 0.0), 1.0)
            self.floor.lay_oil(floor, now - plan.oil_seconds, drawing, heat)
        if egg_age > 0:
            self._draw_egg(floor, egg_age, now, state)
        if rice_age > 0:
            self._draw_rice_bed(floor, rice_age, state)
        pixels = to_pixels(self.floor.finish(floor))
        if egg_age > 0 and state.sizzle > 0.06:
            bubbles = scatter(self._random, round(min(60, 70 * state.sizzle)), 0.92)
            self.floor.stamp(self._bubbles, pixels, bubbles, np.zeros(len(bubbles), np.intp))
        if rice_age > 0:
            self._stamp_rice(pixels, rice_age, state)
        landed = int(np.searchsorted(self._greens_landings, now - plan.greens_seconds))
        if landed:
            self.floor.stamp(self.rings, pixels, self._greens.places[:landed], np.zeros(landed, np.intp))
        return to_picture(pixels)

    def _draw_egg(self, floor: Picture, egg_age: float, now: float, state: PanState) -> None:
        poured = max(3, int(EGG_BITS * min(1.0, egg_age / 1.5)))
        growth = 0.6 + 0.4 * min(1.0, 0.25 + egg_age / 1.6)
        radii = (66 - 28 * self._egg_cut) * growth * self._egg_sizes[:poured]
        field = self.floor.raise_field(self._egg.places[:poured], radii)
        x, y = self.floor.x, self.floor.y
        raw = 1 - state.egg_set
        field += 0.06 * raw * np.sin(14 * x + 3 * now) * np.sin(15 * y - 2.6 * now)
        field += 0.07 * state.egg_set * np.sin(31 * x) * np.sin(29 * y)
        self.floor.lay_puffy(floor, field, (0.50, 0.66), find_egg_tones(state, light_share=0.55))
        self._draw_burnt_patches(floor, field, state.egg_browning)

    def _draw_burnt_patches(self, floor: Picture, field: Field, browning: float) -> None:
        if browning <= 0.08:
            return
        x, y = self.floor.x, self.floor.y
        pattern = np.sin(11 * x + 1.7) * np.sin(12 * y + 0.4) + 0.5 * np.sin(23 * x) * np.sin(21 * y)
        spots = np.clip(2.2 * (pattern - 0.9 + 1.5 * browning), 0, 1) * np.clip(6 * (field - 0.5), 0, 1)
        self.floor.lay_flat(floor, spots * min(0.85, 1.5 * browning), BURNT)

    def _draw_rice_bed(self, floor: Picture, rice_age: float, state: PanState) -> None:
        """What the grains lie on: rice too deep to tell apart, and curds of egg that peek through."""
        crowded = self._recipe.is_crowded
        landed = self._count_landed(rice_age)
        if landed < 9:
            return
        sample = self._rice.places[:landed:9]
        bed = self.floor.raise_field(sample, np.full(len(sample), 46.0 if crowded else 38.0))
        toasted = 0.7 * min(1.0, max(0.0, rice_age - 4) / 14)
        colour = mix(mix((240, 234, 214), (228, 202, 146), toasted), (96, 62, 38), min(1.0, 1.15 * state.rice_browning))
        self.floor.lay_flat(floor, np.clip(2.4 * (bed - 0.45), 0, 0.93), mix(colour, (110, 80, 40), 0.22))
        peeking = slice(0, EGG_BITS, 4 if crowded else 2)
        curds = self.floor.raise_field(self._egg.places[peeking], 30 * self._egg_sizes[peeking])
        self.floor.lay_puffy(floor, curds, (0.5, 0.7), find_egg_tones(state, light_share=0.4))

    def _stamp_rice(self, pixels: npt.NDArray[np.uint8], rice_age: float, state: PanState) -> None:
        landed = self._count_landed(rice_age)
        # Fried rice turns golden; only burning takes it further, and stewed in a full pan it stays pale.
        golden = 0.45 if self._recipe.is_crowded else 1.25
        toast = golden * min(1.0, max(0.0, rice_age - 4) / 18) + 2.6 * state.rice_browning
        tones = np.minimum(toast + self._grain_toast[:landed], len(GRAIN_TONES) - 1).astype(np.intp)
        shades, angles = self._grain_shades[:landed], self._grain_angles[:landed]
        which = (tones * len(GRAIN_SHADES) + shades) * GRAIN_ANGLES + angles
        places = self._rice.places[:landed] + self._random.normal(0, 0.004 * state.sizzle, (landed, 2))
        from_back = np.argsort(places[:, 1])
        self.floor.stamp(self.grains, pixels, places[from_back], which[from_back])

    def _count_landed(self, rice_age: float) -> int:
        return int(np.searchsorted(self._grain_landings, rice_age))


def find_egg_tones(state: PanState, *, light_share: float) -> tuple[Colour, Colour, Colour]:
    """Shadow, colour and light of the egg."""
    colour = find_egg_colour(state.egg_set, state.egg_browning)
    browned = min(1.0, state.egg_browning)
    shadow = mix(colour, (120, 62, 14), 0.42 + 0.3 * browned)
    return shadow, colour, mix(colour, (255, 252, 226), light_share * (1 - browned))
