"""Writes the recipe of one cook: when the cook does what, and what the heat makes of it.

One small model of the pan drives picture, sound and truth, so that they cannot disagree.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from media_tools.sample_cook.conditions import Window
from media_tools.sample_cook.truth import Event, Variant

STEPS_PER_SECOND = 10
SHORTEST_SECONDS, LONGEST_SECONDS = 60, 75
VISIBLE_SMOKE = 0.2


class PanState(NamedTuple):
    """The pan at one moment. Temperature 1.0 is right for frying; the others run from 0 to about 1.

    `egg_set`: 1 is firm. Browning of 1 is burnt. `sizzle` is an amplitude, `steam` and `smoke` are densities.
    """

    temperature: float
    sizzle: float
    egg_set: float
    egg_browning: float
    rice_browning: float
    smoke: float
    steam: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """`strength` is the temperature that the pan tends to, `slowness` stretches the way there."""

    strength: float = 1.08
    slowness: float = 1.0


FIRES = {
    Variant.BURNING: Fire(strength=1.5),
    Variant.PAN_NOT_PREHEATED: Fire(strength=0.95, slowness=1.6),
}


# From egg to rice. A hotter pan sets the egg sooner, a colder one later: only one variant waits past it.
EGG_ALONE_SECONDS = {
    Variant.EGG_OVERCOOKED_BEFORE_RICE: (18.0, 22.0),
    Variant.PAN_NOT_PREHEATED: (11.5, 13.0),
    Variant.BURNING: (3.6, 4.4),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When the cook does what, in seconds of the film."""

    chopping: Window
    flame_on_seconds: float
    oil_seconds: float
    egg_seconds: float
    egg_stirring: Window
    rice_seconds: float
    rice_stirring: Window
    greens_seconds: float
    flame_off_seconds: float
    duration_seconds: int

    def is_burning(self, seconds: float) -> bool:
        """Whether the burner is lit."""
        return self.flame_on_seconds <= seconds < self.flame_off_seconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CookRecipe:
    """One cook: its schedule, and the pan's states (rows of PanState, ten a second)."""

    variant: Variant
    seed: int
    fire: Fire
    schedule: Schedule
    states: npt.NDArray[np.float64]

    @property
    def is_crowded(self) -> bool:
        """Whether far too much rice goes in at once."""
        return self.variant is Variant.CROWDED_PAN

    def state_at(self, seconds: float) -> PanState:
        """The pan's state, between two steps in proportion."""
        position = min(max(seconds * STEPS_PER_SECOND, 0.0), len(self.states) - 1.001)
        step = int(position)
        row = self.states[step] + (self.states[step + 1] - self.states[step]) * (position - step)
        return PanState(*row.tolist())

    def curve(self, name: str) -> npt.NDArray[np.float64]:
        """One field of PanState over the whole film, `STEPS_PER_SECOND` values a second."""
        return self.states[:, PanState._fields.index(name)]

    def first_second(self, name: str, threshold: float) -> float | None:
        """When a field of PanState first reaches `threshold`, or None."""
        reached = np.flatnonzero(self.curve(name) >= threshold)
        return float(reached[0]) / STEPS_PER_SECOND if len(reached) else None

    @property
    def events(self) -> tuple[Event, ...]:
        """What happens in the film, in order."""
        plan = self.schedule
        seconds = {
            "chopping": plan.chopping[0],
            "flame_on": plan.flame_on_seconds,
            "oil_in": plan.oil_seconds,
            "egg_in": plan.egg_seconds,
            "egg_set": self.first_second("egg_set", 1.0),
            "rice_in": plan.rice_seconds,
            "greens_in": plan.greens_seconds,
            "smoke": self.first_second("smoke", VISIBLE_SMOKE),
            "flame_off": plan.flame_off_seconds,
        }
        known = [Event(round(value, 2), label) for label, value in seconds.items() if value is not None]
        return tuple(sorted(known, key=lambda event: event.seconds))

    @property
    def key_moment_seconds(self) -> float:
        """Where the mistake shows; in a good cook, where the rice joins the egg."""
        label = {
            Variant.EGG_OVERCOOKED_BEFORE_RICE: "egg_set",
            Variant.PAN_NOT_PREHEATED: "egg_in",
            Variant.BURNING: "smoke",
        }.get(self.variant, "rice_in")
        return next(event.seconds for event in self.events if event.label == label)


def write_recipe(variant: Variant, seed: int) -> CookRecipe:
    """A cook with plausible random timings; the same variant and seed give the same cook."""
    fire = FIRES.get(variant, Fire())
    schedule = _plan(variant, np.random.default_rng([seed, list(Variant).index(variant)]))
    pan = _Pan(variant, schedule, fire)
    steps = schedule.duration_seconds * STEPS_PER_SECOND + 2
    states = np.array([pan.step(step / STEPS_PER_SECOND) for step in range(steps)])
    return CookRecipe(variant=variant, seed=seed, fire=fire, schedule=schedule, states=states)


