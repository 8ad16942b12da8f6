"""Where media and other objects are kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLocation:
    """Where a stored object can be read from. `source` is what FFmpeg opens: a path or an own signed https URL."""

    object_path: str
    source: Path | str
    cloud_uri: str = ""  # gs://…, where the store is Cloud Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """Inclusive on both ends, as in HTTP."""

    first_byte: int
    last_byte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    object_path: str
    size_bytes: int
    content_type: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSession:
    """A resumable upload (Cloud Storage's protocol). `url` is a capability: no cookie, dead when it expires."""

    url: str
    object_path: str
    expires_at: datetime


class ObjectStore(Protocol):
    """Immutable objects under slash-separated paths. Writing a path that exists raises `Conflict`."""

    def open_upload(
        self, *, object_path: str, size_bytes: int, content_type: str, origin: str, lifetime: timedelta
    ) -> UploadSession:
        """Begin a resumable upload of exactly `size_bytes`."""

    def count_uploaded_bytes(self, url: str) -> int:
        """How many bytes of the upload have arrived; raises `UploadClosed` when it is gone."""

    def close_upload(self, url: str) -> None:
        """Make the URL useless and forget unfinished bytes; the object of a complete one stays. Absent is fine."""

    def write_file(self, *, object_path: str, source: Path, content_type: str) -> StoredObject: ...

    def write_stream(self, *, object_path: str, stream: BinaryIO, content_type: str, max_bytes: int) -> StoredObject:
        """Copy at a flat memory cost; raises `UploadRefused` past `max_bytes` and keeps nothing."""

    def find(self, object_path: str) -> StoredObject | None: ...

    def locate(self, object_path: str) -> MediaLocation:
        """Where to read it from; raises `NotFound`."""

    def fetch(self, *, object_path: str, destination: Path) -> Path:
        """A local copy (or link) at `destination`; raises `NotFound`."""

    def sign_url(self, *, object_path: str, content_type: str, lifetime: timedelta, download_name: str = "") -> str:
        """A URL that reads the object without a login until it expires.

        The same one for at least the first half of its life, so that pages that are polled do not change.
        """

    def read_bytes(self, *, object_path: str, byte_range: ByteRange) -> Iterator[bytes]:
        """The bytes of the range, piece by piece; raises `NotFound`."""

    def delete(self, object_path: str) -> None:
        """Remove it; absent is fine."""

    def list_paths(self, prefix: str) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadStatus:
    """`complete`: all bytes are here and the object exists."""

    received_bytes: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRead:
    """What a signed link allows: this object, sent as `content_type`; "" as `download_name` means shown, not saved."""

    stored: StoredObject
    content_type: str
    download_name: str
    expires_at: datetime


class SelfServedStore(ObjectStore, Protocol):
    """A store whose bytes our own web process takes and gives: what the views of /uploads/ and /media/ call.

    `token` is what follows /uploads/ in the URL. All upload methods raise `UploadClosed` where there is no such upload
    (any more).
    """

    def append_chunk(
        self, *, token: str, first_byte: int, last_byte: int | None, total_bytes: int | None, stream: BinaryIO
    ) -> UploadStatus:
        """Take a request's body: bytes `first_byte` to `last_byte` of `total_bytes`, as its Content-Range says.

        Without a Content-Range `first_byte` is 0; without a Content-Length `last_byte` is None. A body that ends early
        keeps what arrived, as the answer says; bytes that had arrived before are read past; a repeated last chunk
        finds the upload complete. Raises `UploadOffsetMismatch` where the chunk begins beyond what has arrived or
        another request overtook it, `UploadRefused` where it does not fit the size agreed on, `Conflict` where the
        object came to exist in another way.
        """

    def read_upload_status(self, token: str) -> UploadStatus:
        """The answer to a status query (`Content-Range: bytes */N`)."""

    def cancel_upload(self, token: str) -> None:
        """Forget the upload and its bytes, and close the URL of a complete one; its object stays."""

    def sweep_uploads(self, *, older_than: timedelta) -> int:
        """Remove uploads that expired or saw no byte for that long, and half-written files; answers how many."""

    def open_signed(self, *, object_path: str, query: Mapping[str, str]) -> SignedRead:
        """Raises `LinkRefused` for an altered or expired link, `NotFound` where the object is gone."""
