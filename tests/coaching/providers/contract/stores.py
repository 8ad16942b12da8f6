"""Object stores under contract, each with the means to upload to it and to read a signed link of it.

To put another store under contract, add its harness to `STORES`.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from coaching.errors import LinkRefused, NotFound, UploadRefused
from coaching.providers.local.file_store import FileStore
from coaching.providers.ports import ByteRange, ObjectStore


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


class FileStoreHarness:
    def __init__(self, folder: Path) -> None:
        self.clock_offset_seconds = 0.0
        self.store = FileStore(root=folder / "objects", secret="x" * 50, read_clock=self._read_clock)

    def _read_clock(self) -> float:
        return 1_900_000_000.0 + self.clock_offset_seconds

    def let_time_pass(self, seconds: float) -> None:
        self.clock_offset_seconds += seconds

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


STORES: dict[str, Callable[[Path], StoreHarness]] = {"file_store": FileStoreHarness}
