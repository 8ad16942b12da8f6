"""Sounds a cook: the burner, the sizzle with its crackles, knife and spatula, and what the conditions add."""

import numpy as np

from media_tools.sample_cook.conditions import Conditions, Window
from media_tools.sample_cook.noises import (
    SAMPLE_RATE_HZ,
    Samples,
    Track,
    filter_band,
    flutter,
    level_automatically,
    make_hood,
    make_knock,
    make_noise,
    make_thump,
    record,
    stretch,
)
from media_tools.sample_cook.recipe import STEPS_PER_SECOND, CookRecipe
from media_tools.sample_cook.speech import add_speech

ROOM_LEVEL = 0.0025


def synthesise_cook(recipe: CookRecipe, conditions: Conditions) -> Samples:
    """The film's whole sound: mono at SAMPLE_RATE_HZ, exactly as long as the film."""
    plan = recipe.schedule
    random = np.random.default_rng([recipe.seed, 11])
    track = Track(plan.duration_seconds)
    track.add(0, ROOM_LEVEL * make_noise(random, track.seconds))
    add_chopping(track, random, plan.chopping)
    add_flame(track, random, (plan.flame_on_seconds, plan.flame_off_seconds))
    _add_sizzle(track, random, recipe)
    for window in (plan.egg_stirring, plan.rice_stirring):
        add_stirring(track, random, window)
    for seconds in (plan.egg_seconds - 0.2, plan.rice_seconds - 0.1):
        add_pouring(track, random, seconds)
    return finish_track(track, random, conditions)


def finish_track(track: Track, random: np.random.Generator, conditions: Conditions) -> Samples:
    """Add what the conditions say to a kitchen's sound, and record it."""
    add_speech(track, random, conditions.speech_windows)
    if conditions.hood_level:
        track.add(0, np.float32(conditions.hood_level) * make_hood(random, track.seconds))
    samples = level_automatically(track.samples) if conditions.automatic_gain else track.samples
    return record(samples, gain_db=conditions.gain_db)


def add_chopping(track: Track, random: np.random.Generator, window: Window) -> None:
    """A knife on a board, three to four times a second."""
    now, end = window
    while now < end:
        track.add(now, make_thump(random))
        now += 0.27 + random.uniform(-0.02, 0.03)


def add_flame(track: Track, random: np.random.Generator, window: Window) -> None:
    """A gas burner: the igniter's clicks, a whoosh, then a hum until it is turned off."""
    lit, off = window
    for click in range(4):
        track.add(lit - 0.6 + 0.14 * click, 0.2 * make_knock((3000.0,), 900, 0.012))
    whoosh = filter_band(make_noise(random, 0.4), 80, 350)
    track.add(lit, whoosh * stretch(0.25 * np.exp(-0.9 * np.arange(5)), 10, len(whoosh)))
    hum = filter_band(make_noise(random, off - lit + 0.2), 90, 420)
    time = np.arange(int((off - lit + 0.2) * 100) + 2) / 100
    swell = np.interp(time, [0, 0.25, off - lit - 0.1, off - lit + 0.2], [0, 1, 1, 0])
    throb = 1 + 0.15 * np.sin(2 * np.pi * 7 * time)
    track.add(lit, 0.05 * hum * stretch(swell * throb, 100, len(hum)))


def _add_sizzle(track: Track, random: np.random.Generator, recipe: CookRecipe) -> None:
    curve = recipe.curve("sizzle")
    hiss = filter_band(make_noise(random, track.seconds), 2200, 9500)
    level = stretch(curve, STEPS_PER_SECOND, len(hiss))
    track.add(0, 0.11 * hiss * level * flutter(random, len(hiss), 0.25))
    now = 0.0
    while now < track.seconds:  # drops that burst, denser the harder it fries
        strength = float(np.interp(now * STEPS_PER_SECOND, np.arange(len(curve)), curve))
        now += random.exponential(1 / (1 + 38 * strength))
        if strength > 0.03:
            crackle = make_knock((random.uniform(2500, 6500),), random.uniform(250, 900), 0.012)
            track.add(now, np.float32(random.uniform(0.04, 0.22) * min(1.0, strength)) * crackle)


def add_stirring(track: Track, random: np.random.Generator, window: Window) -> None:
    """A spatula that scrapes to and fro, and knocks against the rim."""
    start, end = window
    scrape = filter_band(make_noise(random, end - start), 900, 3600)
    strokes = np.abs(np.sin(2 * np.pi * 1.15 * np.arange(len(scrape)) / SAMPLE_RATE_HZ))
    track.add(start, (0.15 * scrape * np.clip(strokes - 0.45, 0, 1) ** 2).astype(np.float32))
    now = start
    while now < end:
        track.add(now, 0.09 * make_knock((1480.0, 2630.0), 40, 0.09))
        now += random.uniform(0.75, 1.2)


def add_pouring(track: Track, random: np.random.Generator, seconds: float) -> None:
    """The rustle of a bowl being emptied."""
    rustle = filter_band(make_noise(random, 1.2), 250, 900)
    time = np.arange(len(rustle)) / SAMPLE_RATE_HZ
    track.add(seconds, (0.05 * np.exp(-(((time - 0.5) / 0.35) ** 2)) * rustle).astype(np.float32))
