"""Every endpoint x (anonymous, owner, another learner, staff). Staff have no way around here: they use the admin."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIClient

from coaching.models import Reply, Session, User
from coaching.services.chat import ask_question
from tests.coaching.api.conftest import read_problem
from tests.coaching.conftest import log_in, make_learner

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]


@dataclass(frozen=True)
class Endpoint:
    """`path` may name the draft. Expected status of the anonymous, the owner, another learner, a member of staff."""

    method: str
    path: str
    anonymous: int
    owner: int
    other: int
    staff: int
    body: Callable[[], dict[str, Any]] = dict
    is_multipart: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


CLAIM = {"size_bytes": 10_264, "content_type": "video/mp4"}
ENDPOINTS = [
    Endpoint("get", "/api/auth/me/", 401, 200, 200, 200),
    Endpoint("post", "/api/auth/logout/", 401, 204, 204, 204),
    Endpoint("get", "/api/onboarding/", 401, 200, 200, 200),
    Endpoint("post", "/api/onboarding/", 401, 200, 200, 200),
    Endpoint("get", "/api/dishes/", 401, 200, 200, 200),
    Endpoint("get", "/api/dishes/tempura/", 401, 200, 200, 200),
    Endpoint("get", "/api/learner-state/", 401, 200, 200, 200),
    Endpoint("get", "/api/sessions/", 401, 200, 200, 200),
    Endpoint("post", "/api/sessions/", 401, 201, 201, 201, lambda: {"dish": "pomodoro", "video": CLAIM}),
    Endpoint("get", "/api/sessions/{draft}/", 401, 200, 404, 404),
    Endpoint("delete", "/api/sessions/{draft}/", 401, 204, 404, 404),
    Endpoint("post", "/api/sessions/{draft}/uploads/", 401, 201, 404, 404, lambda: CLAIM),
    Endpoint("post", "/api/sessions/{draft}/upload/", 401, 400, 404, 404, lambda: {"video": BytesIO(b"x")}, True),
    Endpoint("post", "/api/sessions/{draft}/voice-memo/", 401, 400, 404, 404, lambda: {"memo": BytesIO(b"x")}, True),
    Endpoint("patch", "/api/sessions/{draft}/ratings/", 401, 200, 404, 404, lambda: {"taste": 4}),
    Endpoint("post", "/api/sessions/{draft}/submit/", 401, 409, 404, 404),
    Endpoint("get", "/api/chat/rooms/", 401, 200, 200, 200),
    Endpoint("get", "/api/chat/rooms/coaching/messages/", 401, 200, 200, 200),
    Endpoint("post", "/api/chat/rooms/coaching/messages/", 401, 201, 201, 201, lambda: {"text": "なぜですか？"}),
    Endpoint("get", "/api/chat/replies/{reply}/", 401, 204, 404, 404),
    Endpoint("post", "/api/chat/replies/{reply}/again/", 401, 409, 404, 404),
    Endpoint("get", "/api/schema/", 401, 403, 403, 200),
    Endpoint("get", "/api/no-such-thing/", 404, 404, 404, 404),
]
OPEN_TO_ALL = {"auth/register/", "auth/login/"}


def ask(client: APIClient, endpoint: Endpoint, draft: Session, reply: Reply) -> Any:
    path = endpoint.path.format(draft=draft.pk, reply=reply.pk)
    if endpoint.is_multipart:
        return client.post(path, endpoint.body(), format="multipart")
    return getattr(client, endpoint.method)(path, endpoint.body() or None, format="json")


@pytest.fixture
def staff(db: None) -> User:
    return make_learner("Sam", is_staff=True, is_superuser=True)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_an_endpoint_answers_whom_it_may(
    *, endpoint: Endpoint, draft: Session, alice: User, charlie: User, staff: User
) -> None:
    reply, _ = ask_question(user_id=alice.pk, text="なぜですか？", idempotency_key="matrix")
    asked = {
        "anonymous": APIClient(),
        "other": log_in(charlie),
        "staff": log_in(staff),
        "owner": log_in(alice),  # last: some of them change the draft
    }
    for who, client in asked.items():
        expected = getattr(endpoint, who)
        response = ask(client, endpoint, draft, reply)
        assert response.status_code == expected, (who, response.content)
        if expected == 401:
            read_problem(response, 401, "not_authenticated")
            assert response.headers["WWW-Authenticate"] == 'Session realm="moment-clone"'
        if expected == 404:
            read_problem(response, 404, "not_found")


def test_the_matrix_covers_every_endpoint() -> None:
    listed = {endpoint.path.removeprefix("/api/").replace("{draft}", "<int:session_id>") for endpoint in ENDPOINTS}
    listed = {path.replace("tempura", "<slug:slug>").replace("coaching", "<str:room_type>") for path in listed}
    listed = {path.replace("{reply}", "<int:reply_id>") for path in listed}
    known = {
        str(pattern.pattern)
        for resolver in get_resolver().url_patterns
        if str(resolver.pattern) == "api/"
        for pattern in getattr(resolver, "url_patterns", [])
        if isinstance(pattern, URLPattern)
    }
    assert known - OPEN_TO_ALL - {"^.*$"} == listed - {"no-such-thing/"}


def test_an_unknown_path_is_a_problem_whatever_the_method(anonymous: APIClient) -> None:
    for method in ("get", "post", "put", "patch", "delete", "options"):
        read_problem(getattr(anonymous, method)("/api/sessions/x/"), 404, "not_found")


def test_a_method_that_there_is_not_is_a_problem(alice_client: APIClient) -> None:
    read_problem(alice_client.put("/api/dishes/"), 405, "method_not_allowed")
    read_problem(alice_client.put("/api/chat/rooms/coaching/messages/"), 405, "method_not_allowed")


def test_who_was_deactivated_is_nobody(alice: User, alice_client: APIClient) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    read_problem(alice_client.get("/api/auth/me/"), 401, "not_authenticated")


def test_a_session_number_beyond_the_column_is_not_found(alice_client: APIClient) -> None:
    read_problem(alice_client.get(f"/api/sessions/{10**30}/"), 404, "not_found")
