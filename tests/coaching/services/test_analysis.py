"""An analysis that contradicts itself or the dish is refused, whoever made it."""

from dataclasses import replace

import pytest

from coaching import queries
from coaching.errors import MalformedAnswer
from coaching.models import Dish
from coaching.providers.ports import Analysis, CookingEvent, DishText, Usage
from coaching.services.analysis import check_analysis

USAGE = Usage(provider="test", model="none")
EVENT = CookingEvent(seconds=99.0, event="egg_in", description="卵が入りました", state="音が立ちました", confidence=0.7)


@pytest.fixture
def dish(loaded_content: None) -> DishText:
    return queries.get_dish_text(Dish.objects.get(slug="fried-rice"))


@pytest.fixture
def analysis(dish: DishText) -> Analysis:
    principle = dish.principles[0]
    return Analysis(
        outcome="mistake",
        events=(EVENT,),
        key_moment_seconds=41.0,
        diagnosis="卵が固まってからご飯が入りました。",
        principle_slug=principle.slug,
        mistake_slug=principle.mistakes[0].slug,
        done_well=(),
        confidence=0.7,
        reasons=(),
        usage=USAGE,
    )


def test_seconds_are_clamped_into_the_video(analysis: Analysis, dish: DishText) -> None:
    checked = check_analysis(analysis, dish=dish, duration_seconds=30)
    assert checked.key_moment_seconds == 30
    assert checked.events[0].seconds == 30


@pytest.mark.parametrize(
    "change",
    [
        {"principle_slug": "not_of_this_dish"},
        {"mistake_slug": "not_of_this_principle"},
        {"mistake_slug": ""},
        {"key_moment_seconds": None},
        {"outcome": "good"},
        {"outcome": "could_not_tell"},
        {"done_well": ("not_of_this_dish",)},
    ],
)
def test_a_contradiction_is_a_malformed_answer(analysis: Analysis, dish: DishText, change: dict[str, object]) -> None:
    with pytest.raises(MalformedAnswer):
        check_analysis(replace(analysis, **change), dish=dish, duration_seconds=60)  # type: ignore[arg-type]


def test_a_coach_who_could_not_tell_may_say_so(analysis: Analysis, dish: DishText) -> None:
    untold = replace(analysis, outcome="could_not_tell", principle_slug="", mistake_slug="", key_moment_seconds=None)
    assert check_analysis(untold, dish=dish, duration_seconds=60).key_moment_seconds is None
