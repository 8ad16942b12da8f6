"""The question box and the polls behind it, as a browser with and without htmx meets them."""

import re
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from coaching.models import Reply, Session, User
from coaching.web import questions
from tests.coaching.chat_world import QUESTION, ask, coach, cook, write  # noqa: F401 - fixtures
from tests.coaching.scripted_coach import ScriptedCoach, conclude

# ruff: noqa: F811 - fixtures are asked for by their names
pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
GOOD = "卵は余熱でも固まっていきます。"
MORE = "ふちが白くなったら、ご飯を合わせましょう。"


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture(autouse=True)
def _no_waiting(settings: Settings) -> None:
    settings.CHAT_HOLD_SECONDS = 0.0


def poll(client: Client, reply: Reply, **query: str) -> str:
    response = client.get(f"/chat/replies/{reply.pk}/", query, headers=HTMX)
    assert response.status_code == 200, response.content
    return response.content.decode()


def find_next_poll(fragment: str) -> tuple[str, int]:
    """The cursor and the pause in milliseconds."""
    match = re.search(r'after=([\d-]*)&amp;delay=[\d.]+" hx-trigger="load delay:(\d+)ms"', fragment)
    assert match, fragment
    return match[1], int(match[2])


def test_htmx_gets_the_question_its_pending_answer_and_an_empty_box(browser: Client, cook: Session) -> None:
    page = browser.get("/chat/coaching/").content.decode()
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key
    fragment = browser.post("/chat/coaching/ask/", {"text": QUESTION, "key": key[1]}, headers=HTMX).content.decode()
    reply = Reply.objects.get()
    assert reply.idempotency_key == key[1]
    assert QUESTION in fragment
    assert f'id="reply-{reply.pk}-poll"' in fragment
    assert 'hx-swap-oob="true"' in fragment
    assert key[1] not in fragment  # the next question has a key of its own
    browser.post("/chat/coaching/ask/", {"text": QUESTION, "key": key[1]}, headers=HTMX)
    assert Reply.objects.count() == 1


def test_without_scripts_the_form_leads_to_the_room(browser: Client, cook: Session) -> None:
    response = browser.post("/chat/coaching/ask/", {"text": QUESTION, "key": "k"})
    reply = Reply.objects.get()
    assert response.headers["Location"] == f"/chat/coaching/#message-{reply.answer_id}"
    assert "考えています" in browser.get("/chat/coaching/").content.decode()


@pytest.mark.parametrize(("text", "words"), [("", "書いてください"), ("あ" * 1001, "文字以内"), ("🍳", "ことばで")])
def test_a_refused_question_stays_in_the_box_with_the_reason(browser: Client, text: str, words: str) -> None:
    for headers, status in ((HTMX, 422), ({}, 400)):
        response = browser.post("/chat/coaching/ask/", {"text": text, "key": "k"}, headers=headers)
        assert response.status_code == status
        assert words in response.content.decode()
        assert text in response.content.decode()
    assert not Reply.objects.exists()


def test_markup_is_shown_as_it_was_typed(browser: Client, cook: Session, coach: ScriptedCoach) -> None:
    fragment = browser.post(
        "/chat/coaching/ask/", {"text": "<img src=x onerror=alert(1)>なぜ？", "key": "k"}, headers=HTMX
    ).content.decode()
    assert "<img" not in fragment
    assert "&lt;img src=x" in fragment
    assert "<img" not in browser.get("/chat/coaching/").content.decode()


def test_a_poll_brings_what_is_new_and_only_that(
    browser: Client, alice: User, cook: Session, coach: ScriptedCoach
) -> None:
    reply = ask(alice)
    seen: list[str] = []
    cursor = ""

    def look() -> None:
        nonlocal cursor
        fragment = poll(browser, reply, after=cursor)
        cursor, _ = find_next_poll(fragment)
        seen.append(fragment)

    class Looking(ScriptedCoach):
        def answer(self, request: Any) -> Any:
            for piece in coach.answer(request):
                yield piece
                look()

    from coaching.providers import registry

    registry._adapters["coach"] = Looking()
    coach.answers.append([GOOD, MORE, conclude(moment_seconds=7.0)])
    write(reply)
    assert GOOD in seen[0]
    assert MORE in seen[1]
    assert GOOD not in seen[1]
    last = poll(browser, reply, after=cursor)
    assert GOOD + MORE in last
    assert "hx-get" not in last  # the polling ends with the answer
    assert f"/sessions/{cook.pk}/#t=7" in last
    assert "映像の 0:07 を見る" in last


def test_polls_back_off_while_nothing_comes(browser: Client, alice: User, cook: Session) -> None:
    reply = ask(alice)
    delays = []
    delay = ""
    for _ in range(12):
        fragment = poll(browser, reply, delay=delay)
        assert len(fragment) < 400
        delays.append(find_next_poll(fragment)[1])
        delay = f"{delays[-1] / 1000:.2f}"
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (150, 4000)


