"""Films from which nothing can honestly be told about frying, each with its truth."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from media_tools.sample_cook.conditions import Conditions
from media_tools.sample_cook.cook import film_cook
from media_tools.sample_cook.film import Film, FilmShape
from media_tools.sample_cook.noises import (
    SAMPLE_RATE_HZ,
    Samples,
    Track,
    make_boiling,
    make_hood,
    make_noise,
    make_tap_water,
    stretch,
)
from media_tools.sample_cook.sound import (
    ROOM_LEVEL,
    add_chopping,
    add_flame,
    add_pouring,
    add_stirring,
    finish_track,
)
from media_tools.sample_cook.truth import CookTruth, Event, Negative, Variant, Verdict
from media_tools.sample_cook.vessel import Vessel, VesselPlan, VesselScene

SECONDS = 60
HIDES_A_COOK = frozenset({Negative.SILENT_TRACK, Negative.NO_TRACK, Negative.STATIC_SHOT, Negative.DARK_SHOT})
DARKNESS = 0.05


def film_negative(
    kind: Negative, seed: int, shape: FilmShape, conditions: Conditions, hidden_variant: Variant
) -> tuple[Film, CookTruth]:
    """The negative of this kind and seed; `hidden_variant` counts for the kinds in HIDES_A_COOK only."""
    if kind in HIDES_A_COOK:
        return _hide_cook(kind, seed, shape, conditions, hidden_variant)
    random = np.random.default_rng([seed, list(Negative).index(kind), 41])
    track = Track(SECONDS)
    track.add(0, ROOM_LEVEL * make_noise(random, track.seconds))
    stage = _STAGES[kind](random, track, conditions)
    film = Film(
        scene=VesselScene(stage.plan, seed, shape.scale),
        samples=finish_track(track, random, stage.conditions),
        duration_seconds=SECONDS,
        conditions=stage.conditions,
        seed=seed,
    )
    truth = CookTruth(
        variant=kind.value,
        seed=seed,
        verdict=Verdict.COULD_NOT_TELL,
        duration_seconds=float(SECONDS),
        events=tuple(Event(round(seconds, 2), label) for label, seconds in stage.events),
        principle_slug=None,
        mistake_slug=None,
        also_right=(),
        key_moment_seconds=None,
        hidden_variant=None,
        conditions=stage.conditions.describe(),
    )
    return film, truth


def _hide_cook(
    kind: Negative, seed: int, shape: FilmShape, conditions: Conditions, variant: Variant
) -> tuple[Film, CookTruth]:
    if kind is Negative.DARK_SHOT:
        conditions = replace(conditions, light=DARKNESS, picture_noise=max(6, conditions.picture_noise))
    if kind is Negative.STATIC_SHOT:
        conditions = replace(conditions, jitter_px=0, picture_noise=0, hand_at_lens=False)
    film, truth = film_cook(variant, seed, shape, conditions)
    if kind is Negative.NO_TRACK:
        film = replace(film, samples=None)
    if kind is Negative.SILENT_TRACK:
        film = replace(film, samples=np.zeros(film.duration_seconds * SAMPLE_RATE_HZ, np.float32))
    if kind is Negative.STATIC_SHOT:
        film = replace(film, stands_still=True)
    truth = replace(
        truth,
        variant=kind.value,
        verdict=Verdict.COULD_NOT_TELL,
        principle_slug=None,
        mistake_slug=None,
        also_right=(),
        key_moment_seconds=None,
        hidden_variant=variant,
    )
    return film, truth


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """One negative's picture, its events in order, and its conditions; its sound is already on the track."""

    plan: VesselPlan
    events: tuple[tuple[str, float], ...]
    conditions: Conditions


def _stage_tap(random: np.random.Generator, track: Track, conditions: Conditions) -> _Stage:
    """Rice is washed: the tap comes on as loud as a sizzle, something white goes in, a hand stirs."""
    on, off = random.uniform(12, 16), random.uniform(44, 48)
    pour = on + random.uniform(5, 7)
    water = make_tap_water(random, off - on + 0.5)
    track.add(on, water * _ramp(len(water), rise_seconds=0.4, fall_seconds=0.5))
    add_pouring(track, random, pour)
    plan = VesselPlan(
        vessel=Vessel.SINK,
        duration_seconds=SECONDS,
        stirring=((pour + 3.5, off - 3),),
        pour_seconds=pour,
        running=(on, off),
    )
    return _Stage(plan=plan, events=(("tap_on", on), ("rice_in", pour), ("tap_off", off)), conditions=conditions)


