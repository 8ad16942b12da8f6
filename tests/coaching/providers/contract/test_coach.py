"""What every coach promises. Google's answers with what the offline one makes of what arrived."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from coaching.errors import MomentCloneError, StageCancelled
from coaching.providers.ports import Analysis, AnalysisRequest, Coach, DishText, MediaLocation, MemoRequest
from coaching.services.analysis import check_analysis
from media_tools.errors import MediaCancelled, MediaError
from media_tools.sample_cook import CookTruth, Variant
from tests.coaching.providers.contract.engines import COACHES, Room
from tests.coaching.providers.google.models import ask_question
from tests.coaching.providers.local.cooks import Case
from tests.coaching.providers.local.kitchen import ask, dishes, find_broken_rules


@pytest.fixture(scope="module", params=sorted(COACHES))
def coach(request: pytest.FixtureRequest, room: Room) -> Coach:
    return COACHES[request.param](room)


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CookTruth]:
    return Case(kind=Variant.PAN_NOT_PREHEATED, seed=424).film(tmp_path_factory.mktemp("cook"))


@pytest.fixture(scope="module")
def fried_rice() -> DishText:
    return dishes()["fried-rice"]


@pytest.fixture(scope="module")
def watched(coach: Coach, cook: tuple[Path, CookTruth], fried_rice: DishText) -> Analysis:
    return coach.analyse(ask_about(cook, fried_rice))


def ask_about(cook: tuple[Path, CookTruth], dish: DishText) -> AnalysisRequest:
    film, truth = cook
    return AnalysisRequest(
        video=MediaLocation(object_path="sessions/1/raw.mp4", source=film),
        duration_seconds=truth.duration_seconds,
        has_audio=True,
        dish=dish,
        session_number=1,
        deadline_seconds=300,
    )


def test_a_cook_is_watched_and_its_mistake_found_in_the_words_of_the_dish(
    watched: Analysis, cook: tuple[Path, CookTruth], fried_rice: DishText
) -> None:
    _, truth = cook
    assert check_analysis(watched, dish=fried_rice, duration_seconds=truth.duration_seconds) == watched
    assert (watched.outcome, watched.mistake_slug) == ("mistake", "cold_pan_start")
    assert truth.key_moment_seconds is not None
    assert watched.key_moment_seconds == pytest.approx(truth.key_moment_seconds, abs=3)
    assert watched.events == tuple(sorted(watched.events, key=lambda event: event.seconds))
    assert watched.diagnosis
    assert watched.usage.model


def test_a_memo_is_read_in_the_words_of_the_dish(coach: Coach, fried_rice: DishText) -> None:
    read = coach.understand_memo(
        MemoRequest(
            transcript="フライパンが温まる前に卵を入れてしまいました。ご飯はいつ入れたらいいですか？", dish=fried_rice
        )
    )
    mistakes = {mistake.slug for principle in fried_rice.principles for mistake in principle.mistakes}
    assert set(read.identified_issues) <= mistakes
    assert read.questions
    assert read.emotional_state


def test_a_script_rests_on_what_was_watched_and_keeps_the_rules(coach: Coach, watched: Analysis) -> None:
    request = replace(ask("fried-rice", first_name="花子"), analysis=watched)
    script = coach.write_script(request)
    assert find_broken_rules(script, request) == ()
    assert "花子さん" in script.narration.part1
    assert set(script.basis) == {"mondaiten", "skill", "next_action", "success_sign", "part1", "part2"}
    known = {principle.slug for principle in request.dish.principles}
    assert {slug for slugs in script.basis.values() for slug in slugs} <= known


def test_an_answer_comes_in_pieces_and_its_last_one_says_what_it_rests_on(coach: Coach, fried_rice: DishText) -> None:
    pieces = list(coach.answer(ask_question(fried_rice, question="なぜフライパンを温めるのですか？")))
    assert "".join(piece.text for piece in pieces).strip()
    assert [piece.outcome is None for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    outcome = pieces[-1].outcome
    assert outcome is not None
    assert outcome.topic == "cooking"
    assert outcome.principle_slugs
    assert set(outcome.principle_slugs) <= {principle.slug for principle in fried_rice.principles}
    assert outcome.usage.model


def test_a_cancelled_analysis_stops(coach: Coach, cook: tuple[Path, CookTruth], fried_rice: DishText) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises((StageCancelled, MediaCancelled)):
        coach.analyse(replace(ask_about(cook, fried_rice), cancel=cancel))


def test_a_deadline_that_is_over_ends_in_an_error_of_ours(
    coach: Coach, cook: tuple[Path, CookTruth], fried_rice: DishText
) -> None:
    with pytest.raises((MomentCloneError, MediaError)):
        coach.analyse(replace(ask_about(cook, fried_rice), deadline_seconds=0))
