"""What the tests of the file store have in common."""

import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from coaching.providers.local.file_store import FileStore

HOUR = timedelta(hours=1)
CONTENT = os.urandom(300_000)
ESCAPES = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../../x",
    "a/./b",
    "a//b",
    "a/",
    "a/b\n",
    "a\x00b",
    "a\\..\\b",
    "~/x",
    "%2e%2e/x",
    ".lock",
    "a/.film.mp4.json",
    ".uploads/x",
    "あ/b",
    "a b",
    "a" * 129,
    "/".join(["a" * 100] * 6),
]


class Clock:
    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


class BreakingStream(io.BytesIO):
    """Gives what it has, then breaks as a connection does."""

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        if not piece:
            raise ConnectionResetError("connection reset by peer")
        return piece


def open_upload(store: FileStore, object_path: str = "s/1/raw.mp4", size_bytes: int = len(CONTENT)) -> str:
    session = store.open_upload(
        object_path=object_path, size_bytes=size_bytes, content_type="video/mp4", origin="", lifetime=HOUR
    )
    return session.url.removeprefix("/uploads/")


def append(store: FileStore, token: str, first_byte: int, body: bytes, **stated: int | None) -> tuple[int, bool]:
    arguments: dict[str, Any] = {"last_byte": first_byte + len(body) - 1, "total_bytes": None} | stated
    status = store.append_chunk(token=token, first_byte=first_byte, stream=io.BytesIO(body), **arguments)
    return status.received_bytes, status.complete


def write(store: FileStore, object_path: str, content: bytes = CONTENT) -> None:
    store.write_stream(
        object_path=object_path, stream=io.BytesIO(content), content_type="video/mp4", max_bytes=len(content)
    )


def read_whole(store: FileStore, object_path: str) -> bytes:
    source = store.locate(object_path).source
    assert isinstance(source, Path)
    return source.read_bytes()