def test_a_poll_costs_three_queries(
    browser: Client, alice: User, cook: Session, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    reply = ask(alice)
    for number in range(20):
        ask(alice, key=f"later {number}")
    with django_assert_num_queries(3):  # the login's session, the learner, the reply
        poll(browser, reply)


def test_a_room_costs_as_many_queries_with_many_answers_as_with_one(
    browser: Client, alice: User, cook: Session, coach: ScriptedCoach
) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert GOOD in browser.get("/chat/coaching/").content.decode()
        return len(captured)

    coach.answers += [[GOOD, conclude(moment_seconds=7.0)] for _ in range(6)]
    write(ask(alice, key="0"))
    count_queries()  # the first look marks the room as read
    with_one = count_queries()
    for number in range(1, 6):
        write(ask(alice, key=str(number)))
    count_queries()
    assert count_queries() == with_one


@pytest.mark.parametrize("cursor", ["x", "0", "-1", "1-", "9" * 40 + "-1", "0-0' OR 1=1", "１-１", "0-0\n"])
def test_a_forged_cursor_is_refused_and_tells_nothing(browser: Client, alice: User, cook: Session, cursor: str) -> None:
    reply = ask(alice)
    response = browser.get(f"/chat/replies/{reply.pk}/", {"after": cursor}, headers=HTMX)
    assert response.status_code == 400
    assert cursor.strip() not in response.content.decode() or len(cursor) < 3


def test_another_learners_reply_does_not_exist(alice: User, charlie: User, cook: Session) -> None:
    reply = ask(alice)
    stranger = Client()
    stranger.force_login(charlie)
    assert stranger.get(f"/chat/replies/{reply.pk}/", headers=HTMX).status_code == 404
    assert stranger.post(f"/chat/replies/{reply.pk}/again/").status_code == 404
    assert stranger.post("/chat/coaching/ask/", {"text": QUESTION, "key": "k", "session": cook.pk}).status_code == 404
    assert stranger.post("/chat/coaching/ask/", {"text": QUESTION, "key": "k", "session": "x"}).status_code == 404


def test_a_failed_answer_offers_to_ask_again(browser: Client, alice: User, cook: Session, coach: ScriptedCoach) -> None:
    from coaching.errors import ContentBlocked

    coach.answers.append([ContentBlocked("a secret of the service")])
    reply = write(ask(alice))
    shown = poll(browser, reply)
    assert "もう一度聞く" in shown
    assert "secret" not in shown
    coach.answers.append([GOOD, conclude()])
    assert "考えています" in browser.post(f"/chat/replies/{reply.pk}/again/", headers=HTMX).content.decode()
    write(reply)
    assert GOOD in browser.get("/chat/coaching/").content.decode()
    assert browser.post(f"/chat/replies/{reply.pk}/again/", headers=HTMX).status_code == 409


def test_polls_that_find_no_place_to_wait_are_answered_at_once(
    browser: Client, alice: User, cook: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were this poll held, the test would time out."""
    settings.CHAT_HOLD_SECONDS = 600.0
    monkeypatch.setattr(questions, "_held_polls", threading.BoundedSemaphore(1))
    assert questions._held_polls.acquire(blocking=False)
    poll(browser, ask(alice))


def test_the_api_asks_and_follows(alice_client: APIClient, alice: User, cook: Session, coach: ScriptedCoach) -> None:
    asked = alice_client.post(
        "/api/chat/rooms/coaching/messages/", {"text": QUESTION}, format="json", headers={"Idempotency-Key": "k"}
    )
    assert asked.status_code == 201
    body = asked.json()
    assert (body["state"], body["question"]["text"], body["answer"]["text"]) == ("pending", QUESTION, "")
    again = alice_client.post(
        "/api/chat/rooms/coaching/messages/", {"text": QUESTION}, format="json", headers={"Idempotency-Key": "k"}
    )
    assert (again.status_code, again.json()["id"]) == (200, body["id"])
    path = f"/api/chat/replies/{body['id']}/"
    assert alice_client.get(path).status_code == 204
    coach.answers.append([GOOD, conclude()])
    write(Reply.objects.get())
    told = alice_client.get(path).json()
    assert (told["state"], told["text"], told["is_restart"]) == ("answered", GOOD, True)
    messages = alice_client.get("/api/chat/rooms/coaching/messages/").json()["results"]
    assert messages[0]["text"] == GOOD


@pytest.mark.parametrize(
    ("room", "body", "status", "code"),
    [
        ("coaching", {"text": ""}, 400, "invalid_input"),
        ("coaching", {"text": "あ" * 1001}, 400, "invalid_input"),
        ("coaching", {}, 400, "invalid_input"),
        ("coaching", {"text": QUESTION, "session_id": 999_999}, 404, "not_found"),
        ("cooking_videos", {"text": QUESTION}, 404, "not_found"),
        ("kitchen", {"text": QUESTION}, 404, "not_found"),
    ],
)
def test_the_api_refuses_clearly(alice_client: APIClient, room: str, body: Any, status: int, code: str) -> None:
    answer = alice_client.post(f"/api/chat/rooms/{room}/messages/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_more_than_an_hours_questions_are_a_429(alice_client: APIClient, settings: Settings) -> None:
    settings.CHAT_QUESTIONS_PER_HOUR = 0
    answer = alice_client.post("/api/chat/rooms/coaching/messages/", {"text": QUESTION}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_questions")
