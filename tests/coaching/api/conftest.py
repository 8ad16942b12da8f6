"""What the API's tests share: problems are problems, and Alice has cooks in every state."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from coaching import problems
from coaching.models import Session, SessionStatus, User
from coaching.providers.ports import SelfServedStore
from coaching.services import sessions
from coaching.services.chat import open_rooms
from tests.coaching.services.test_sessions import begin, end, send

VIDEO_FACTS = {"content_type": "video/mp4", "duration_seconds": 61.0}
FILM_FACTS = {"duration_seconds": 58.2, "width_px": 1280, "height_px": 720}


def read_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem that the response must be."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == problems.CONTENT_TYPE
    problem: dict[str, Any] = response.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["type"] == f"urn:moment-clone:problem:{code}"
    assert any("\u3040" <= character <= "\u30ff" for character in problem["detail"]), "the learner reads Japanese"
    return problem


@pytest.fixture
def draft(alice: User, loaded_content: None, object_store: SelfServedStore, video_bytes: bytes) -> Session:
    return begin(alice, size_bytes=len(video_bytes))


def submit(session: Session, store: SelfServedStore, video: bytes) -> Session:
    send(store, session, video)
    sessions.submit_session(session_id=session.pk, user_id=session.user_id)
    session.refresh_from_db()
    return session


@pytest.fixture
def submitted(draft: Session, object_store: SelfServedStore, video_bytes: bytes) -> Session:
    return submit(draft, object_store, video_bytes)


@pytest.fixture
def completed(submitted: Session) -> Session:
    """As `deliver` leaves a session."""
    submitted.voice_memo_path = f"sessions/{submitted.pk}/memo/a.m4a"
    submitted.video_facts = VIDEO_FACTS
    submitted.thumbnail_path = f"sessions/{submitted.pk}/poster.jpg"
    submitted.captions_path = f"sessions/{submitted.pk}/captions.vtt"
    submitted.chapters_path = f"sessions/{submitted.pk}/chapters.vtt"
    submitted.film_facts = FILM_FACTS
    submitted.video_analysis = {"outcome": "good", "is_offline": True, "cooking_events": []}
    end(submitted, SessionStatus.COMPLETED)
    open_rooms(submitted.user)
    return submitted


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


@pytest.fixture
def cooks(alice: User, completed: Session, object_store: SelfServedStore, video_bytes: bytes) -> list[Session]:
    """Alice's: one that is done, one that is being worked on, one that waits for its video."""
    size_bytes = len(video_bytes)
    return [
        completed,
        submit(begin(alice, "pomodoro", size_bytes=size_bytes), object_store, video_bytes),
        begin(alice, "beef-steak", size_bytes=size_bytes),
    ]
