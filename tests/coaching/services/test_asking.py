"""A question is kept once, with its pending answer, or refused with the way out."""

from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from coaching.errors import Conflict, InvalidInput, NotFound, TooManyQuestions
from coaching.models import ChatRoom, Message, Reply, Session, SessionStatus, User
from coaching.services import chat
from tests.coaching.chat_world import ask, cook  # noqa: F401 - a fixture
from tests.finished_cooks import finish_cook, share_footage

pytestmark = pytest.mark.django_db


def test_a_question_and_its_pending_answer_are_kept_together(alice: User, cook: Session) -> None:  # noqa: F811
    reply = ask(alice)
    assert reply.state == "pending"
    assert (reply.question.sender, reply.answer.sender, reply.answer.text) == ("user", "ai", "")
    assert reply.session == cook
    assert reply.question.pk < reply.answer.pk


def test_the_same_key_asks_once(alice: User) -> None:
    first, is_new = chat.ask_question(user_id=alice.pk, text="なぜですか？", idempotency_key="k")
    again, is_again_new = chat.ask_question(user_id=alice.pk, text="なぜですか？", idempotency_key="k")
    assert (first.pk, is_new, again.pk, is_again_new) == (again.pk, True, first.pk, False)
    assert Message.objects.filter(chat_room__user=alice).count() == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "blank"),
        (" \n\t　", "blank"),
        ("あ" * 1001, "max_length"),
        ("🍳🔥😊", "no_words"),
        ("！？…", "no_words"),
        ("卵\u202eは", "characters"),
        ("卵\x00は", "characters"),
        ("\ud83d", "characters"),
    ],
)
def test_what_cannot_be_a_question_is_refused(alice: User, text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask(alice, text)
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [("text", code)]
    assert not Reply.objects.exists()


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>なぜ？", "'; DROP TABLE coaching_reply; -- なぜ", "あ" * 1000, "مرحبا كيف", "why?"],
)
def test_whatever_has_words_is_kept_as_it_was_written(alice: User, text: str) -> None:
    assert ask(alice, text).question.text == text


@pytest.mark.parametrize("key", ["", "k" * 65, "日本", "a\nb"])
def test_a_key_that_is_none_is_refused(alice: User, key: str) -> None:
    with pytest.raises(InvalidInput):
        ask(alice, key=key)


def test_another_learners_session_does_not_exist(alice: User, charlie: User, cook: Session) -> None:  # noqa: F811
    with pytest.raises(NotFound):
        ask(charlie, session_id=cook.pk)
    with pytest.raises(NotFound):
        ask(alice, session_id=10**17)


def test_a_session_without_coaching_has_to_wait(alice: User, cook: Session) -> None:  # noqa: F811
    Session.objects.filter(pk=cook.pk).update(coaching_video_gcs_path="", status=SessionStatus.PROCESSING)
    with pytest.raises(Conflict) as caught:
        ask(alice, session_id=cook.pk)
    assert "できあがって" in caught.value.learner_message


def test_by_default_a_question_belongs_to_the_latest_finished_cook(alice: User, cook: Session) -> None:  # noqa: F811
    later = finish_cook(alice, share_footage(), session_number=2)
    Session.objects.filter(pk=cook.pk).update(pipeline_started_at=F("pipeline_started_at") - timedelta(days=1))
    assert ask(alice, key="a").session == later
    assert ask(alice, key="b", session_id=cook.pk).session == cook


def test_without_a_finished_cook_a_question_belongs_to_none(bob: User) -> None:
    assert ask(bob).session is None


def test_more_than_an_hours_questions_are_refused_kindly(alice: User, charlie: User, settings: Settings) -> None:
    settings.CHAT_QUESTIONS_PER_HOUR = 2
    ask(alice, key="a")
    ask(alice, key="b")
    with pytest.raises(TooManyQuestions) as caught:
        ask(alice, key="c")
    assert "少し休んで" in caught.value.learner_message
    assert ask(alice, key="b").idempotency_key == "b"  # known already: no new question
    ask(charlie, key="a")
    Reply.objects.filter(room__user=alice).update(asked_at=F("asked_at") - timedelta(hours=1))
    ask(alice, key="c")


def test_a_deleted_session_leaves_the_talk(alice: User, cook: Session) -> None:  # noqa: F811
    reply = ask(alice)
    cook.runs.all().delete()
    cook.delete()
    reply.refresh_from_db()
    assert reply.session is None
    assert ChatRoom.objects.get(pk=reply.room_id).messages.filter(pk=reply.question_id).exists()
