"""Resumable uploads, as Cloud Storage keeps them: bytes arrive in order, in requests that may be cut off anywhere.

    ROOT/.uploads/DIGEST.json    what was agreed; there from the opening until it is cancelled or swept
    ROOT/.uploads/DIGEST.part    the bytes so far; made before the agreement, becomes the object when all are there

So an agreement without a part is a finished upload, and a crash between any two steps leaves one of these states.
The token is a random capability; only its digest is on the disk.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from coaching.errors import Conflict, UploadClosed, UploadOffsetMismatch, UploadRefused
from coaching.providers.local.file_store.objects import ObjectFolder, translate_disk_errors
from coaching.providers.ports import UploadStatus

PIECE_BYTES = 64 * 1024  # what a cut connection may cost: a reader that breaks loses what it had gathered

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    object_path: str
    size_bytes: int
    content_type: str
    expires_at_epoch: float


class UploadFolder:
    """Upload sessions into `objects`; safe between threads and processes that share the folder.

    A part's lock is held for one piece, never while waiting for the network: a request whose learner has gone must
    not keep out the one that carries on. Each piece goes exactly where the bytes end, so the slower of two requests
    gets `UploadOffsetMismatch`, never a hole or a repetition.
    """

    def __init__(self, objects: ObjectFolder, *, read_clock: Callable[[], float] = time.time) -> None:
        self._objects = objects
        self._folder = objects.root / ".uploads"
        self._read_clock = read_clock
        with translate_disk_errors(f"opening {self._folder}"):
            self._folder.mkdir(mode=0o700, exist_ok=True)

    def open(
        self, *, object_path: str, size_bytes: int, content_type: str, lifetime: timedelta
    ) -> tuple[str, datetime]:
        """A new session's token and end."""
        if size_bytes < 1:
            raise UploadRefused(f"{object_path}: an upload of {size_bytes} bytes")
        self._objects.refuse_existing(object_path)
        token = secrets.token_urlsafe(32)
        expires_at_epoch = self._read_clock() + lifetime.total_seconds()
        agreement = Agreement(
            object_path=object_path,
            size_bytes=size_bytes,
            content_type=content_type,
            expires_at_epoch=expires_at_epoch,
        )
        part, note = self._part_of(token), self._note_of(token)
        draft = note.with_suffix(".draft")
        with translate_disk_errors(f"opening an upload to {object_path}"):
            part.touch(mode=0o600, exist_ok=False)
            draft.touch(mode=0o600, exist_ok=False)
            draft.write_text(json.dumps(asdict(agreement)))
            draft.rename(note)
        return token, datetime.fromtimestamp(expires_at_epoch, UTC)

    def read_status(self, token: str) -> UploadStatus:
        """Where the upload stands; finishes one whose last request died between its last byte and its end."""
        agreement = self._read_agreement(token)
        try:
            received_bytes = self._part_of(token).stat().st_size
        except FileNotFoundError:
            return UploadStatus(received_bytes=agreement.size_bytes, complete=True)
        if received_bytes == agreement.size_bytes:
            self._finish(token, agreement)
            return UploadStatus(received_bytes=agreement.size_bytes, complete=True)
        return UploadStatus(received_bytes=received_bytes, complete=False)

    def append(
        self, *, token: str, first_byte: int, last_byte: int | None, total_bytes: int | None, stream: BinaryIO
    ) -> UploadStatus:
        """Take what the stream holds of bytes `first_byte` to `last_byte` (None: to the end of the stream)."""
        agreement = self._read_agreement(token)
        _check_range(agreement, first_byte=first_byte, last_byte=last_byte, total_bytes=total_bytes)
        status = self.read_status(token)
        if status.complete:
            return status
        begins_at = status.received_bytes
        if first_byte > begins_at:
            raise UploadOffsetMismatch(
                f"{agreement.object_path}: a chunk from byte {first_byte}, but {begins_at} have arrived",
                received_bytes=begins_at,
            )
        ends_at = agreement.size_bytes if last_byte is None else last_byte + 1
        # Bytes that are here already are read past, as Cloud Storage does.
        if _skip(stream, min(begins_at, ends_at) - first_byte):
            self._append_pieces(token, agreement, stream, begins_at=begins_at, ends_at=ends_at)
            if last_byte is None:
                self._refuse_overrun(token, agreement, stream, begins_at=begins_at)
        return self.read_status(token)

    def cancel(self, token: str) -> None:
        """Forget the session and its bytes; a finished object stays. Raises `UploadClosed` when there is none."""
        self._read_agreement(token)
        self._remove(self._note_of(token))

    def sweep(self, *, older_than: timedelta) -> int:
        """Remove the sessions that have expired, or got no byte for `older_than`; answers how many."""
        now = self._read_clock()
        cutoff = now - older_than.total_seconds()
        swept = 0
        for note in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(FileNotFoundError):  # cancelled while we looked
                part = note.with_suffix(".part")
                touched_at = (part if part.exists() else note).stat().st_mtime
                if touched_at < cutoff or json.loads(note.read_bytes())["expires_at_epoch"] <= now:
                    self._remove(note)
                    swept += 1
        for stray in [*self._folder.glob("*.part"), *self._folder.glob("*.draft")]:
            with contextlib.suppress(FileNotFoundError):
                if not stray.with_suffix(".json").exists() and stray.stat().st_mtime < cutoff:
                    stray.unlink()
                    swept += 1
        return swept

    def _part_of(self, token: str) -> Path:
        return self._folder / f"{hashlib.sha256(token.encode()).hexdigest()}.part"

    def _note_of(self, token: str) -> Path:
        return self._part_of(token).with_suffix(".json")

    def _read_agreement(self, token: str) -> Agreement:
        try:
            agreement = Agreement(**json.loads(self._note_of(token).read_bytes()))
        except FileNotFoundError:
            raise UploadClosed("no such upload: it was cancelled, swept, or never opened") from None
        if agreement.expires_at_epoch <= self._read_clock():
            raise UploadClosed(f"the upload to {agreement.object_path} has expired")
        return agreement

    def _append_pieces(
        self, token: str, agreement: Agreement, stream: BinaryIO, *, begins_at: int, ends_at: int
    ) -> None:
        position = begins_at
        while position < ends_at:
            piece = _read_piece(stream, min(PIECE_BYTES, ends_at - position))
            if not piece:
                return  # cut off: what has arrived stays, and the answer says how much that is
            with translate_disk_errors(f"receiving {agreement.object_path}"), self._locked_part(token) as part:
                received_bytes = _size_of(part)
                if received_bytes != position:
                    raise UploadOffsetMismatch(
                        f"{agreement.object_path}: another request has brought byte {position}",
                        received_bytes=received_bytes,
                    )
                part.seek(position)
                part.write(piece)
            position += len(piece)

    def _refuse_overrun(self, token: str, agreement: Agreement, stream: BinaryIO, *, begins_at: int) -> None:
        """A body without a stated end must not be longer than the upload; the request is undone."""
        if self._part_of(token).stat().st_size == agreement.size_bytes and _read_piece(stream, 1):
            with self._locked_part(token) as part:
                part.truncate(begins_at)
            raise UploadRefused(f"{agreement.object_path}: more than the {agreement.size_bytes} bytes agreed on")

    def _finish(self, token: str, agreement: Agreement) -> None:
        try:
            with self._locked_part(token):
                self._objects.adopt(
                    self._part_of(token), object_path=agreement.object_path, content_type=agreement.content_type
                )
        except UploadOffsetMismatch:
            return  # another request has just finished it
        except Conflict:
            self._remove(self._note_of(token))
            raise

    @contextlib.contextmanager
    def _locked_part(self, token: str) -> Iterator[BinaryIO]:
        """The part, open and locked; raises `UploadOffsetMismatch` once it is an object, `UploadClosed` once gone."""
        path = self._part_of(token)
        try:
            with path.open("r+b") as part:
                fcntl.flock(part, fcntl.LOCK_EX)
                if not path.exists():  # while we waited for the lock
                    raise FileNotFoundError
                yield part
        except FileNotFoundError:
            agreement = self._read_agreement(token)
            raise UploadOffsetMismatch(
                f"{agreement.object_path}: another request has finished it", received_bytes=agreement.size_bytes
            ) from None

    def _remove(self, note: Path) -> None:
        """The agreement first: a part without one is nothing, an agreement without a part would be a finished one."""
        part = note.with_suffix(".part")
        with contextlib.suppress(FileNotFoundError), part.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            note.unlink(missing_ok=True)
            part.unlink(missing_ok=True)
        note.unlink(missing_ok=True)


def _check_range(agreement: Agreement, *, first_byte: int, last_byte: int | None, total_bytes: int | None) -> None:
    if total_bytes is not None and total_bytes != agreement.size_bytes:
        raise UploadRefused(
            f"{agreement.object_path}: {total_bytes} bytes in all, but {agreement.size_bytes} were agreed on"
        )
    last = first_byte if last_byte is None else last_byte
    if not 0 <= first_byte <= last < agreement.size_bytes:
        raise UploadRefused(
            f"{agreement.object_path}: bytes {first_byte}-{last_byte} of an upload of {agreement.size_bytes}"
        )


def _read_piece(stream: BinaryIO, size_bytes: int) -> bytes:
    """Up to that much of the body; b"" at its end, and when the connection breaks: nobody is left to be told."""
    try:
        return stream.read(size_bytes)
    except OSError as error:
        logger.info("the connection broke in mid-upload: %s", error)
        return b""


def _skip(stream: BinaryIO, size_bytes: int) -> bool:
    """Read past that much; False when the body ended before."""
    while size_bytes > 0:
        piece = _read_piece(stream, min(PIECE_BYTES, size_bytes))
        if not piece:
            return False
        size_bytes -= len(piece)
    return True


def _size_of(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
