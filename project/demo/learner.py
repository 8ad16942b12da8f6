"""The learner of the demo: everything it does goes over HTTP, as a browser would."""

import mimetypes
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from coaching.knowledge.entries import Question
from coaching.knowledge.loader import read_quiz
from coaching.models import User
from coaching.models.user import SubscriptionStatus

RESUME_INCOMPLETE = 308
NAME = "はる"


class DemoRefused(Exception):  # named after what happened
    """The API declined something; the message is its own."""


@dataclass(frozen=True, slots=True)
class Login:
    email: str
    password: str


def make_login(role: str) -> Login:
    return Login(email=f"{role}-{secrets.token_hex(3)}@demo.example", password=secrets.token_urlsafe(12))


def create_accounts() -> tuple[Login, Login]:
    """A new learner with an active plan, and an admin: the one thing not done over HTTP, since plans are bought."""
    learner, admin = make_login("learner"), make_login("admin")
    User.objects.create_user(
        learner.email, learner.password, first_name=NAME, subscription_status=SubscriptionStatus.ACTIVE
    )
    User.objects.create_superuser(admin.email, admin.password, first_name="管理")
    return learner, admin


def _answer(question: Question) -> str | int | list[str]:
    """A plausible answer to any question of the quiz."""
    if question.type in {"number", "scale"}:
        return max(question.min or 0, min(question.max or 3, 3))
    if question.type == "multi":
        return [question.options[0].value]
    if question.type == "single":
        return question.options[0].value
    return NAME


def _name_type(video: Path) -> str:
    return mimetypes.guess_type(video.name)[0] or "application/octet-stream"


class DemoLearner:
    """A client of the HTTP API with a session of its own."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=60, headers={"Accept": "application/json"})

    def __enter__(self) -> "DemoLearner":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def session_cookie(self) -> dict[str, str]:
        """What makes a browser this learner's, in Playwright's form."""
        return {"name": "sessionid", "value": self._http.cookies["sessionid"], "url": str(self._http.base_url)}

    def log_in(self, login: Login) -> None:
        self._http.get("/api/auth/me/")  # 401, with the CSRF cookie
        self._send("POST", "/api/auth/login/", json={"email": login.email, "password": login.password})

    def register(self, login: Login) -> None:
        self._http.get("/api/auth/me/")
        account = {"email": login.email, "password": login.password, "first_name": NAME}
        self._send("POST", "/api/auth/register/", json=account)

    def answer_quiz(self) -> None:
        """The core questions and every consent that is required."""
        quiz = read_quiz()
        self._send(
            "POST",
            "/api/onboarding/",
            json={
                "answers": {question.profile_key: _answer(question) for question in quiz.questions if question.core},
                "consents": {consent.key: True for consent in quiz.consents if consent.required},
                "finish": True,
            },
        )

    def begin_session(self, dish: str, video: Path) -> dict[str, Any]:
        claim = {"size_bytes": video.stat().st_size, "content_type": _name_type(video)}
        return self._send("POST", "/api/sessions/", json={"dish": dish, "video": claim})

    def reopen_upload(self, session_id: int, video: Path) -> dict[str, Any]:
        claim = {"size_bytes": video.stat().st_size, "content_type": _name_type(video)}
        return self._send("POST", f"/api/sessions/{session_id}/uploads/", json=claim)

    def upload_video(self, upload: dict[str, Any], video: Path) -> Iterator[int]:
        """PUT the video in chunks, going on from where the server says it is; yields the bytes that have arrived."""
        total, sent = video.stat().st_size, 0
        with video.open("rb") as file:
            while sent < total:
                file.seek(sent)
                chunk = file.read(upload["chunk_bytes"])
                answer = self._http.put(
                    upload["url"],
                    content=chunk,
                    headers={"Content-Range": f"bytes {sent}-{sent + len(chunk) - 1}/{total}"},
                )
                if answer.status_code == RESUME_INCOMPLETE:
                    sent = int(answer.headers.get("Range", "bytes=0--1").rpartition("-")[2]) + 1
                elif answer.is_success:
                    sent = total
                else:
                    raise DemoRefused(f"the upload was refused: {answer.status_code} {answer.text[:500]}")
                yield sent

    def send_memo(self, session_id: int, memo: Path) -> None:
        with memo.open("rb") as file:
            self._send("POST", f"/api/sessions/{session_id}/voice-memo/", files={"memo": (memo.name, file)})

    def rate(self, session_id: int, ratings: dict[str, int]) -> None:
        self._send("PATCH", f"/api/sessions/{session_id}/ratings/", json=ratings)

    def submit(self, session_id: int) -> dict[str, Any]:
        return self._send("POST", f"/api/sessions/{session_id}/submit/")

    def look(self, session_id: int) -> dict[str, Any]:
        return self._send("GET", f"/api/sessions/{session_id}/")

    def read_messages(self, room_type: str) -> list[dict[str, Any]]:
        """The newest page of a room."""
        messages: list[dict[str, Any]] = self._send("GET", f"/api/chat/rooms/{room_type}/messages/")["results"]
        return messages

    def download(self, url: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._http.stream("GET", url) as answer, target.open("wb") as file:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                file.write(piece)

    def _send(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        headers = {"X-CSRFToken": self._http.cookies.get("csrftoken") or ""}
        answer = self._http.request(method, path, headers=headers, **content)
        if not answer.is_success:
            problem = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
            raise DemoRefused(f"{method} {path}: {answer.status_code} {problem.get('detail') or answer.text[:500]}")
        answered: dict[str, Any] = answer.json() if answer.content else {}
        return answered
