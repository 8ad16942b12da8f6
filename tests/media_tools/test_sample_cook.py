"""The sample cooks are what their truth says: measured on the sound and the picture that come out."""

import functools
import hashlib
import itertools
import re
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from coaching.knowledge.loader import read_catalogue
from media_tools.errors import MediaCancelled
from media_tools.facts import VideoLimits
from media_tools.probe import probe_video
from media_tools.sample_cook import (
    SMALL_FPS,
    SMALL_SIZE,
    Conditions,
    CookTruth,
    Variant,
    Verdict,
    find_memo,
    render_cook,
)
from media_tools.sample_cook.__main__ import main
from media_tools.sample_cook.camera import Camera
from media_tools.sample_cook.cook import tell_truth
from media_tools.sample_cook.film import Film, FilmShape, shoot_film
from media_tools.sample_cook.kitchen import choose_palette
from media_tools.sample_cook.noises import SAMPLE_RATE_HZ, Samples
from media_tools.sample_cook.recipe import write_recipe
from media_tools.sample_cook.scene import CookScene
from media_tools.sample_cook.sound import synthesise_cook
from tests.media_tools.sample_measures import (
    SIZZLE_HZ,
    TINY_FPS,
    TINY_SIZE,
    VOICE_HZ,
    look_at_pan,
    measure_band_db,
    measure_flatness,
    measure_powers,
    read_frames,
    read_sound,
    second_of,
    share_of_white,
    share_of_yellow,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module")
def good_film(folder: Path) -> tuple[Path, CookTruth]:
    path = folder / "good.mp4"
    return path, render_cook(Variant.GOOD, 31, path, size=SMALL_SIZE, fps=SMALL_FPS)


@pytest.fixture(scope="module")
def burning_film(folder: Path) -> tuple[Path, CookTruth]:
    path = folder / "burning.mp4"
    return path, render_cook(Variant.BURNING, 32, path, size=SMALL_SIZE, fps=SMALL_FPS)


@functools.cache
def hear(variant: Variant, seed: int, conditions: Conditions | None = None) -> tuple[Samples, CookTruth]:
    recipe, conditions = write_recipe(variant, seed), conditions or Conditions()
    return synthesise_cook(recipe, conditions), tell_truth(recipe, conditions)


class TestTruth:
    def test_the_same_seed_gives_the_same_truth_sound_and_drawings(self) -> None:
        def make(seed: int) -> tuple[CookTruth, str, str]:
            samples, truth = hear.__wrapped__(Variant.GOOD, seed)
            scene = CookScene(write_recipe(Variant.GOOD, seed), 0.125)
            drawings = b"".join(scene.draw(4.0 * step, step).tobytes() for step in range(15))
            return truth, hashlib.sha256(samples.tobytes()).hexdigest(), hashlib.sha256(drawings).hexdigest()

        first, again, other = make(7), make(7), make(8)
        assert first == again
        assert all(one != another for one, another in zip(first, other, strict=True))

    @pytest.mark.parametrize("variant", list(Variant))
    def test_a_cook_lasts_60_to_75_seconds_and_everything_happens_within_it(self, variant: Variant) -> None:
        for seed in range(20):
            truth = tell_truth(write_recipe(variant, seed), Conditions())
            assert 60 <= truth.duration_seconds <= 75
            assert all(0 < event.seconds < truth.duration_seconds - 2 for event in truth.events)
            assert [event.seconds for event in truth.events] == sorted(event.seconds for event in truth.events)
            assert truth.key_moment_seconds in {event.seconds for event in truth.events}
            order = ["chopping", "flame_on", "oil_in", "egg_in", "rice_in", "greens_in", "flame_off"]
            assert [event.label for event in truth.events if event.label in order] == order

    def test_each_flawed_variant_holds_a_mistake_of_its_own_and_the_good_one_none(self) -> None:
        truths = {variant: tell_truth(write_recipe(variant, 1), Conditions()) for variant in Variant}
        good = truths.pop(Variant.GOOD)
        assert (good.verdict, good.principle_slug, good.mistake_slug) == (Verdict.GOOD, None, None)
        assert {truth.verdict for truth in truths.values()} == {Verdict.MISTAKE}
        assert len({truth.mistake_slug for truth in truths.values()}) == len(truths)
        assert len({truth.principle_slug for truth in truths.values()}) == len(truths)

    def test_every_mistake_is_one_that_the_catalogue_knows_for_fried_rice(self) -> None:
        catalogue = read_catalogue()
        dish = next(dish for dish in catalogue.dishes if dish.slug == "fried-rice")
        known = {
            (principle.slug, mistake.slug)
            for principle in catalogue.principles
            if principle.slug in dish.principles
            for mistake in principle.mistakes
        }
        for variant in set(Variant) - {Variant.GOOD}:
            truth = tell_truth(write_recipe(variant, 1), Conditions())
            named = {(truth.principle_slug, truth.mistake_slug)}
            named |= {(mistake.principle_slug, mistake.mistake_slug) for mistake in truth.also_right}
            assert named <= known

    @pytest.mark.parametrize("variant", list(Variant))
    def test_only_the_overcooked_egg_is_firm_before_the_rice_comes(self, variant: Variant) -> None:
        for seed in range(20):
            truth = tell_truth(write_recipe(variant, seed), Conditions())
            is_firm = second_of(truth, "egg_set") < second_of(truth, "rice_in")
            assert is_firm == (variant is Variant.EGG_OVERCOOKED_BEFORE_RICE)

    def test_truth_survives_json(self) -> None:
        conditions = Conditions(speech_windows=((1.0, 2.0),), light=0.5)
        truth = tell_truth(write_recipe(Variant.CROWDED_PAN, 3), conditions)
        assert CookTruth.from_json(truth.to_json()) == truth


class TestSound:
    def test_the_sizzle_answers_the_egg_in_a_hot_pan(self) -> None:
        samples, truth = hear(Variant.GOOD, 21)
        egg = second_of(truth, "egg_in")
        before, after = (measure_band_db(samples, egg + at, egg + at + 3, SIZZLE_HZ) for at in (-3.5, 1))
        assert after - before > 15
        assert measure_flatness(samples, egg + 1, egg + 4) > 0.33

    def test_a_cold_pan_is_silent_when_the_egg_comes_and_sizzles_later(self) -> None:
        samples, truth = hear(Variant.PAN_NOT_PREHEATED, 21)
        egg, rice = second_of(truth, "egg_in"), second_of(truth, "rice_in")
        before, after = (measure_band_db(samples, egg + at, egg + at + 2.5, SIZZLE_HZ) for at in (-2.5, 1))
        assert abs(after - before) < 3
        assert measure_band_db(samples, rice + 4, rice + 8, SIZZLE_HZ) > after + 10

    def test_the_sizzle_collapses_for_6_seconds_in_a_crowded_pan_and_not_in_a_good_one(self) -> None:
        falls = {}
        for variant in (Variant.CROWDED_PAN, Variant.GOOD):
            samples, truth = hear(variant, 21)
            rice = second_of(truth, "rice_in")
            before = measure_band_db(samples, rice - 1.5, rice, SIZZLE_HZ)
            seconds = [measure_band_db(samples, rice + at, rice + at + 1, SIZZLE_HZ) for at in range(2, 9)]
            falls[variant] = before - max(seconds)
        assert falls[Variant.CROWDED_PAN] > 5
        assert falls[Variant.GOOD] < 1

    def test_gain_makes_the_recording_quieter(self) -> None:
        loud, truth = hear(Variant.GOOD, 21)
        quiet, _ = hear(Variant.GOOD, 21, Conditions(gain_db=-20))
        egg = second_of(truth, "egg_in")
        levels = [measure_band_db(samples, egg + 1, egg + 4, SIZZLE_HZ) for samples in (loud, quiet)]
        assert 18 < levels[0] - levels[1] < 21

    def test_automatic_gain_shrinks_the_difference_that_the_egg_makes(self) -> None:
        rises = []
        for conditions in (Conditions(), Conditions(automatic_gain=True)):
            samples, truth = hear(Variant.GOOD, 21, conditions)
            egg = second_of(truth, "egg_in")
            before, after = (measure_band_db(samples, egg + at, egg + at + 2, SIZZLE_HZ) for at in (-3, 5))
            rises.append(after - before)
        assert rises[1] < rises[0] - 3

    def test_a_hood_and_speech_are_heard_where_they_were_asked_for(self) -> None:
        plain, _ = hear(Variant.GOOD, 21)
        noisy, _ = hear(Variant.GOOD, 21, Conditions(hood_level=1.0))
        talking, _ = hear(Variant.GOOD, 21, Conditions(speech_windows=((8.0, 12.0),)))
        assert measure_band_db(noisy, 0, 1, SIZZLE_HZ) > measure_band_db(plain, 0, 1, SIZZLE_HZ) + 6
        voice = [float((measure_powers(samples, 8, 12, VOICE_HZ)).sum()) for samples in (plain, talking)]
        assert voice[1] > 10 * voice[0]
        assert np.array_equal(plain[: 8 * SAMPLE_RATE_HZ], talking[: 8 * SAMPLE_RATE_HZ])


class TestFilm:
    def test_a_small_film_probes_as_h264_and_aac_with_every_frame(self, good_film: tuple[Path, CookTruth]) -> None:
        path, truth = good_film
        facts = probe_video(path, VideoLimits())
        assert (facts.codec, facts.audio_codec, facts.container) == ("h264", "aac", "mp4")
        assert (facts.width_px, facts.height_px, facts.fps) == (*SMALL_SIZE, SMALL_FPS)
        assert abs(facts.duration_seconds - truth.duration_seconds) < 0.2
        assert len(read_frames(path)) == truth.duration_seconds * SMALL_FPS

    def test_the_sound_lies_under_the_picture(self, good_film: tuple[Path, CookTruth]) -> None:
        path, truth = good_film
        samples, egg = read_sound(path), second_of(truth, "egg_in")
        assert abs(len(samples) / SAMPLE_RATE_HZ - truth.duration_seconds) < 0.1
        levels = [measure_band_db(samples, egg + at, egg + at + 2, SIZZLE_HZ) for at in (-2.5, 1)]
        assert levels[1] - levels[0] > 15

    def test_egg_and_rice_can_be_seen_in_a_picture_of_160_by_90(self, good_film: tuple[Path, CookTruth]) -> None:
        path, truth = good_film
        frames, egg, rice = read_frames(path), second_of(truth, "egg_in"), second_of(truth, "rice_in")
        before, after = (look_at_pan(frames, SMALL_FPS, egg + at, egg + at + 1) for at in (-3, 2))
        assert share_of_yellow(after) > share_of_yellow(before) + 0.15
        before, after = (look_at_pan(frames, SMALL_FPS, rice + at, rice + at + 1) for at in (-2, 3.5))
        assert share_of_white(after) > share_of_white(before) + 0.15

    def test_burning_browns_the_food_and_fills_the_room_with_haze(self, burning_film: tuple[Path, CookTruth]) -> None:
        path, truth = burning_film
        frames, rice, smoke = read_frames(path), second_of(truth, "rice_in"), second_of(truth, "smoke")
        fresh = look_at_pan(frames, SMALL_FPS, rice + 3, rice + 4).mean(axis=0)
        burnt = look_at_pan(frames, SMALL_FPS, rice + 13, rice + 15).mean(axis=0)
        assert burnt.mean() < fresh.mean() - 15
        brightness = frames.mean(axis=3)
        clear, hazy = (brightness[int(at * SMALL_FPS)] for at in (smoke - 6, smoke + 8))
        assert np.percentile(hazy, 5) > np.percentile(clear, 5) + 15
        assert hazy.std() < 0.8 * clear.std()

    def test_a_hand_covers_the_lens_at_both_ends(self, good_film: tuple[Path, CookTruth]) -> None:
        brightness = read_frames(good_film[0]).mean(axis=(1, 2, 3))
        assert max(brightness[0], brightness[-1]) < 0.6 * np.median(brightness)

    def test_the_view_sways_by_whole_pixels_as_far_as_asked_for(self, tmp_path: Path) -> None:
        reaches = {}
        for jitter_px in (0.0, 8.0):
            path = tmp_path / f"{jitter_px}.mp4"
            conditions = Conditions(jitter_px=jitter_px, picture_noise=0, hand_at_lens=False)
            film = Film(scene=Wedge(), samples=None, duration_seconds=4, conditions=conditions, seed=1)
            shoot_film(film, path, FilmShape(size=(160, 90), fps=10, drawings_per_second=5))
            with av.open(str(path)) as container:
                rows = [frame.to_ndarray(format="gray")[40].astype(np.int16) for frame in container.decode(video=0)]
            # The wedge rises by Wedge.STEP a pixel, so brightness tells how far the view has moved. The first frame
            # is left out: the encoder spends fewer bits on it.
            shifts = np.array([(row - rows[1])[20:140].mean() / Wedge.STEP for row in rows[1:]])
            assert np.abs(shifts - np.rint(shifts)).max() < 0.2
            reaches[jitter_px] = float(np.ptp(shifts))
        assert reaches[0.0] < 0.2
        assert reaches[8.0] >= 2


class Wedge:
    """A scene that stands still: a wedge from dark to bright."""

    STEP = 1.2

    def draw(self, now: float, drawing: int) -> Image.Image:
        """See Scene."""
        row = 16 + self.STEP * np.arange(166)
        return Image.fromarray(np.broadcast_to(row[None, :, None], (96, 166, 3)).astype(np.uint8))


class TestCamera:
    CANVAS = Image.linear_gradient("L").resize((332, 192)).convert("RGB")

    def shoot(self, conditions: Conditions, now: float) -> npt.NDArray[np.uint8]:
        """What the camera sees of CANVAS at `now`, having filmed it since the start."""
        camera = Camera(conditions, duration_seconds=60, seed=1, palette=choose_palette(1), scale=0.25)
        seconds = np.arange(0, now, 0.5).tolist()
        for second in seconds:
            camera.shoot(self.CANVAS.copy(), second)
        return np.asarray(camera.shoot(self.CANVAS.copy(), now))

    def test_dim_light_darkens_and_automatic_exposure_makes_up_for_a_part_of_it(self) -> None:
        day, dim, metered = (
            float(self.shoot(conditions, 20).mean())
            for conditions in (Conditions(), Conditions(light=0.4), Conditions(light=0.4, automatic_exposure=True))
        )
        assert dim < 0.5 * day
        assert 1.4 * dim < metered < day

    def test_exposure_takes_its_time_after_the_hand_has_left(self) -> None:
        early, late = (float(self.shoot(Conditions(automatic_exposure=True), now).mean()) for now in (1, 8))
        assert early > late + 10

    def test_steam_on_the_lens_takes_the_contrast_for_its_while(self) -> None:
        conditions = Conditions(lens_steam_windows=((10.0, 14.0),))
        before, during, after = (float(self.shoot(conditions, now).std()) for now in (9, 13, 18))
        assert during < 0.8 * min(before, after)

    @pytest.mark.parametrize("now", [0.0, 59.9])
    def test_a_hand_covers_the_lens_at_both_ends_unless_told_otherwise(self, now: float) -> None:
        covered, clear = self.shoot(Conditions(), now), self.shoot(Conditions(hand_at_lens=False), now)
        assert covered.std() < 0.5 * clear.std()
        assert np.array_equal(clear, np.asarray(self.CANVAS))


class TestHandling:
    def test_the_command_writes_the_film_and_its_truth(self, tmp_path: Path) -> None:
        output = tmp_path / "sample.mp4"
        assert main([str(output), "--negative", "static_shot", "--seed", "5", "--fast"]) == 0
        truth = CookTruth.from_json(output.with_suffix(".json").read_text(encoding="utf-8"))
        assert (truth.variant, truth.seed) == ("static_shot", 5)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["sample.json", "sample.mp4"]

    def test_a_cancelled_render_leaves_nothing_behind(self, tmp_path: Path) -> None:
        cancel = threading.Event()
        cancel.set()
        with pytest.raises(MediaCancelled):
            render_cook(Variant.GOOD, 1, tmp_path / "film.mp4", size=TINY_SIZE, fps=TINY_FPS, cancel=cancel)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("size", "fps", "drawings_per_second"), [((300, 180), 10, 5), ((128, 72), 10, 5), ((320, 180), 10, 4)]
    )
    def test_a_shape_that_cannot_be_drawn_is_refused(
        self, size: tuple[int, int], fps: int, drawings_per_second: int, tmp_path: Path
    ) -> None:
        with pytest.raises(ValueError, match=r"16:9|divides"):
            render_cook(
                Variant.GOOD, 1, tmp_path / "x.mp4", size=size, fps=fps, drawings_per_second=drawings_per_second
            )

    @pytest.mark.parametrize(
        "settings",
        [
            {"jitter_px": 9.0},
            {"picture_noise": -1},
            {"light": 0.0},
            {"hood_level": -1.0},
            {"speech_windows": ((3, 2),)},
        ],
    )
    def test_impossible_conditions_are_refused(self, settings: dict[str, Any]) -> None:
        with pytest.raises(ValueError):
            Conditions(**settings)

    def test_every_variant_has_a_memo_of_its_own_in_japanese_that_asks_something(self) -> None:
        memos = [find_memo(variant) for variant in Variant]
        for memo in memos:
            assert re.fullmatch(r"[぀-ヿ一-鿿々ー、。]+", memo.text)
            assert memo.text.endswith(memo.question)
            assert memo.question.endswith("か。")
            assert set(memo.ratings) == {"appearance", "taste", "texture", "aroma"}
            assert all(1 <= rating <= 5 for rating in memo.ratings.values())
        assert all(one.text != other.text for one, other in itertools.combinations(memos, 2))
