"""Objects in one Cloud Storage bucket. Implements `ObjectStore`.

Every write has a precondition: an object that exists is never replaced, and a write that was repeated because its
answer got lost is told from another writer's by a token in the object's metadata. Whole reads and writes are checked
by CRC32C; ranges carry no checksum.
"""

import contextlib
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from coaching.errors import Conflict, NotFound, StoreUnavailable, UploadRefused
from coaching.providers.google.connection import check_endpoint, load_credentials
from coaching.providers.google.faults import translate_google_errors
from coaching.providers.google.resumable_uploads import ResumableUploads
from coaching.providers.google.url_signing import UrlSigner
from coaching.providers.ports import ByteRange, MediaLocation, StoredObject, UploadSession

CHUNK_BYTES = 8 * 1024**2  # what one write holds in memory; a multiple of 256 KiB, as the protocol wants
COPY_BYTES = 256 * 1024
SMALL_WRITE_BYTES = 8 * 1024**2  # the client sends up to this in one request, whatever the chunk
WRITE_ATTEMPTS = 3
CALL_SECONDS = 60.0
WRITER = "writer"


class CloudStore:
    """`read_lifetime` is how long FFmpeg may read an object that was located, and `signing_account` the e-mail of the
    service account that signs links: "" for the one whose credentials these are.

    `redis_url` is where signed links are shared between processes; `storage_endpoint` and `iam_endpoint` as in
    `connection`; `retry_seconds` is how long a call is repeated here before the stage is tried again later.
    """

    def __init__(
        self,
        *,
        project: str,
        bucket: str,
        signing_account: str = "",
        read_lifetime: timedelta = timedelta(hours=6),
        redis_url: str = "",
        storage_endpoint: str = "",
        iam_endpoint: str = "",
        retry_seconds: float = 30.0,
        read_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._project = project
        self._bucket_name = bucket
        self._read_lifetime = read_lifetime
        self._endpoint = check_endpoint(storage_endpoint)
        self._retry_seconds = retry_seconds
        self._read_clock = read_clock
        self._uploads = ResumableUploads(endpoint=self._endpoint, bucket=bucket)
        self._signer = UrlSigner(
            account=signing_account,
            iam_endpoint=check_endpoint(iam_endpoint),
            storage_endpoint=self._endpoint,
            redis_url=redis_url,
            read_clock=read_clock,
        )

    # --- objects ----------------------------------------------------------------------------------------------------

    def write_file(self, *, object_path: str, source: Path, content_type: str) -> StoredObject:
        try:
            with source.open("rb") as stream:
                return self._write(object_path, stream, content_type)
        except OSError as error:
            raise StoreUnavailable(f"reading {source}: {error}") from error

    def write_stream(self, *, object_path: str, stream: BinaryIO, content_type: str, max_bytes: int) -> StoredObject:
        """By way of a temporary file: what is sent again after a fault must still be there."""
        with tempfile.TemporaryFile() as kept:
            kept_bytes = 0
            while piece := stream.read(COPY_BYTES):
                kept_bytes += len(piece)
                if kept_bytes > max_bytes:
                    raise UploadRefused(f"{object_path}: more than the {max_bytes} bytes allowed")
                kept.write(piece)
            kept.seek(0)
            return self._write(object_path, kept, content_type)

    def _write(self, object_path: str, stream: BinaryIO, content_type: str) -> StoredObject:
        from google.api_core.exceptions import PreconditionFailed
        from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

        writer = secrets.token_hex(16)
        size_bytes = stream.seek(0, 2)
        with self._translating(f"writing {object_path}"):
            for attempt in range(1, WRITE_ATTEMPTS + 1):
                blob = self._bucket.blob(object_path, chunk_size=CHUNK_BYTES)
                blob.metadata = {WRITER: writer}
                stream.seek(0)
                try:
                    blob.upload_from_file(
                        stream,
                        size=size_bytes,
                        content_type=content_type,
                        checksum="crc32c",
                        if_generation_match=0,
                        timeout=CALL_SECONDS,
                        retry=self._retry,
                    )
                except PreconditionFailed as error:
                    # Ours: an earlier try arrived and its answer did not.
                    found = self._bucket.get_blob(object_path, timeout=CALL_SECONDS, retry=self._retry)
                    if found is None or (found.metadata or {}).get(WRITER) != writer:
                        raise Conflict(f"there is an object at {object_path} already") from error
                    return _describe(found)
                # The service kept a part of a chunk, which the client cannot go on from; or the bytes were altered on
                # the way. Both are written again from the start.
                except (ValueError, DataCorruption, InvalidResponse) as error:
                    if attempt == WRITE_ATTEMPTS:
                        raise StoreUnavailable(f"Cloud Storage, writing {object_path}: {error}") from error
                else:
                    return _describe(blob)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def find(self, object_path: str) -> StoredObject | None:
        blob = self._find_blob(object_path)
        return None if blob is None else _describe(blob)

    def locate(self, object_path: str) -> MediaLocation:
        stored = self.find(object_path)
        if stored is None:
            raise NotFound(f"no object at {object_path}")
        return MediaLocation(
            object_path=object_path,
            source=self.sign_url(
                object_path=object_path, content_type=stored.content_type, lifetime=self._read_lifetime
            ),
            cloud_uri=f"gs://{self._bucket_name}/{object_path}",
        )

    def fetch(self, *, object_path: str, destination: Path) -> Path:
        from google.cloud.storage.exceptions import DataCorruption

        draft = destination.with_name(f".{destination.name}.{secrets.token_hex(8)}")
        try:
            with self._translating(f"fetching {object_path}"), self._translating_absence(object_path):
                self._bucket.blob(object_path).download_to_filename(
                    str(draft), checksum="crc32c", timeout=CALL_SECONDS, retry=self._retry
                )
            draft.replace(destination)
        except DataCorruption as error:
            raise StoreUnavailable(f"Cloud Storage, fetching {object_path}: {error}") from error
        except OSError as error:
            raise StoreUnavailable(f"keeping {object_path} as {destination}: {error}") from error
        finally:
            draft.unlink(missing_ok=True)
        return destination

    def read_bytes(self, *, object_path: str, byte_range: ByteRange) -> Iterator[bytes]:
        # The first piece is read here and not in the generator: NotFound must come before a response's head is out.
        first = self._read_piece(object_path, byte_range.first_byte, byte_range.last_byte)
        return self._read_on(object_path, byte_range, first)

    def _read_on(self, object_path: str, byte_range: ByteRange, piece: bytes) -> Iterator[bytes]:
        position = byte_range.first_byte
        while piece:
            yield piece
            position += len(piece)
            if position > byte_range.last_byte:
                return
            piece = self._read_piece(object_path, position, byte_range.last_byte)

    def _read_piece(self, object_path: str, first_byte: int, last_byte: int) -> bytes:
        from google.api_core.exceptions import RequestRangeNotSatisfiable

        end = min(last_byte, first_byte + CHUNK_BYTES - 1)
        with self._translating(f"reading {object_path}"), self._translating_absence(object_path):
            try:
                piece: bytes = self._bucket.blob(object_path).download_as_bytes(
                    start=first_byte, end=end, checksum=None, timeout=CALL_SECONDS, retry=self._retry
                )
            except RequestRangeNotSatisfiable:
                return b""  # beyond the end, as a file reads there
        return piece

    def delete(self, object_path: str) -> None:
        """The generation that is there now: a repeated call must not take what was written since."""
        from google.api_core.exceptions import NotFound as CloudNotFound
        from google.api_core.exceptions import PreconditionFailed

        blob = self._find_blob(object_path)
        if blob is None:
            return
        with (
            self._translating(f"deleting {object_path}"),
            contextlib.suppress(CloudNotFound, PreconditionFailed),
        ):
            blob.delete(if_generation_match=blob.generation, timeout=CALL_SECONDS, retry=self._retry)

    def list_paths(self, prefix: str) -> Iterator[str]:
        with self._translating(f"listing {prefix}"):
            for blob in self._client.list_blobs(
                self._bucket_name,
                prefix=prefix,
                fields="items(name),nextPageToken",
                timeout=CALL_SECONDS,
                retry=self._retry,
            ):
                yield str(blob.name)

    # --- links and uploads ------------------------------------------------------------------------------------------

    def sign_url(self, *, object_path: str, content_type: str, lifetime: timedelta, download_name: str = "") -> str:
        return self._signer.sign(
            self._bucket.blob(object_path), content_type=content_type, lifetime=lifetime, download_name=download_name
        )

    def open_upload(
        self, *, object_path: str, size_bytes: int, content_type: str, origin: str, lifetime: timedelta
    ) -> UploadSession:
        """The service keeps a session for a week; `close_upload` ends it sooner. Its answers carry CORS headers for
        `origin` only. Raises `Conflict` where there is an object already: it could never be finished.
        """
        if size_bytes < 1:
            raise UploadRefused(f"{object_path}: an upload of {size_bytes} bytes")
        if self._find_blob(object_path) is not None:
            raise Conflict(f"there is an object at {object_path} already")
        with self._translating(f"opening an upload to {object_path}"):
            url = self._bucket.blob(object_path).create_resumable_upload_session(
                content_type=content_type,
                size=size_bytes,
                origin=origin or None,
                checksum=None,  # the browser knows none
                if_generation_match=0,
                timeout=CALL_SECONDS,
                retry=self._retry,
            )
        return UploadSession(url=url, object_path=object_path, expires_at=self._read_clock() + lifetime)

    def count_uploaded_bytes(self, url: str) -> int:
        return self._uploads.count_bytes(url)

    def close_upload(self, url: str) -> None:
        self._uploads.close(url)

    # --- the client -------------------------------------------------------------------------------------------------

    @cached_property
    def _client(self) -> Any:
        from google.cloud import storage  # 0.5 s, 49 MB

        options = {"api_endpoint": self._endpoint} if self._endpoint else None
        return storage.Client(project=self._project, credentials=load_credentials(), client_options=options)

    @cached_property
    def _bucket(self) -> Any:
        return self._client.bucket(self._bucket_name)

    @cached_property
    def _retry(self) -> Any:
        from google.cloud.storage.retry import DEFAULT_RETRY

        return DEFAULT_RETRY.with_timeout(self._retry_seconds)

    def _find_blob(self, object_path: str) -> Any:
        with self._translating(f"looking for {object_path}"):
            blob = self._bucket.get_blob(object_path, timeout=CALL_SECONDS, retry=self._retry)
            if blob is None:
                self._require_bucket()
            return blob

    def _require_bucket(self) -> None:
        """A bucket that does not exist looks like an absent object: told apart once a process."""
        if not self._bucket_was_seen:
            next(iter(self._client.list_blobs(self._bucket_name, max_results=1, timeout=CALL_SECONDS)), None)
            self._bucket_was_seen = True

    _bucket_was_seen = False

    def _translating(self, call: str) -> AbstractContextManager[None]:
        return translate_google_errors(
            "Cloud Storage",
            call,
            fix=f"GOOGLE_STORAGE_BUCKET={self._bucket_name}: the bucket has to exist in GOOGLE_CLOUD_PROJECT="
            f"{self._project}, and the service account needs roles/storage.objectAdmin on it",
            unavailable=StoreUnavailable,
        )

    @contextlib.contextmanager
    def _translating_absence(self, object_path: str) -> Iterator[None]:
        from google.api_core.exceptions import NotFound as CloudNotFound

        try:
            yield
        except CloudNotFound as error:
            self._require_bucket()
            raise NotFound(f"no object at {object_path}") from error


def _describe(blob: Any) -> StoredObject:
    return StoredObject(
        object_path=str(blob.name),
        size_bytes=int(blob.size),
        content_type=str(blob.content_type),
        created_at=blob.time_created,
    )
