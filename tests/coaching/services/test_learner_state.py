"""What the state says is computed from the cooks alone, and says what the design says it does."""

from dataclasses import replace

from coaching.models.learner import LearningVelocity
from coaching.services.learner_state import CompletedCook, compute_learner_view

EGG = CompletedCook(
    dish_slug="fried-rice",
    session_number=1,
    dish_principles=("egg_timing", "preheat_pan", "avoid_crowding"),
    outcome="mistake",
    principle_slug="egg_timing",
    mistake_slug="egg_overcooked_before_rice",
    done_well=(),
    key_issue="卵が固まっていました。",
)
GOOD = replace(EGG, outcome="good", mistake_slug="", done_well=("egg_timing",), key_issue="卵がとろりとしていました。")
COLD = replace(EGG, principle_slug="preheat_pan", mistake_slug="pan_not_preheated", key_issue="鍋が冷たいままでした。")
UNTOLD = replace(
    EGG, outcome="could_not_tell", principle_slug="", mistake_slug="", key_issue="音が聞こえませんでした。"
)


def test_a_learner_without_cooks_has_nothing_to_say() -> None:
    view = compute_learner_view([])
    assert (view.skills_acquired, view.skills_developing, view.recurring_mistakes) == ([], [], [])
    assert view.learning_velocity == LearningVelocity.STEADY
    assert not view.ready_for_next_dish


def test_a_skill_is_acquired_when_seen_done_well_in_the_last_two_sessions_where_it_applied() -> None:
    assert compute_learner_view([GOOD]).skills_acquired == []
    assert compute_learner_view([GOOD]).skills_developing == ["egg_timing"]
    assert compute_learner_view([GOOD, GOOD]).skills_acquired == ["egg_timing"]
    assert compute_learner_view([GOOD, UNTOLD, GOOD]).skills_acquired == ["egg_timing"]
    assert compute_learner_view([GOOD, GOOD, EGG]).skills_acquired == []
    elsewhere = replace(COLD, dish_slug="beef-steak", dish_principles=("preheat_pan",))
    assert compute_learner_view([GOOD, GOOD, elsewhere]).skills_acquired == ["egg_timing"]


def test_a_mistake_seen_twice_recurs_and_becomes_the_focus() -> None:
    view = compute_learner_view([EGG, COLD, EGG])
    assert view.recurring_mistakes == [{"mistake": "egg_overcooked_before_rice", "seen_count": 2}]
    assert view.next_focus == "egg_timing"
    assert compute_learner_view([EGG, COLD]).next_focus == "preheat_pan"


def test_velocity_is_steady_below_three_cooks_and_then_follows_the_repeated_mistakes() -> None:
    heat = replace(EGG, principle_slug="heat_management", mistake_slug="heat_too_high_throughout")
    assert compute_learner_view([EGG, EGG]).learning_velocity == LearningVelocity.STEADY
    assert compute_learner_view([EGG, UNTOLD, EGG]).learning_velocity == LearningVelocity.STEADY
    assert compute_learner_view([EGG, COLD, heat]).learning_velocity == LearningVelocity.FAST
    assert compute_learner_view([EGG, COLD, COLD]).learning_velocity == LearningVelocity.SLOW
    assert compute_learner_view([EGG, EGG, EGG]).learning_velocity == LearningVelocity.PLATEAU


def test_progress_names_the_mistake_that_is_gone_since_the_last_session_of_the_dish() -> None:
    summaries = compute_learner_view([EGG, replace(GOOD, session_number=2)]).session_summaries
    assert [s["key_progress"] for s in summaries] == ["", "egg_overcooked_before_rice"]
    assert [s["session"] for s in summaries] == [1, 2]
    assert compute_learner_view([EGG, UNTOLD]).session_summaries[-1]["key_progress"] == ""


def test_the_next_dish_is_recommended_after_a_good_cook_or_the_third() -> None:
    assert compute_learner_view([GOOD]).ready_for_next_dish
    assert not compute_learner_view([EGG]).ready_for_next_dish
    assert compute_learner_view([EGG, EGG, replace(EGG, session_number=3)]).ready_for_next_dish
