"""The talk with the coach in a real browser: asked, watched while it is written, read, followed to the footage."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from coaching.errors import ContentBlocked
from coaching.models import Reply, Session, User
from coaching.providers import registry
from coaching.providers.ports import AnswerPiece, QuestionRequest
from coaching.services import answering
from tests.browser.conftest import log_in
from tests.coaching.chat_world import QUESTION, coach  # noqa: F401 - a fixture
from tests.coaching.scripted_coach import ScriptedCoach, conclude
from tests.finished_cooks import finish_cook, share_footage

# ruff: noqa: F811 - fixtures are asked for by their names
pytestmark = pytest.mark.usefixtures("transactional_db", "loaded_content")
GOOD = "卵は余熱でも固まっていきます。"
MORE = "ふちが白くなったら、ご飯を合わせましょう。"


class PacedCoach:
    """Says the next sentence when the test lets it."""

    is_offline = True

    def __init__(self) -> None:
        self.may_go_on = threading.Semaphore(0)

    def answer(self, request: QuestionRequest) -> Iterator[AnswerPiece]:
        for sentence in (GOOD, MORE):
            assert self.may_go_on.acquire(timeout=60)
            yield AnswerPiece(text=sentence)
        assert self.may_go_on.acquire(timeout=60)
        yield AnswerPiece(text="", outcome=conclude(moment_seconds=7.0))


def write_beside(reply: Reply) -> threading.Thread:
    """As a chat worker does it, while the test looks at the page."""

    def work() -> None:
        try:
            answering.answer_question(reply_id=reply.pk, worker="test")
        finally:
            connection.close()

    writer = threading.Thread(target=work)
    writer.start()
    return writer


@pytest.fixture
def cook(alice: User) -> Session:
    return finish_cook(alice, share_footage())


@pytest.fixture
def open_room(page: Page, alice: User, cook: Session) -> Callable[[], Page]:
    def open_one() -> Page:
        log_in(page, alice)
        page.goto("/chat/coaching/")
        return page

    return open_one


def test_a_question_is_answered_while_one_looks(open_room: Callable[[], Page], coach: Any, cook: Session) -> None:
    paced = PacedCoach()
    registry._adapters["coach"] = paced
    page = open_room()
    page.get_by_label("コーチに聞く").fill(QUESTION)
    page.get_by_role("button", name="きく").dblclick()
    expect(page.get_by_text(QUESTION, exact=True)).to_be_visible()
    expect(page.get_by_label("コーチに聞く")).to_have_value("")
    reply = Reply.objects.get()  # the double click asked once
    writer = write_beside(reply)
    words = page.locator(f"#reply-{reply.pk}-text")
    paced.may_go_on.release()
    expect(words).to_have_text(GOOD)
    paced.may_go_on.release()
    expect(words).to_have_text(GOOD + MORE)
    paced.may_go_on.release()
    writer.join()
    answer = page.locator(f"#reply-{reply.pk}")
    expect(answer.get_by_role("link", name="映像の 0:07 を見る")).to_be_visible()
    expect(answer).to_contain_text(GOOD + MORE)
    expect(answer).to_contain_text("オフラインのコーチ")
    expect(answer.locator("[hx-get]")).to_have_count(0)
    answer.get_by_role("link", name="映像の 0:07 を見る").click()
    page.wait_for_url(f"**/sessions/{cook.pk}/#t=7")
    page.wait_for_function("() => document.querySelector('[data-raw]').currentTime >= 7")


def test_a_failed_answer_can_be_asked_for_again(
    open_room: Callable[[], Page], coach: ScriptedCoach, faults: list[str]
) -> None:
    coach.answers += [[ContentBlocked("safety filter")], [GOOD, conclude()]]
    page = open_room()
    page.get_by_label("コーチに聞く").fill("卵のコツは？")
    page.get_by_role("button", name="きく").click()
    expect(page.get_by_text("考えています")).to_be_visible()
    write_beside(Reply.objects.get()).join()
    page.get_by_role("button", name="もう一度聞く").click()
    expect(page.get_by_text("考えています")).to_be_visible()
    write_beside(Reply.objects.get()).join()
    expect(page.get_by_text(GOOD)).to_be_visible()


def test_a_refused_question_stays_in_the_box(open_room: Callable[[], Page]) -> None:
    page = open_room()
    page.get_by_label("コーチに聞く").fill("🍳🔥")
    page.get_by_role("button", name="きく").click()
    expect(page.get_by_role("alert").filter(has_text="ことばで")).to_be_visible()
    expect(page.get_by_label("コーチに聞く")).to_have_value("🍳🔥")
    page.get_by_label("コーチに聞く").fill("卵のコツは？")
    page.get_by_role("button", name="きく").click()
    expect(page.get_by_text("考えています")).to_be_visible()
