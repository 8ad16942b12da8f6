"""Whatever goes wrong, the answer has one form and no inside of ours."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from coaching import errors
from coaching.models import Session, User
from coaching.problems import STATUS_OF, describe_error, find_status
from coaching.providers import registry
from tests.coaching.api.conftest import read_problem

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 30_000, b'{"dish": NaN}', b"[]", b"null", b'"x"', b"3"])
def test_a_body_that_is_no_object_is_a_problem(alice_client: APIClient, body: bytes) -> None:
    response = alice_client.post("/api/sessions/", body, content_type="application/json")
    assert response.status_code == 400, response.content
    assert response.json()["code"] in {"parse_error", "invalid_input"}


def test_a_body_larger_than_any_of_ours_is_refused(alice_client: APIClient) -> None:
    response = alice_client.post("/api/onboarding/", b'{"a": "' + b"x" * 70_000, content_type="application/json")
    read_problem(response, 413, "payload_too_large")


def test_a_form_larger_than_the_view_takes_is_refused_before_it_is_read(alice_client: APIClient) -> None:
    response = alice_client.post("/api/onboarding/", {"video": "x" * 70_000}, format="multipart")
    read_problem(response, 413, "payload_too_large")


def test_another_media_type_is_refused(alice_client: APIClient) -> None:
    response = alice_client.post("/api/sessions/", b"dish=pomodoro", content_type="text/plain")
    read_problem(response, 415, "unsupported_media_type")


def test_a_broken_form_is_a_problem(alice_client: APIClient) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=" + "x" * 300):
        response = alice_client.post("/api/sessions/1/voice-memo/", b"--x\r\n", content_type=content_type)
        assert response.status_code in {400, 415}, response.content


@pytest.mark.parametrize("value", [r"a\u0000b", r"\ud800"])
def test_characters_that_no_database_holds_are_a_problem(alice_client: APIClient, value: str) -> None:
    for path, body in (
        ("sessions", f'{{"dish": "{value}"}}'),
        ("onboarding", f'{{"answers": {{"dream_dish": "{value}"}}}}'),
        ("onboarding", f'{{"answers": {{"{value}": "x"}}}}'),
        ("onboarding", f'{{"consents": {{"{value}": true}}}}'),
        ("auth/register", f'{{"email": "{value}@example.com", "password": "{value}{value}", "first_name": "{value}"}}'),
        ("auth/login", f'{{"email": "{value}", "password": "{value}"}}'),
    ):
        response = alice_client.post(f"/api/{path}/", body, content_type="application/json")
        assert response.status_code in {400, 404}, (path, response.content)


def test_nested_faults_name_their_place(alice_client: APIClient) -> None:
    body = {"dish": "pomodoro", "video": {"size_bytes": "many"}}
    problem = read_problem(alice_client.post("/api/sessions/", body, format="json"), 400, "invalid_input")
    assert {(fault["field"], fault["code"]) for fault in problem["errors"]} == {
        ("video.size_bytes", "invalid"),
        ("video.content_type", "required"),
    }


class BrokenStore:
    """A store whose disk is gone."""

    def __init__(self, **_: Any) -> None:
        pass

    def open_upload(self, **_: Any) -> None:
        raise errors.StoreUnavailable("/srv/secret/path: input/output error")


class BuggyStore(BrokenStore):
    def open_upload(self, **_: Any) -> None:
        raise ZeroDivisionError("a bug with a /srv/secret/path in it")


@pytest.mark.usefixtures("loaded_content")
@pytest.mark.parametrize(
    ("store", "status", "code"), [(BrokenStore, 503, "store_unavailable"), (BuggyStore, 500, "server_error")]
)
def test_a_fault_of_ours_is_logged_and_told_without_its_inside(
    *,
    alice_client: APIClient,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    store: type[BrokenStore],
    status: int,
    code: str,
) -> None:
    settings.PROVIDERS = settings.PROVIDERS | {"object_store": {"class": f"{__name__}.{store.__name__}", "options": {}}}
    registry.forget_adapters()
    body = {"dish": "pomodoro", "video": {"size_bytes": 10, "content_type": "video/mp4"}}
    alice_client.raise_request_exception = False
    response = alice_client.post("/api/sessions/", body, format="json")
    read_problem(response, status, code)
    assert b"secret" not in response.content
    assert "secret" in caplog.text
    assert ("Retry-After" in response.headers) == (status == 503)
    assert not Session.objects.exists(), "a refused beginning leaves no draft that counts"
    registry.forget_adapters()


def test_every_error_of_the_product_has_a_status() -> None:
    def descend(kind: type[errors.MomentCloneError]) -> list[type[errors.MomentCloneError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in descend(child))]

    refused = [kind for kind in descend(errors.Refused) if kind.__module__ == errors.__name__]
    assert len(refused) >= 15
    for kind in STATUS_OF:
        assert kind.learner_message
    assert find_status(errors.OnboardingIncomplete([])) == 400
    assert find_status(errors.ProviderUnavailable()) == 503
    assert find_status(errors.Misconfigured("X")) == 500
    assert find_status(errors.UploadOffsetMismatch("x", received_bytes=3)) == 416
    assert {find_status(kind("x")) for kind in (errors.Conflict, errors.InputClosed, errors.UploadIncomplete)} == {409}


def test_a_problem_says_what_the_learner_reads_and_not_what_the_operator_does(alice: User) -> None:
    problem = describe_error(errors.QuotaUsedUp(f"user {alice.pk} has had the free session"))
    assert problem["detail"] == errors.QuotaUsedUp.learner_message
    assert problem["title"] == "Quota used up"
