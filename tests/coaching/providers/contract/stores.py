"""Object stores under contract, each with the means to upload to it and to read a signed link of it.

To put another store under contract, add its harness to `STORES`.
"""

import contextlib
import io
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from coaching.errors import LinkRefused, NotFound, UploadRefused
from coaching.providers.google.cloud_storage import CloudStore
from coaching.providers.local.file_store import FileStore
from coaching.providers.ports import ByteRange, ObjectStore, UploadSession
from tests.emulators.iam import PROJECT
from tests.emulators.storage import StorageEmulator
from tests.emulators.storage_uploads import SESSION_SECONDS
from tests.emulators.world import GoogleWorld


@dataclass(frozen=True, kw_only=True)
class PutAnswer:
    """What the uploader's side sees of the resumable protocol."""

    status_code: int
    received_bytes: int


@dataclass(frozen=True, kw_only=True)
class ReadAnswer:
    status_code: int
    content_type: str = ""
    body: bytes = b""


class StoreHarness(Protocol):
    @property
    def store(self) -> ObjectStore: ...

    def put_chunk(self, url: str, *, body: bytes, first_byte: int, last_byte: int, total_bytes: int) -> PutAnswer:
        """PUT with a Content-Range; `body` may be shorter than it says: the connection was cut."""

    def read(self, url: str, *, byte_range: ByteRange | None = None) -> ReadAnswer: ...

    def let_time_pass(self, seconds: float) -> None: ...

    def expire(self, session: UploadSession) -> None:
        """Let so much time pass that the store forgets the upload by itself."""


class FileStoreHarness:
    def __init__(self, folder: Path) -> None:
        self.clock_offset_seconds = 0.0
        self.store = FileStore(root=folder / "objects", secret="x" * 50, read_clock=self._read_clock)

    def _read_clock(self) -> float:
        return 1_900_000_000.0 + self.clock_offset_seconds

    def let_time_pass(self, seconds: float) -> None:
        self.clock_offset_seconds += seconds

    def expire(self, session: UploadSession) -> None:
        self.let_time_pass(session.expires_at.timestamp() - self._read_clock() + 1)

    def put_chunk(self, url: str, *, body: bytes, first_byte: int, last_byte: int, total_bytes: int) -> PutAnswer:
        try:
            status = self.store.append_chunk(
                token=url.removeprefix("/uploads/"),
                first_byte=first_byte,
                last_byte=last_byte,
                total_bytes=total_bytes,
                stream=io.BytesIO(body),
            )
        except UploadRefused:
            return PutAnswer(status_code=400, received_bytes=self.store.count_uploaded_bytes(url))
        return PutAnswer(status_code=200 if status.complete else 308, received_bytes=status.received_bytes)

    def read(self, url: str, *, byte_range: ByteRange | None = None) -> ReadAnswer:
        parts = urlsplit(url)
        query: Mapping[str, str] = dict(parse_qsl(parts.query))
        object_path = unquote(parts.path).removeprefix("/media/")
        try:
            allowed = self.store.open_signed(object_path=object_path, query=query)
        except LinkRefused:
            return ReadAnswer(status_code=403)
        except NotFound:
            return ReadAnswer(status_code=404)
        whole = ByteRange(first_byte=0, last_byte=allowed.stored.size_bytes - 1)
        pieces = self.store.read_bytes(object_path=object_path, byte_range=byte_range or whole)
        return ReadAnswer(
            status_code=206 if byte_range else 200, content_type=allowed.content_type, body=b"".join(pieces)
        )


class CloudStoreHarness:
    """A browser's side of the conversation, with what it would see of CORS."""

    ORIGIN = "http://127.0.0.1"

    def __init__(self, emulator: StorageEmulator, world: GoogleWorld) -> None:
        self.emulator = emulator
        self.store = CloudStore(
            project=PROJECT,
            bucket=emulator.bucket.name,
            storage_endpoint=emulator.url,
            iam_endpoint=world.iam.url,
            read_clock=lambda: datetime.now(UTC) + timedelta(seconds=emulator.clock_offset_seconds),
        )

    def let_time_pass(self, seconds: float) -> None:
        self.emulator.clock_offset_seconds += seconds

    def expire(self, session: UploadSession) -> None:
        """Cloud Storage keeps an upload for a week, whatever we told the learner; the sweeper closes it sooner."""
        assert session.expires_at.timestamp() <= self.emulator.read_clock() + SESSION_SECONDS
        self.let_time_pass(SESSION_SECONDS + 1)

    def put_chunk(self, url: str, *, body: bytes, first_byte: int, last_byte: int, total_bytes: int) -> PutAnswer:
        headers = {"Content-Range": f"bytes {first_byte}-{last_byte}/{total_bytes}", "Origin": self.ORIGIN}
        if len(body) < last_byte - first_byte + 1:
            self._send_cut(url, body, headers | {"Content-Length": str(last_byte - first_byte + 1)})
            return self.ask_status(url)
        answer = httpx.put(url, content=body, headers=headers)
        if answer.status_code == 400:
            self.emulator.complaints.clear()  # about the browser, not about us
        else:
            assert answer.headers["Access-Control-Allow-Origin"] == self.ORIGIN
        return self._read_answer(answer, total_bytes)

    def ask_status(self, url: str) -> PutAnswer:
        return self._read_answer(httpx.put(url, headers={"Content-Range": "bytes */*", "Origin": self.ORIGIN}), 0)

    @staticmethod
    def _read_answer(answer: httpx.Response, total_bytes: int) -> PutAnswer:
        received_bytes = total_bytes if answer.status_code == 200 else 0
        if answer.status_code == 308:
            received_bytes = int(answer.headers.get("Range", "bytes=0--1").rpartition("-")[2]) + 1
        return PutAnswer(status_code=answer.status_code, received_bytes=received_bytes)

    def _send_cut(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """A connection that is closed in the middle of the body."""
        seen = len(self.emulator.log)
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            head = "".join(f"{name}: {value}\r\n" for name, value in (headers | {"Host": parts.netloc}).items())
            connection.sendall(f"PUT {parts.path}?{parts.query} HTTP/1.1\r\n{head}\r\n".encode() + body)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):  # until the server has done with it
                pass
        assert len(self.emulator.log) > seen

    def read(self, url: str, *, byte_range: ByteRange | None = None) -> ReadAnswer:
        headers = {"Range": f"bytes={byte_range.first_byte}-{byte_range.last_byte}"} if byte_range else {}
        answer = httpx.get(url, headers=headers)
        if answer.status_code == 400 and "ExpiredToken" in answer.text:
            self.emulator.complaints.clear()
            return ReadAnswer(status_code=403)  # to the player both mean: read the page again
        return ReadAnswer(
            status_code=answer.status_code, content_type=answer.headers["Content-Type"], body=answer.content
        )


@contextlib.contextmanager
def open_file_store(folder: Path, _world: GoogleWorld) -> Iterator[StoreHarness]:
    yield FileStoreHarness(folder)


@contextlib.contextmanager
def open_cloud_store(folder: Path, world: GoogleWorld) -> Iterator[CloudStoreHarness]:
    with StorageEmulator(world.identity, folder=folder / "bucket") as emulator:
        yield CloudStoreHarness(emulator, world)
        assert emulator.complaints == []


STORES: dict[str, Callable[[Path, GoogleWorld], AbstractContextManager[StoreHarness]]] = {
    "file_store": open_file_store,
    "cloud_storage": open_cloud_store,
}
