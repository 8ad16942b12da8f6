"""Uploads into a bucket: in one request, and resumable ones, as the JSON API takes them.

https://cloud.google.com/storage/docs/performing-resumable-uploads: chunks are multiples of 256 KiB but the last, what
arrived is kept in multiples of that, 308 says how far, a session lives for a week and answers CORS for one origin.
"""

import json
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from tests.emulators.http_server import Answer, Refusal, Request
from tests.emulators.storage_objects import SETTABLE, Bucket, compute_crc32c

QUANTUM_BYTES = 256 * 1024
SESSION_SECONDS = 7 * 86400
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_OPENING = {"uploadType", "name", "ifGenerationMatch", "prettyPrint", "fields"}


@dataclass(kw_only=True)
class Session:
    resource: dict[str, Any]
    query: dict[str, str]
    content_type: str
    size_bytes: int | None
    origin: str | None
    opened_at: float
    received: bytearray = field(default_factory=bytearray)
    finished: dict[str, Any] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Uploads:
    """`keep_next_bytes`: of the next chunk only that much is kept, as the service may do at any time."""

    def __init__(self, bucket: Bucket, *, read_clock: Callable[[], float] = time.time) -> None:
        self._bucket = bucket
        self._read_clock = read_clock
        self._sessions: dict[str, Session] = {}
        self.keep_next_bytes: int | None = None

    # --- in one request ---------------------------------------------------------------------------------------------

    def take_multipart(self, request: Request) -> Answer:
        _refuse_unknown(request)
        stated = re.search(r'boundary="?([^";]+)', request.headers.get("Content-Type") or "")
        if stated is None:
            raise Refusal(400, "multipart/related without a boundary")
        parts = request.body.split(b"--" + stated[1].encode())
        if len(parts) != 4 or parts[3].strip() != b"--":
            raise Refusal(400, f"{len(parts) - 2} parts; a resource and its bytes were expected")
        resource = json.loads(parts[1].split(b"\r\n\r\n", 1)[1])
        head, content = parts[2].split(b"\r\n\r\n", 1)
        content_type = re.search(rb"content-type: *([^\r\n]+)", head, re.IGNORECASE)
        blob = self._bucket.write(
            resource,
            content.removesuffix(b"\r\n"),
            content_type=content_type[1].decode() if content_type else "application/octet-stream",
            query=request.query,
        )
        return Answer.of_json(self._bucket.describe(blob))

    # --- resumable --------------------------------------------------------------------------------------------------

    def open(self, request: Request, *, base_url: str) -> Answer:
        _refuse_unknown(request)
        resource = request.json if request.body else {}
        resource.setdefault("name", request.query.get("name"))
        if not resource["name"] or resource.keys() - SETTABLE:
            raise Refusal(400, f"not a resource that can be begun: {sorted(resource)}")
        self._bucket.check_precondition(resource["name"], request.query)
        stated_size = request.headers.get("X-Upload-Content-Length")
        token = secrets.token_urlsafe(32)
        session = Session(
            resource=resource,
            query=request.query,
            content_type=request.headers.get("X-Upload-Content-Type")
            or resource.get("contentType")
            or "application/octet-stream",
            size_bytes=None if stated_size is None else int(stated_size),
            origin=request.headers.get("Origin"),
            opened_at=self._read_clock(),
        )
        self._sessions[token] = session
        location = f"{base_url}{request.path}?uploadType=resumable&upload_id={token}"
        return Answer(headers={"Location": location, "X-GUploader-UploadID": token, **_allow(session, request)})

    def go_on(self, request: Request) -> Answer:
        """OPTIONS, PUT or DELETE of a session. Its URL is the key: no credentials are looked at."""
        session = self._sessions.get(request.query["upload_id"])
        if session is None or self._read_clock() > session.opened_at + SESSION_SECONDS:
            return Answer(status=410)
        cors = _allow(session, request)
        if request.method == "OPTIONS":
            return Answer(headers=cors)
        if request.method == "DELETE":
            del self._sessions[request.query["upload_id"]]
            return Answer(status=499, headers=cors)
        if request.method not in {"PUT", "POST"}:
            raise Refusal(405, f"{request.method} of an upload")
        with session.lock:
            return self._take_chunk(session, request, cors)

    def _take_chunk(self, session: Session, request: Request, cors: dict[str, str]) -> Answer:
        if session.finished is not None:
            return Answer.of_json(session.finished, headers=cors)
        first_byte, total_bytes = self._read_range(session, request)
        if first_byte is not None:
            if first_byte > len(session.received):
                return Answer(status=503, headers=cors)
            self._keep(session, request.body, first_byte=first_byte, total_bytes=total_bytes)
        if total_bytes is not None and len(session.received) == total_bytes:
            session.finished = self._finish(session, request)
            return Answer.of_json(session.finished, headers=cors)
        received = {"Range": f"bytes=0-{len(session.received) - 1}"} if session.received else {}
        return Answer(status=308, headers={**cors, **received})

    def _read_range(self, session: Session, request: Request) -> tuple[int | None, int | None]:
        """First byte (None for a status query) and total (None where it is not known yet)."""
        stated = request.headers.get("Content-Range")
        length_bytes = int(request.headers.get("Content-Length") or 0)
        first_byte, total_bytes = 0, cast("int | None", length_bytes)
        if stated is not None:
            found = _CONTENT_RANGE.fullmatch(stated)
            if found is None:
                raise Refusal(400, f"not a Content-Range: {stated!r}")
            total_bytes = None if found[3] == "*" else int(found[3])
            if found[1] is None:
                if length_bytes:
                    raise Refusal(400, "a status query has no body")
                return None, total_bytes
            first_byte = int(found[1])
            if int(found[2]) - first_byte + 1 != length_bytes:
                raise Refusal(400, f"{length_bytes} bytes do not fill {stated!r}")
            if length_bytes % QUANTUM_BYTES and int(found[2]) + 1 != total_bytes:
                raise Refusal(400, f"a chunk of {length_bytes} bytes: no multiple of 256 KiB, and not the last")
        if session.size_bytes is not None and total_bytes not in {None, session.size_bytes}:
            raise Refusal(400, f"{total_bytes} bytes in all, X-Upload-Content-Length was {session.size_bytes}")
        return first_byte, total_bytes

    def _keep(self, session: Session, body: bytes, *, first_byte: int, total_bytes: int | None) -> None:
        whole = total_bytes is not None and first_byte + len(body) == total_bytes
        kept_bytes = len(body) if whole else len(body) // QUANTUM_BYTES * QUANTUM_BYTES
        if self.keep_next_bytes is not None:
            kept_bytes, self.keep_next_bytes = min(kept_bytes, self.keep_next_bytes), None
        new = body[max(0, len(session.received) - first_byte) : kept_bytes]
        session.received += new

    def _finish(self, session: Session, request: Request) -> dict[str, Any]:
        content = bytes(session.received)
        stated = re.search(r"crc32c=([^,]+)", request.headers.get("X-Goog-Hash") or "")
        if stated is not None and stated[1] != compute_crc32c(content):
            raise Refusal(400, f"Provided CRC32C {stated[1]!r} doesn't match the uploaded bytes.")
        blob = self._bucket.write(session.resource, content, content_type=session.content_type, query=session.query)
        return self._bucket.describe(blob)


def _refuse_unknown(request: Request) -> None:
    if unknown := request.query.keys() - _OPENING:
        raise Refusal(400, f"unknown parameters: {sorted(unknown)}")


def _allow(session: Session, request: Request) -> dict[str, str]:
    """CORS headers for the origin that the session was opened for, and for no other."""
    origin = request.headers.get("Origin")
    if origin is None or origin != session.origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "PUT, POST, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": "content-type, content-range, x-goog-resumable",
        "Access-Control-Expose-Headers": "Range, X-GUploader-UploadID",
        "Vary": "Origin",
    }
