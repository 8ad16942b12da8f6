"""The key clip's plan: the moment is seen, speech is never cut, and the file's end never fills a gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_tools.film_clock import count_frames
from media_tools.key_moment import KeyClip, plan_key_clip

COOKS = st.floats(3, 45 * 60)
MOMENTS = st.floats(-10, 46 * 60)
NARRATIONS = st.floats(0.5, 120)


@given(COOKS, MOMENTS, NARRATIONS)
def test_the_clip_is_as_long_as_the_speech_and_at_least_fifteen_seconds(
    duration_seconds: float, moment_seconds: float, narration_seconds: float
) -> None:
    clip = plan_key_clip(duration_seconds, moment_seconds, narration_seconds)
    assert clip.frames == max(450, count_frames(narration_seconds))
    assert clip.pass_frames >= 1
    assert clip.replay_frames >= 0
    assert clip.still_frames >= 0


@given(COOKS, MOMENTS, NARRATIONS)
def test_all_that_is_shown_lies_between_the_first_and_the_last_second(
    duration_seconds: float, moment_seconds: float, narration_seconds: float
) -> None:
    clip = plan_key_clip(duration_seconds, moment_seconds, narration_seconds)
    last_seconds = duration_seconds - 1 + 1e-6
    assert clip.start_seconds >= 1 - 1e-6
    assert clip.start_seconds + clip.pass_frames / 30 <= last_seconds
    assert clip.start_seconds <= clip.replay_start_seconds
    assert clip.replay_start_seconds + clip.replay_source_seconds <= last_seconds


@given(COOKS, st.floats(0, 1), NARRATIONS)
def test_the_pass_shows_the_moment(duration_seconds: float, share: float, narration_seconds: float) -> None:
    moment_seconds = 1 + share * (duration_seconds - 2 - 1 / 30)
    clip = plan_key_clip(duration_seconds, moment_seconds, narration_seconds)
    assert clip.moment_seconds == pytest.approx(moment_seconds)
    assert clip.start_seconds <= moment_seconds <= clip.start_seconds + clip.pass_frames / 30
    assert clip.moment_frame == pytest.approx((moment_seconds - clip.start_seconds) * 30, abs=1)


@given(COOKS, MOMENTS, NARRATIONS)
def test_no_piece_of_it_is_a_flash(duration_seconds: float, moment_seconds: float, narration_seconds: float) -> None:
    clip = plan_key_clip(duration_seconds, moment_seconds, narration_seconds)
    assert clip.still_frames == 0 or clip.still_frames >= 30


def test_it_starts_two_seconds_before_the_moment() -> None:
    assert plan_key_clip(60, 30, 12) == KeyClip(
        start_seconds=28,
        moment_seconds=30,
        pass_frames=450,
        replay_start_seconds=29,
        replay_frames=0,
        still_frames=0,
    )


def test_it_goes_on_as_long_as_the_narration_where_there_is_footage() -> None:
    clip = plan_key_clip(60, 20, 21.01)
    assert (clip.start_seconds, clip.pass_frames, clip.replay_frames) == (18, 631, 0)


def test_near_the_end_the_window_moves_earlier() -> None:
    clip = plan_key_clip(60, 58, 10)
    assert (clip.start_seconds, clip.pass_frames) == (44, 450)
    assert clip.moment_frame == 14 * 30


def test_what_the_footage_cannot_fill_is_a_replay_and_then_the_moment_itself() -> None:
    clip = plan_key_clip(60, 55, 24)
    assert (clip.start_seconds, clip.pass_frames) == (44, 450)
    assert (clip.replay_start_seconds, clip.replay_frames) == (54, 180)
    assert clip.still_frames == 90


@pytest.mark.parametrize("moment_seconds", [2.9, 99.0])
def test_three_seconds_of_footage_give_a_whole_clip(moment_seconds: float) -> None:
    clip = plan_key_clip(3, moment_seconds, 10)
    assert (clip.start_seconds, clip.pass_frames, clip.replay_frames, clip.still_frames) == (1, 30, 60, 360)
    assert clip.moment_frame == 29


def test_a_moment_in_the_first_second_is_moved_out_of_it() -> None:
    clip = plan_key_clip(60, 0.2, 10)
    assert (clip.start_seconds, clip.moment_seconds, clip.moment_frame) == (1, 1, 0)


def test_room_is_made_for_a_replay_that_can_be_seen() -> None:
    """Half a second is lacking: the pass ends earlier, and the replay is a second long."""
    clip = plan_key_clip(60, 50, 15.5)
    assert (clip.pass_frames, clip.replay_frames) == (435, 30)
