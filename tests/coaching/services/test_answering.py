"""An answer is written once, sentence by sentence, by the rules, whatever happens to its writers."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from coaching.errors import ContentBlocked, LeaseLost, ProviderRateLimited, ProviderUnavailable, RetryLater
from coaching.models import Message, Reply, Session, User
from coaching.providers.ports import Usage
from coaching.queries.answer_stream import START, read_pieces
from coaching.services import answering, replies
from tests.coaching.chat_world import ask, coach, cook, write  # noqa: F401 - fixtures
from tests.coaching.scripted_coach import ScriptedCoach, conclude

pytestmark = pytest.mark.django_db
# ruff: noqa: F811 - fixtures are asked for by their names

GOOD = "卵は余熱でも固まっていきます。"
MORE = "ふちが白くなったら、ご飯を合わせましょう。"
BROKEN = "強火で２分焼いてください。"


def expire_lease(reply: Reply) -> None:
    past = F("lease_until") - timedelta(hours=1)
    Reply.objects.filter(pk=reply.pk).update(lease_until=past, due_at=F("due_at") - timedelta(hours=1))


def test_an_answer_is_kept_with_what_it_rests_on(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    coach.answers.append([GOOD[:5], GOOD[5:], MORE, conclude(moment_seconds=7.0)])
    reply = write(ask(alice))
    assert (reply.state, reply.answer.text) == ("answered", GOOD + MORE)
    metadata = reply.answer.metadata
    assert metadata["principle_slugs"] == ["egg_timing"]
    assert (metadata["moment_seconds"], metadata["session_id"]) == (7.0, cook.pk)
    assert reply.usage[0]["model"] == "scripted"
    assert reply.asked_at <= reply.first_words_at <= reply.finished_at  # type: ignore[operator]


def test_the_coach_knows_the_cook_the_history_and_the_learner(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    coach.answers += [[GOOD, conclude()], [MORE, conclude()]]
    write(ask(alice, "さっきの続きですが、卵はいつ入れますか？", key="a"))
    write(ask(alice, "火加減は？", key="b"))
    request = coach.requests[1]
    assert request.cook is not None
    assert request.cook.analysis.diagnosis == cook.video_analysis["diagnosis"]
    assert request.dish is not None
    assert request.dish.slug == "fried-rice"
    assert request.learner.first_name == alice.first_name
    assert request.principles[0].slug == "egg_timing"
    assert [turn.speaker for turn in request.history][-2:] == ["learner", "coach"]
    assert request.history[-1].text == GOOD
    assert all(turn.text != "火加減は？" for turn in request.history)


def test_a_sentence_is_shown_when_it_is_whole(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    seen: list[str] = []
    reply = ask(alice)

    class Watching:
        is_offline = True

        def answer(self, request: Any) -> Any:
            for piece in coach.answer(request):
                seen.append(read_pieces(reply_id=reply.pk, cursor=START, wait_seconds=0).text)
                yield piece

    coach.answers.append(["卵は余熱で", "も固まっていきます。", "「とろり」と言えるころです。", conclude()])
    watching = Watching()
    from coaching.providers import registry

    registry._adapters["coach"] = watching
    write(reply)
    assert seen == ["", "", GOOD, GOOD + "「とろり」と言えるころです。"]


def test_a_sentence_that_breaks_a_rule_is_never_shown_and_is_repaired(
    alice: User, cook: Session, coach: ScriptedCoach
) -> None:
    coach.answers += [[GOOD, BROKEN, conclude()], [MORE, conclude()]]
    reply = write(ask(alice))
    assert reply.answer.text == MORE
    assert any("is a measurement" in finding for finding in coach.requests[1].findings)
    shown = read_pieces(reply_id=reply.pk, cursor=START, wait_seconds=0)
    assert (shown.text, shown.is_restart, shown.is_over) == (MORE, True, True)


def test_a_repair_that_breaks_a_rule_is_another_try_later(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    coach.answers += [[BROKEN], [BROKEN]]
    reply = write(ask(alice))
    assert (reply.state, reply.errors, reply.error_class, reply.answer.text) == ("pending", 1, "MalformedAnswer", "")


@pytest.mark.parametrize(
    "steps",
    [
        [GOOD],  # no grounds
        [conclude()],  # no words
        [GOOD, conclude(principle_slugs=("not_a_principle",))],
        [GOOD, conclude(moment_seconds=9999.0)],
    ],
)
def test_an_answer_without_its_grounds_is_not_kept(
    alice: User, cook: Session, coach: ScriptedCoach, steps: list[Any]
) -> None:
    coach.answers.append(steps)
    assert write(ask(alice)).error_class == "MalformedAnswer"


def test_an_answer_that_was_no_good_is_paid_for_all_the_same(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    paid = conclude(moment_seconds=9999.0, usage=Usage(provider="google", model="m", cost_usd=0.25))
    good = conclude(usage=Usage(provider="google", model="m", cost_usd=0.5))
    coach.answers += [[GOOD, paid], [GOOD, good]]
    reply = write(ask(alice))
    assert (reply.state, [entry["cost_usd"] for entry in reply.usage]) == ("pending", [0.25])
    assert [entry["cost_usd"] for entry in write(reply).usage] == [0.25, 0.5]


def test_a_passing_fault_is_tried_again_when_the_other_side_says_so(
    alice: User, cook: Session, coach: ScriptedCoach
) -> None:
    coach.answers.append([ProviderRateLimited("slow down", retry_after_seconds=500)])
    reply = write(ask(alice))
    assert reply.state == "pending"
    assert reply.due_at is not None
    assert (reply.due_at - reply.asked_at) > timedelta(seconds=499)
    assert replies.take_due_replies() == []


def test_a_fault_that_stays_fails_and_can_be_asked_again(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    reply = ask(alice)
    for _ in range(4):
        coach.answers.append([ProviderUnavailable("down")])
        write(reply)
    assert (reply.state, reply.attempt) == ("failed", 4)
    again = replies.retry_reply(user=alice, reply_id=reply.pk)
    coach.answers.append([GOOD, conclude()])
    assert write(again).state == "answered"
    assert Message.objects.filter(chat_room=reply.room, metadata__type="reply").count() == 1


def test_a_fault_for_good_fails_at_once(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    coach.answers.append([GOOD, ContentBlocked("safety")])
    reply = write(ask(alice))
    assert (reply.state, reply.answer.text) == ("failed", "")
    assert reply.learner_message
    assert "safety" not in reply.learner_message


def test_many_copies_of_a_message_write_one_answer(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    coach.answers.append([GOOD, conclude()])
    reply = ask(alice)
    for _ in range(5):
        write(reply)
    assert (len(coach.requests), reply.attempt) == (1, 1)


def test_a_writer_that_wakes_late_changes_nothing(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    reply = ask(alice)
    stale = replies.claim_reply(reply_id=reply.pk, worker="sleeper")
    assert stale is not None
    expire_lease(reply)
    assert replies.take_due_replies() == [reply.pk]
    coach.answers.append([GOOD, conclude()])
    assert write(reply).answer.text == GOOD
    with pytest.raises(LeaseLost):
        replies.commit_answer(stale, text="寝言です。", metadata={})
    with pytest.raises(LeaseLost):
        replies.fail_reply(stale, RuntimeError("late"))
    reply.answer.refresh_from_db()
    assert reply.answer.text == GOOD


def test_a_reply_whose_workers_all_die_fails_at_its_cap(alice: User, cook: Session) -> None:
    reply = ask(alice)
    for _ in range(4):
        assert replies.claim_reply(reply_id=reply.pk, worker="doomed") is not None
        expire_lease(reply)
        replies.take_due_replies()
    Reply.objects.filter(pk=reply.pk).update(due_at=F("asked_at"))
    replies.take_due_replies()
    reply.refresh_from_db()
    assert (reply.state, reply.error_class) == ("failed", "AttemptsExhausted")
    assert replies.claim_reply(reply_id=reply.pk, worker="late") is None


def test_questions_asked_at_once_are_answered_in_their_order(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    asked = [ask(alice, f"質問その{word}です。", key=str(number)) for number, word in enumerate("いろはにほ")]
    coach.answers += [[GOOD, conclude()] for _ in asked]
    assert answering.answer_question(reply_id=asked[3].pk, worker="test") is None  # not its turn
    following: int | None = asked[0].pk
    order = []
    while following is not None:
        order.append(following)
        following = answering.answer_question(reply_id=following, worker="test")
    assert order == [reply.pk for reply in asked]
    assert [request.question[-4] for request in coach.requests] == list("いろはにほ")


def test_a_message_that_never_reached_the_broker_is_published_once_it_is_due(alice: User) -> None:
    first, second = ask(alice, key="a"), ask(alice, key="b")
    assert replies.take_due_replies() == []
    Reply.objects.update(due_at=F("asked_at"))
    assert replies.take_due_replies() == [first.pk]  # the second has to wait for the first anyway
    assert replies.take_due_replies() == []
    assert second.state == "pending"


def test_food_safety_brings_the_official_note_word_for_word(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    coach.answers.append([GOOD, conclude(topic="food_safety", principle_slugs=("residual_heat",))])
    reply = ask(alice, "半熟でも大丈夫ですか？")
    Session.objects.filter(pk=cook.pk).update(
        retrieved_context=cook.retrieved_context | {"principle_slugs": ["residual_heat"]}
    )
    notes = write(reply).answer.metadata["safety_notes"]
    assert notes
    assert "厚生労働省" in notes[0]


def test_a_question_without_a_cook_is_answered_too(bob: User, coach: ScriptedCoach) -> None:
    coach.answers.append([GOOD, conclude()])
    assert write(ask(bob)).state == "answered"
    assert coach.requests[0].cook is None


def test_a_used_up_budget_fails_the_answer_at_once_and_counts_answers(
    alice: User, cook: Session, coach: ScriptedCoach, settings: Settings
) -> None:
    settings.LEARNER_DAILY_BUDGET_USD, settings.BUDGET_USED_UP = 0.5, "wait"
    paid = conclude(usage=Usage(provider="test", model="dear", cost_usd=0.6))
    coach.answers.append([GOOD, paid])
    assert write(ask(alice, key="a")).state == "answered"
    refused = write(ask(alice, key="b"))
    assert (refused.state, refused.error_class) == ("failed", "BudgetUsedUp")
    assert "USD" not in refused.learner_message


def test_a_wait_that_is_no_fault_lasts_as_long_as_was_said(alice: User, cook: Session, coach: ScriptedCoach) -> None:
    due_at = timezone.now() + timedelta(minutes=7)
    coach.answers.append([RetryLater("the model is busy", due_at=due_at)])
    assert write(ask(alice)).due_at == due_at