def _plan(variant: Variant, random: np.random.Generator) -> Schedule:
    preheats = variant is not Variant.PAN_NOT_PREHEATED
    chopped = 1.2 + random.uniform(4.5, 6.5)
    flame_on = chopped + random.uniform(1.4, 2.2)
    oil = flame_on + (random.uniform(4.0, 5.5) if preheats else random.uniform(1.0, 1.6))
    egg = oil + (random.uniform(6.5, 9.0) if preheats else random.uniform(1.8, 2.6))
    rice = egg + random.uniform(*EGG_ALONE_SECONDS.get(variant, (5.0, 6.5)))
    flame_off = rice + (random.uniform(27.0, 30.0) if rice < 35 else random.uniform(22.0, 24.0))
    # Burning takes both: too much fire, and a hand that stops.
    stirring_ends = rice + random.uniform(7.0, 8.0) if variant is Variant.BURNING else flame_off - 1.5
    duration = round(flame_off + random.uniform(5.0, 8.0))
    return Schedule(
        chopping=(1.2, chopped),
        flame_on_seconds=flame_on,
        oil_seconds=oil,
        egg_seconds=egg,
        egg_stirring=(egg + 2.4, min(egg + 4.4, rice - 0.4)),
        rice_seconds=rice,
        rice_stirring=(rice + 2.8, stirring_ends),
        greens_seconds=rice + random.uniform(15.0, 18.0),
        flame_off_seconds=flame_off,
        duration_seconds=min(max(duration, SHORTEST_SECONDS), LONGEST_SECONDS),
    )


class _Pan:
    """The pan, a step at a time. Constants are set by eye and ear, for a cook that takes about a minute."""

    def __init__(self, variant: Variant, schedule: Schedule, fire: Fire) -> None:
        self._variant = variant
        self._plan = schedule
        self._fire = fire
        self._temperature = self._egg_set = self._egg_browning = self._rice_browning = self._smoke = 0.0
        self._had_egg = False

    def step(self, seconds: float) -> PanState:
        """The state after one more tenth of a second."""
        egg_age, rice_age = seconds - self._plan.egg_seconds, seconds - self._plan.rice_seconds
        self._heat(seconds, egg_age, rice_age)
        self._cook_egg(egg_age, rice_age)
        if rice_age > 4:  # first its water has to go
            self._rice_browning += 0.3 / STEPS_PER_SECOND * max(0.0, self._temperature - 1.12)
        self._make_smoke(seconds, rice_age)
        heat_share = min(1.6, max(0.0, (self._temperature - 0.55) / 0.42)) ** 1.3
        sizzle = _moisture(egg_age, rice_age) * heat_share
        stewing = 0.5 if self._variant is Variant.CROWDED_PAN and rice_age > 1 else 0.0
        return PanState(
            temperature=self._temperature,
            sizzle=sizzle,
            egg_set=self._egg_set,
            egg_browning=min(1.3, self._egg_browning),
            rice_browning=min(1.2, self._rice_browning),
            smoke=self._smoke,
            steam=min(1.0, 0.8 * sizzle + stewing),
        )

    def _heat(self, seconds: float, egg_age: float, rice_age: float) -> None:
        crowded = self._variant is Variant.CROWDED_PAN
        lit = self._plan.is_burning(seconds)
        target = self._fire.strength if lit else 0.1
        lag_seconds = 5.0 * (6.0 if crowded and rice_age > 0 else self._fire.slowness) if lit else 14.0
        self._temperature += (target - self._temperature) / STEPS_PER_SECOND / lag_seconds
        if egg_age >= 0 and not self._had_egg:
            self._had_egg = True
            self._temperature -= 0.10 * min(1.0, self._temperature)
        if 0 <= rice_age < 1.5:  # the rice goes in over a second and a half
            chill = 0.48 if crowded else 0.14
            self._temperature -= chill / (1.5 * STEPS_PER_SECOND) * min(1.0, self._temperature + 0.2)

    def _cook_egg(self, egg_age: float, rice_age: float) -> None:
        if egg_age <= 0:
            return
        self._egg_set = min(1.0, self._egg_set + 0.02 * max(0.0, self._temperature - 0.3))
        if self._egg_set >= 1:
            alone = rice_age < 0
            speed = 0.115 if alone else 0.16 if self._variant is Variant.BURNING else 0.012
            self._egg_browning += speed / STEPS_PER_SECOND * max(0.0, self._temperature - 0.72)

    def _make_smoke(self, seconds: float, rice_age: float) -> None:
        if self._variant is Variant.BURNING and self._temperature > 1.16 and rice_age > 4:
            self._smoke = min(1.0, self._smoke + 0.013)
        elif not self._plan.is_burning(seconds):
            self._smoke = max(0.0, self._smoke - 0.006)


def _moisture(egg_age: float, rice_age: float) -> float:
    """How much water meets the pan: it swells as food goes in and fades as the food dries."""
    egg = min(1.0, egg_age / 0.8) * (0.38 + 0.62 * math.exp(-max(0.0, egg_age - 2) / 9)) if egg_age > 0 else 0.0
    rice = min(1.0, rice_age / 1.2) * (0.35 + 0.5 * math.exp(-rice_age / 18)) if rice_age > 0 else 0.0
    return egg + rice