def _stage_hood(random: np.random.Generator, track: Track, conditions: Conditions) -> _Stage:
    """Eggs are beaten: something yellow goes in, and a range hood is switched on soon after."""
    pour = random.uniform(12, 15)
    on, off = pour + random.uniform(0.5, 3), random.uniform(48, 54)
    beating = (pour + 3.5, random.uniform(38, 44))
    hood = np.float32(2.5) * make_hood(random, off - on + 1.5)
    track.add(on, hood * _ramp(len(hood), rise_seconds=1.2, fall_seconds=1.5))
    add_pouring(track, random, pour)
    add_stirring(track, random, beating)
    plan = VesselPlan(vessel=Vessel.MIXING_BOWL, duration_seconds=SECONDS, stirring=(beating,), pour_seconds=pour)
    return _Stage(plan=plan, events=(("egg_in", pour), ("hood_on", on), ("hood_off", off)), conditions=conditions)


def _stage_boiling(random: np.random.Generator, track: Track, conditions: Conditions) -> _Stage:
    """Water comes to the boil over a flame, rice goes in, it boils on."""
    on, off = random.uniform(3, 5), random.uniform(52, 55)
    pour = random.uniform(30, 34)
    seconds = np.arange(SECONDS * 10 + 1) / 10
    corners = [on + 6, on + 18, pour, pour + 1.5, pour + 8, off, off + 3]
    vigour = np.interp(seconds, corners, [0.0, 0.85, 1.0, 0.45, 1.0, 1.0, 0.0])
    track.add(0, make_boiling(random, SECONDS, vigour))
    add_flame(track, random, (on, off))
    add_pouring(track, random, pour)
    plan = VesselPlan(
        vessel=Vessel.POT,
        duration_seconds=SECONDS,
        stirring=((pour + 4, pour + 9),),
        pour_seconds=pour,
        running=(on, off),
        vigour=tuple(vigour.tolist()),
    )
    boils = float(seconds[np.argmax(vigour > 0.5)])
    events = (("flame_on", on), ("boiling", boils), ("rice_in", pour), ("flame_off", off))
    return _Stage(plan=plan, events=events, conditions=conditions)


def _stage_speech(random: np.random.Generator, track: Track, conditions: Conditions) -> _Stage:
    """Somebody talks over a cold pan, cuts something and waves a spatula about."""
    begins = random.uniform(1.5, 3)
    chopping = (random.uniform(20, 23), random.uniform(26, 29))
    add_chopping(track, random, chopping)
    plan = VesselPlan(vessel=Vessel.COLD_PAN, duration_seconds=SECONDS, stirring=((34, 41),))
    talking = ((begins, 19.0), (30.0, 57.0))
    conditions = replace(conditions, speech_windows=(*conditions.speech_windows, *talking))
    return _Stage(plan=plan, events=(("speech", begins), ("chopping", chopping[0])), conditions=conditions)


_STAGES: dict[Negative, Callable[[np.random.Generator, Track, Conditions], _Stage]] = {
    Negative.TAP_RUNNING: _stage_tap,
    Negative.HOOD_SWITCHED_ON: _stage_hood,
    Negative.BOILING_WATER: _stage_boiling,
    Negative.ONLY_SPEECH: _stage_speech,
}


def _ramp(sample_count: int, *, rise_seconds: float, fall_seconds: float) -> Samples:
    """From 0 up to 1, and down to 0 at the end."""
    seconds = sample_count / SAMPLE_RATE_HZ
    corners = [0, rise_seconds, seconds - fall_seconds, seconds]
    points = np.interp(np.arange(int(seconds * 20) + 2) / 20, corners, [0, 1, 1, 0])
    return stretch(points, 20, sample_count)
