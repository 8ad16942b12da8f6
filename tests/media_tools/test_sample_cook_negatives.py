"""The negatives hold what they claim, and nothing that could honestly be told."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from media_tools.facts import VideoLimits
from media_tools.probe import probe_video
from media_tools.sample_cook import CookTruth, Negative, Variant, Verdict, render_negative
from tests.media_tools.sample_measures import (
    SIZZLE_HZ,
    TINY_FPS,
    TINY_SIZE,
    look_at_pan,
    measure_band_db,
    measure_flatness,
    read_frames,
    read_sound,
    second_of,
    share_of_yellow,
)

MakeFilm: TypeAlias = Callable[[Negative], tuple[Path, CookTruth]]


@pytest.fixture(scope="module")
def negative_film(tmp_path_factory: pytest.TempPathFactory) -> MakeFilm:
    folder = tmp_path_factory.mktemp("negatives")
    made: dict[Negative, tuple[Path, CookTruth]] = {}

    def make(kind: Negative) -> tuple[Path, CookTruth]:
        if kind not in made:
            path = folder / f"{kind}.mp4"
            made[kind] = path, render_negative(kind, 33, path, size=TINY_SIZE, fps=TINY_FPS)
        return made[kind]

    return make


@pytest.mark.parametrize("kind", list(Negative))
def test_nothing_can_be_told_from_it(kind: Negative, negative_film: MakeFilm) -> None:
    path, truth = negative_film(kind)
    assert truth.verdict is Verdict.COULD_NOT_TELL
    assert (truth.variant, truth.mistake_slug, truth.key_moment_seconds) == (kind.value, None, None)
    facts = probe_video(path, VideoLimits())
    assert facts.has_audio == (kind is not Negative.NO_TRACK)


def test_a_silent_track_holds_silence_under_a_cook_that_is_seen(negative_film: MakeFilm) -> None:
    path, truth = negative_film(Negative.SILENT_TRACK)
    assert float(np.abs(read_sound(path)).max()) < 1e-4
    assert truth.hidden_variant is Variant.GOOD
    egg = second_of(truth, "egg_in")
    assert share_of_yellow(look_at_pan(read_frames(path), TINY_FPS, egg + 2, egg + 4)) > 0.15


def test_a_static_shot_never_changes_while_a_cook_is_heard(negative_film: MakeFilm) -> None:
    path, truth = negative_film(Negative.STATIC_SHOT)
    frames = read_frames(path).astype(np.int16)
    assert float(np.abs(frames - frames[0]).mean(axis=(1, 2, 3)).max()) < 3  # what the encoder adds
    moving = read_frames(negative_film(Negative.SILENT_TRACK)[0]).astype(np.int16)
    assert float(np.abs(moving[-8] - moving[8]).mean()) > 9
    egg = second_of(truth, "egg_in")
    assert measure_flatness(read_sound(path), egg + 1, egg + 4) > 0.33


def test_a_dark_shot_shows_next_to_nothing(negative_film: MakeFilm) -> None:
    assert float(read_frames(negative_film(Negative.DARK_SHOT)[0]).mean()) < 12


@pytest.mark.parametrize(("kind", "label"), [(Negative.TAP_RUNNING, "tap_on"), (Negative.HOOD_SWITCHED_ON, "hood_on")])
def test_tap_and_hood_start_like_a_sizzle_and_sound_as_flat(
    kind: Negative, label: str, negative_film: MakeFilm
) -> None:
    path, truth = negative_film(kind)
    samples, start = read_sound(path), second_of(truth, label)
    before, after = (measure_band_db(samples, start + at, start + at + 2, SIZZLE_HZ) for at in (-2.2, 1.5))
    assert after - before > 6
    assert measure_flatness(samples, start + 1.5, start + 3.5) > 0.33


def test_boiling_water_grows_louder_without_any_egg(negative_film: MakeFilm) -> None:
    path, truth = negative_film(Negative.BOILING_WATER)
    samples, boils = read_sound(path), second_of(truth, "boiling")
    before, after = (measure_band_db(samples, boils + at, boils + at + 3, SIZZLE_HZ) for at in (-9, 6))
    assert after - before > 6
    assert share_of_yellow(look_at_pan(read_frames(path), TINY_FPS, 10, 50)) < 0.01


def test_speech_alone_is_voiced_and_not_noise(negative_film: MakeFilm) -> None:
    path, truth = negative_film(Negative.ONLY_SPEECH)
    samples, speech = read_sound(path), second_of(truth, "speech")
    assert measure_flatness(samples, speech, speech + 12) < 0.1
    assert share_of_yellow(look_at_pan(read_frames(path), TINY_FPS, 10, 50)) < 0.01
