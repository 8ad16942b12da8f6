"""The object store of the embedded default: files in a folder, served by our own web process.

It keeps the promises that Cloud Storage keeps in production: immutable objects, resumable uploads in the same
protocol, signed links. The views of `/uploads/` and `/media/` reach what only it can do through `SelfServedStore`.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from coaching.errors import NotFound, UploadClosed
from coaching.providers.local.file_store.links import LinkSigner
from coaching.providers.local.file_store.objects import COPY_BYTES, ObjectFolder, translate_disk_errors
from coaching.providers.local.file_store.uploads import UploadFolder
from coaching.providers.ports import ByteRange, MediaLocation, SignedRead, StoredObject, UploadSession, UploadStatus

__all__ = ["FileStore"]


class FileStore:
    """`base_path` and `upload_path` are where the views of the web process stand. Implements `SelfServedStore`."""

    def __init__(
        self,
        *,
        root: Path,
        secret: str,
        base_path: str = "/media/",
        upload_path: str = "/uploads/",
        read_clock: Callable[[], float] = time.time,
    ) -> None:
        self._objects = ObjectFolder(Path(root))
        self._uploads = UploadFolder(self._objects, read_clock=read_clock)
        self._links = LinkSigner(secret=secret, base_path=base_path, read_clock=read_clock)
        self._upload_path = upload_path
        self._read_clock = read_clock

    # --- objects ----------------------------------------------------------------------------------------------------

    def write_file(self, *, object_path: str, source: Path, content_type: str) -> StoredObject:
        with translate_disk_errors(f"reading {source}"), source.open("rb") as stream:
            return self._objects.write(object_path=object_path, stream=stream, content_type=content_type)

    def write_stream(self, *, object_path: str, stream: BinaryIO, content_type: str, max_bytes: int) -> StoredObject:
        return self._objects.write(
            object_path=object_path, stream=stream, content_type=content_type, max_bytes=max_bytes
        )

    def find(self, object_path: str) -> StoredObject | None:
        return self._objects.find(object_path)

    def locate(self, object_path: str) -> MediaLocation:
        return MediaLocation(object_path=object_path, source=self._objects.find_file(object_path))

    def fetch(self, *, object_path: str, destination: Path) -> Path:
        return self._objects.copy_to(object_path=object_path, destination=destination)

    def delete(self, object_path: str) -> None:
        self._objects.delete(object_path)

    def list_paths(self, prefix: str) -> Iterator[str]:
        return self._objects.list_paths(prefix)

    # --- signed links -----------------------------------------------------------------------------------------------

    def sign_url(self, *, object_path: str, content_type: str, lifetime: timedelta, download_name: str = "") -> str:
        return self._links.sign(
            object_path=object_path, content_type=content_type, lifetime=lifetime, download_name=download_name
        )

    def open_signed(self, *, object_path: str, query: Mapping[str, str]) -> SignedRead:
        terms = self._links.verify(object_path=object_path, query=query)
        stored = self._objects.find(object_path)
        if stored is None:
            raise NotFound(f"no object at {object_path}")
        return SignedRead(
            stored=stored,
            content_type=terms.content_type,
            download_name=terms.download_name,
            expires_at=datetime.fromtimestamp(terms.expires_at_epoch, UTC),
        )

    def read_bytes(self, *, object_path: str, byte_range: ByteRange) -> Iterator[bytes]:
        # Opened here and not in the generator: NotFound must come before the response's head has gone out.
        with translate_disk_errors(f"reading {object_path}"):
            file = self._objects.find_file(object_path).open("rb")
        return _read_range(file, byte_range)

    # --- resumable uploads ------------------------------------------------------------------------------------------

    def open_upload(
        self, *, object_path: str, size_bytes: int, content_type: str, origin: str, lifetime: timedelta
    ) -> UploadSession:
        """`origin` is not needed: the browser is on the same one."""
        token, expires_at = self._uploads.open(
            object_path=object_path, size_bytes=size_bytes, content_type=content_type, lifetime=lifetime
        )
        return UploadSession(url=f"{self._upload_path}{token}", object_path=object_path, expires_at=expires_at)

    def count_uploaded_bytes(self, url: str) -> int:
        if not url.startswith(self._upload_path):
            raise UploadClosed("no upload of this store")
        return self._uploads.read_status(url.removeprefix(self._upload_path)).received_bytes

    def close_upload(self, url: str) -> None:
        with contextlib.suppress(UploadClosed):
            self._uploads.cancel(url.removeprefix(self._upload_path))

    def append_chunk(
        self, *, token: str, first_byte: int, last_byte: int | None, total_bytes: int | None, stream: BinaryIO
    ) -> UploadStatus:
        return self._uploads.append(
            token=token, first_byte=first_byte, last_byte=last_byte, total_bytes=total_bytes, stream=stream
        )

    def read_upload_status(self, token: str) -> UploadStatus:
        return self._uploads.read_status(token)

    def cancel_upload(self, token: str) -> None:
        self._uploads.cancel(token)

    def sweep_uploads(self, *, older_than: timedelta) -> int:
        drafts = self._objects.sweep_drafts(before=self._read_clock() - older_than.total_seconds())
        return drafts + self._uploads.sweep(older_than=older_than)


def _read_range(file: BinaryIO, byte_range: ByteRange) -> Iterator[bytes]:
    with file:
        file.seek(byte_range.first_byte)
        left_bytes = byte_range.last_byte - byte_range.first_byte + 1
        while left_bytes > 0 and (piece := file.read(min(COPY_BYTES, left_bytes))):
            left_bytes -= len(piece)
            yield piece
