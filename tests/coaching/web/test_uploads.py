"""The upload protocol over HTTP: what Cloud Storage would answer. The store's own tests hold what it keeps."""

import os
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from coaching.models import Session, User
from coaching.providers.ports import ByteRange, SelfServedStore
from tests.coaching.api.conftest import read_problem
from tests.coaching.services.test_sessions import begin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content")]

CONTENT = os.urandom(300_000)
TOTAL = len(CONTENT)


class Sender:
    """A browser without cookies, on a client that would notice a missing CSRF token."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = Client(enforce_csrf_checks=True)

    def put(self, body: bytes = b"", content_range: str | None = None) -> Any:
        headers = {} if content_range is None else {"Content-Range": content_range}
        return self.client.put(self.url, body, content_type="application/octet-stream", headers=headers)

    def send(self, first_byte: int, last_byte: int) -> Any:
        return self.put(CONTENT[first_byte : last_byte + 1], f"bytes {first_byte}-{last_byte}/{TOTAL}")

    def ask(self) -> Any:
        return self.put(content_range=f"bytes */{TOTAL}")


@pytest.fixture
def draft(alice: User, object_store: SelfServedStore) -> Session:
    return begin(alice, size_bytes=TOTAL)


@pytest.fixture
def sender(draft: Session) -> Sender:
    return Sender(draft.uploads.get().url)


def read_object(store: SelfServedStore, session: Session) -> bytes:
    path = session.uploads.get().object_path
    return b"".join(store.read_bytes(object_path=path, byte_range=ByteRange(first_byte=0, last_byte=TOTAL)))


def expect_incomplete(response: Any, received_bytes: int) -> None:
    assert (response.status_code, response.reason_phrase) == (308, "Resume Incomplete")
    expected = f"bytes=0-{received_bytes - 1}" if received_bytes else None
    assert response.headers.get("Range") == expected
    assert "Location" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"


def test_chunks_one_after_another_make_the_object(
    sender: Sender, draft: Session, object_store: SelfServedStore
) -> None:
    expect_incomplete(sender.send(0, 99_999), 100_000)
    expect_incomplete(sender.send(100_000, 199_999), 200_000)
    assert sender.send(200_000, TOTAL - 1).status_code == 200
    assert read_object(object_store, draft) == CONTENT


def test_a_status_query_says_where_to_go_on(sender: Sender) -> None:
    expect_incomplete(sender.ask(), 0)
    sender.send(0, 1234)
    expect_incomplete(sender.ask(), 1235)
    expect_incomplete(sender.put(content_range="bytes */*"), 1235)
    sender.send(1235, TOTAL - 1)
    assert sender.ask().status_code == 200


def test_the_whole_video_in_one_request_needs_no_range(
    sender: Sender, draft: Session, object_store: SelfServedStore
) -> None:
    assert sender.put(CONTENT).status_code == 200
    assert read_object(object_store, draft) == CONTENT


def test_a_chunk_of_unknown_total_is_taken(sender: Sender) -> None:
    expect_incomplete(sender.put(CONTENT[:5000], "bytes 0-4999/*"), 5000)


def test_a_chunk_sent_again_changes_nothing(sender: Sender, draft: Session, object_store: SelfServedStore) -> None:
    sender.send(0, 99_999)
    expect_incomplete(sender.send(0, 99_999), 100_000)
    sender.send(50_000, TOTAL - 1)
    assert sender.send(200_000, TOTAL - 1).status_code == 200, "the answer to the last chunk was lost"
    assert read_object(object_store, draft) == CONTENT


def test_a_chunk_from_further_on_is_told_where_we_are(sender: Sender) -> None:
    sender.send(0, 99)
    response = sender.send(200, 299)
    read_problem(response, 416, "upload_offset_mismatch")
    assert response.headers["Range"] == "bytes=0-99"
    response = Sender(sender.url).send(150, 199)
    assert response.headers["Range"] == "bytes=0-99"


@pytest.mark.parametrize(
    ("body", "content_range"),
    [
        (b"xx", "bytes 0-9/300000"),
        (b"x" * 20, "bytes 0-9/300000"),
        (b"", "bytes 0-9/300000"),
        (b"x", "bytes */300000"),
        (b"", None),
        (b"x" * 10, None),
        (b"x" * 10, "bytes 0-9/10"),
        (b"x" * 10, "bytes 299995-300004/*"),
        (b"x" * 10, "bytes=0-9/300000"),
        (b"x" * 10, "bytes 9-0/300000"),
        (b"x" * 10, "nonsense"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    sender: Sender, body: bytes, content_range: str | None
) -> None:
    read_problem(sender.put(body, content_range), 400, "upload_refused")
    expect_incomplete(sender.ask(), 0)


def test_an_upload_given_up_is_gone(sender: Sender) -> None:
    sender.send(0, 99)
    assert sender.client.delete(sender.url).status_code == 204
    read_problem(sender.ask(), 410, "upload_closed")
    read_problem(sender.send(100, 199), 410, "upload_closed")
    read_problem(sender.client.delete(sender.url), 410, "upload_closed")


def test_an_expired_upload_is_gone(alice: User, object_store: SelfServedStore, settings: Settings) -> None:
    settings.UPLOAD_LIFETIME = -settings.UPLOAD_LIFETIME
    sender = Sender(begin(alice, size_bytes=TOTAL).uploads.get().url)
    read_problem(sender.ask(), 410, "upload_closed")


@pytest.mark.parametrize("token", ["x", "..", "%2e%2e%2fetc", "a" * 500, "%00"])
@pytest.mark.usefixtures("object_store")
def test_a_token_that_was_never_given_opens_nothing(token: str) -> None:
    assert Sender(f"/uploads/{token}").ask().status_code in {404, 410}


def test_other_methods_are_not_taken(sender: Sender) -> None:
    for method in ("get", "post", "patch", "head", "options"):
        assert getattr(sender.client, method)(sender.url).status_code == 405


def test_an_upload_does_not_ask_who_is_logged_in(sender: Sender, charlie: User) -> None:
    """Whoever holds the URL may send: it is a capability, and known to nobody but whom it was given to."""
    sender.client.force_login(charlie)
    assert "sessionid" in sender.client.cookies
    assert sender.put(CONTENT).status_code == 200
