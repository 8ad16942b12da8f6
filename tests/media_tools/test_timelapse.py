"""The intro's plan: the whole cook in the narration's length, at flat cost, and never its first and last second."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_tools.film_clock import count_frames
from media_tools.timelapse import Shot, plan_timelapse

COOKS = st.floats(3, 45 * 60)
NARRATIONS = st.floats(0.5, 180)


@given(COOKS, NARRATIONS)
def test_the_shots_fill_the_narration_to_the_frame(duration_seconds: float, narration_seconds: float) -> None:
    shots = plan_timelapse(duration_seconds, narration_seconds)
    assert sum(shot.frames for shot in shots) == count_frames(narration_seconds)
    assert all(shot.frames > 0 for shot in shots)


@given(COOKS, NARRATIONS)
def test_the_first_and_the_last_second_stay_out(duration_seconds: float, narration_seconds: float) -> None:
    for shot in plan_timelapse(duration_seconds, narration_seconds):
        assert shot.start_seconds - shot.slack_seconds >= 1 - 1e-6
        assert shot.end_seconds <= duration_seconds - 1 + 1e-6


@given(COOKS, NARRATIONS)
def test_nothing_is_slower_than_half_but_stills(duration_seconds: float, narration_seconds: float) -> None:
    for shot in plan_timelapse(duration_seconds, narration_seconds):
        assert shot.speed >= 0.5 if shot.kind == "moving" else shot.speed == 0


@given(COOKS, NARRATIONS)
def test_the_footage_that_has_to_be_decoded_does_not_grow_with_the_cook(
    duration_seconds: float, narration_seconds: float
) -> None:
    shots = plan_timelapse(duration_seconds, narration_seconds)
    assert sum(shot.source_seconds for shot in shots) <= 2.5 * count_frames(narration_seconds) / 30 + 1e-6
    assert len(shots) <= max(20, narration_seconds / 3)


@given(st.floats(60, 45 * 60), st.floats(4, 24))
def test_beats_follow_one_another_through_the_cook_without_showing_anything_twice(
    duration_seconds: float, narration_seconds: float
) -> None:
    shots = plan_timelapse(duration_seconds, narration_seconds)
    for earlier, later in pairwise(shots):
        assert later.start_seconds - later.slack_seconds >= earlier.end_seconds - 1 / 15


def test_an_hour_is_shown_in_even_beats_from_its_beginning_to_its_end() -> None:
    shots = plan_timelapse(3600, 35)
    assert len(shots) == 14
    assert {shot.frames for shot in shots} == {75}
    assert {shot.speed for shot in shots} == {1.75}
    assert shots[0].start_seconds == 1
    assert shots[-1].end_seconds == pytest.approx(3599)
    gaps = [later.start_seconds - earlier.start_seconds for earlier, later in pairwise(shots)]
    assert max(gaps) == pytest.approx(min(gaps))


def test_a_beat_may_begin_at_a_key_frame_before_it_but_the_first_may_not() -> None:
    shots = plan_timelapse(3600, 34)
    assert shots[0].slack_seconds == 0
    assert {shot.slack_seconds for shot in shots[1:]} == {10.0}


def test_a_cook_of_a_minute_is_one_continuous_timelapse() -> None:
    assert plan_timelapse(60, 29) == (Shot(kind="moving", start_seconds=1, frames=870, speed=2.0),)


def test_a_cook_shorter_than_the_narration_plays_once_at_its_own_speed_and_then_at_half() -> None:
    once, again = plan_timelapse(22, 35)
    assert (once.kind, once.start_seconds, once.frames, once.speed) == ("moving", 1, 600, 1.0)
    assert (again.kind, again.start_seconds, again.frames, again.speed) == ("moving", 1, 450, 0.5)


def test_what_remains_is_slow_zooms_over_stills_of_the_whole_cook() -> None:
    once, again, *stills = plan_timelapse(8, 34)
    assert (once.frames, again.frames) == (180, 360)
    assert {still.kind for still in stills} == {"still"}
    assert sum(still.frames for still in stills) == 34 * 30 - 540
    assert [still.start_seconds for still in stills] == pytest.approx([1.75, 3.25, 4.75, 6.25])


def test_three_seconds_of_footage_show_their_middle_second() -> None:
    shots = plan_timelapse(3, 20)
    assert [shot.frames for shot in shots[:2]] == [30, 60]
    assert all(1 <= shot.start_seconds < 2 for shot in shots)


def test_a_cook_a_little_shorter_than_the_narration_is_stretched_rather_than_followed_by_a_flash() -> None:
    (shot,) = plan_timelapse(32, 30.5)
    assert shot.speed == pytest.approx(30 / 30.5)


@given(st.floats(3, 60), st.floats(3, 180))
def test_no_still_is_a_flash(duration_seconds: float, narration_seconds: float) -> None:
    stills = [shot for shot in plan_timelapse(duration_seconds, narration_seconds) if shot.kind == "still"]
    assert all(still.frames >= 30 for still in stills)
