"""A learner with a finished cook, and a coach who says what a test has written."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from coaching.models import Reply, Session, User
from coaching.providers import registry
from coaching.services import answering, chat
from tests.coaching.scripted_coach import ScriptedCoach, share_coach
from tests.finished_cooks import finish_cook, share_footage


@pytest.fixture
def coach(settings: Settings, loaded_content: None) -> Iterator[ScriptedCoach]:
    here = "tests.coaching.scripted_coach"
    settings.PROVIDERS = settings.PROVIDERS | {
        "coach": {"class": f"{here}.share_coach", "options": {}},
        "principle_index": {"class": f"{here}.make_index", "options": {}},
    }
    registry.forget_adapters()
    scripted = share_coach()
    scripted.answers.clear()
    scripted.requests.clear()
    yield scripted
    registry.forget_adapters()


@pytest.fixture
def cook(alice: User, loaded_content: None, object_store: object) -> Session:
    return finish_cook(alice, share_footage())


QUESTION = "なぜ卵を先に入れてはいけないのですか？"


def ask(user: User, text: str = QUESTION, *, key: str = "one", session_id: int | None = None) -> Reply:
    return chat.ask_question(user_id=user.pk, text=text, idempotency_key=key, session_id=session_id)[0]


def write(reply: Reply) -> Reply:
    """As a worker does it, once."""
    answering.answer_question(reply_id=reply.pk, worker="test")
    reply.refresh_from_db()
    reply.answer.refresh_from_db()
    return reply
