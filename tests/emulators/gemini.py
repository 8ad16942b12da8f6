"""Gemini over its real protocol: Vertex AI's paths and the Developer API's, streaming and the Files API included.

Answers come from a script (`reply`) or, where that is empty, from an answerer, which gets the call as it arrived.
"""

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.emulators.gemini_files import FilesApi
from tests.emulators.gemini_requests import GenerateCall, complain, read_call
from tests.emulators.http_server import Answer, HttpEmulator, Refusal, Request
from tests.emulators.iam import PROJECT, Identity

API_KEY = "AIza-of-the-emulator"
MODELS = frozenset({"gemini-3-flash-preview", "gemini-3.8-flash"})
STREAM_PIECE_CHARACTERS = 24

_VERTEX = re.compile(
    r"/v1beta1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
    r"/publishers/google/models/(?P<model>[^/:]+):(?P<verb>\w+)"
)
_DEVELOPER = re.compile(r"/v1beta/models/(?P<model>[^/:]+):(?P<verb>\w+)")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A model's answer. `raw` replaces the whole body.

    `breaks` spoils a stream after its first piece: an error in it, a hang-up, silence, or an end without a reason.
    """

    text: str = ""
    finish_reason: str | None = "STOP"
    thoughts: str = ""
    output_tokens: int = 90
    thinking_tokens: int = 40
    raw: dict[str, Any] | None = None
    breaks: Literal["", "error", "drop", "stall", "ends"] = ""
    feedback: dict[str, Any] = field(default_factory=dict)


Answerer = Callable[[GenerateCall], Reply]


class GeminiEmulator(HttpEmulator):
    """`find_object` says whether a gs:// object exists; without one every object does."""

    def __init__(
        self,
        identity: Identity,
        *,
        folder: Path,
        answerer: Answerer | None = None,
        find_object: Callable[[str], bool] | None = None,
        project: str = PROJECT,
    ) -> None:
        super().__init__()
        self.files = FilesApi(folder=folder)
        self.calls: list[GenerateCall] = []
        self.first_piece_characters = STREAM_PIECE_CHARACTERS
        self._replies: deque[Reply] = deque()
        self._replies_lock = threading.Lock()
        self._answerer = answerer
        self._find_object = find_object or (lambda uri: True)
        self._identity = identity
        self._project = project
        self._stopping = threading.Event()

    def reply(self, *replies: Reply) -> None:
        self._replies.extend(replies)

    def forget(self) -> None:
        """Everything that was ordered, and that came."""
        self.script.clear()
        self._replies.clear()
        self.files.forget()
        self.first_piece_characters = STREAM_PIECE_CHARACTERS
        self.clients_gone = 0
        for seen in (self.log, self.complaints, self.calls):
            seen.clear()

    def __exit__(self, *exit_: Any) -> None:
        self._stopping.set()
        super().__exit__(*exit_)

    @property
    def replies_left(self) -> int:
        return len(self._replies)

    def answer(self, request: Request) -> Answer:
        if match := _VERTEX.fullmatch(request.path):
            self._check_vertex(request, match)
            return self._generate(request, match, is_vertex=True)
        # Like the real service, the upload's own URL is a capability.
        if request.headers.get("x-goog-api-key") != API_KEY and "upload_id" not in request.query:
            raise complain("API key not valid. Please pass a valid API key.")
        if (answer := self.files.handle(request, url=self.url)) is not None:
            return answer
        if match := _DEVELOPER.fullmatch(request.path):
            return self._generate(request, match, is_vertex=False)
        return super().answer(request)

    def _check_vertex(self, request: Request, match: re.Match[str]) -> None:
        self._identity.require_token(request)
        if match["project"] != self._project:
            message = f"Permission denied on resource project {match['project']}."
            raise Refusal(403, message, status_name="PERMISSION_DENIED")
        if match["location"] != "global" and "preview" in match["model"]:
            message = f"Publisher Model {match['model']} was not found in {match['location']}."
            raise Refusal(404, message, status_name="NOT_FOUND")

    def _generate(self, request: Request, match: re.Match[str], *, is_vertex: bool) -> Answer:
        if match["model"] not in MODELS:
            message = f"models/{match['model']} is not found for API version v1beta."
            raise Refusal(404, message, status_name="NOT_FOUND")
        is_streamed = match["verb"] == "streamGenerateContent"
        if not is_streamed and match["verb"] != "generateContent":
            raise complain(f"no such method: {match['verb']}")
        if is_streamed and request.query.get("alt") != "sse":
            raise complain("a stream is read as server-sent events: alt=sse")
        call = read_call(request, model=match["model"], is_vertex=is_vertex, is_streamed=is_streamed)
        self._check_videos(call)
        self.calls.append(call)
        reply = self._take_reply(call)
        if is_streamed:
            return Answer(headers={"Content-Type": "text/event-stream"}, pieces=self._stream(reply, call))
        whole = _compose(reply, reply.text, is_last=True, model=call.model) if reply.raw is None else reply.raw
        return Answer.of_json(whole)

    def _check_videos(self, call: GenerateCall) -> None:
        for video in call.videos:
            if not call.is_vertex:
                self.files.find_by_uri(video.uri)
            elif not video.uri.startswith("gs://"):
                raise complain(f"Unsupported file URI: {video.uri}")
            elif not self._find_object(video.uri):
                raise complain(f"Cannot fetch content from the provided URI: {video.uri}")

    def _take_reply(self, call: GenerateCall) -> Reply:
        with self._replies_lock:
            if self._replies:
                return self._replies.popleft()
        if self._answerer is None:
            raise complain("nobody told the emulator what to answer")
        return self._answerer(call)

    def _stream(self, reply: Reply, call: GenerateCall) -> Iterator[bytes]:
        if reply.raw is not None:
            yield _event(reply.raw)
            return
        pieces = self._cut(reply.text)
        for number, piece in enumerate(pieces):
            is_last = number == len(pieces) - 1
            if number == 1 and reply.breaks:
                yield from self._break(reply.breaks)
                return
            yield _event(_compose(reply, piece, is_last=is_last, model=call.model))

    def _cut(self, text: str) -> list[str]:
        first, size = self.first_piece_characters, max(STREAM_PIECE_CHARACTERS, len(text) // 200)
        return [text[:first], *(text[start : start + size] for start in range(first, len(text), size))]

    def _break(self, how: str) -> Iterator[bytes]:
        if how == "error":
            yield _event({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})
        elif how == "drop":
            raise ConnectionAbortedError
        elif how == "stall":
            self._stopping.wait(60)


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(content, ensure_ascii=False).encode() + b"\r\n\r\n"


def _compose(reply: Reply, text: str, *, is_last: bool, model: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": reply.thoughts, "thought": True}] if reply.thoughts else []
    if text:
        parts.append({"text": text})
    candidate: dict[str, Any] = {"index": 0}
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    if is_last and reply.finish_reason is not None:
        candidate["finishReason"] = reply.finish_reason
    body: dict[str, Any] = {"candidates": [candidate], "modelVersion": model, "responseId": "r-1", **reply.feedback}
    if is_last:
        body["usageMetadata"] = {
            "promptTokenCount": 6200,
            "candidatesTokenCount": reply.output_tokens,
            "thoughtsTokenCount": reply.thinking_tokens,
            "totalTokenCount": 6200 + reply.output_tokens + reply.thinking_tokens,
            "promptTokensDetails": [
                {"modality": "VIDEO", "tokenCount": 4200},
                {"modality": "AUDIO", "tokenCount": 1920},
                {"modality": "TEXT", "tokenCount": 80},
            ],
        }
    return body
