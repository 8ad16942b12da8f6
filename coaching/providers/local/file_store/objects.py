"""Objects as files: written whole or not at all, never changed afterwards.

ROOT/                     0700
  .lock                   held while something appears or disappears (a few renames, never a copy)
  .drafts/                what is being written
  a/b/film.mp4            an object, under its own path
  a/b/.film.mp4.json      its note: type and time of making; there before the object, gone after it
"""

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from coaching.errors import Conflict, NotFound, StoreUnavailable, UploadRefused
from coaching.providers.local.file_store.object_paths import check_object_path, split_prefix
from coaching.providers.ports import StoredObject

COPY_BYTES = 256 * 1024


@contextlib.contextmanager
def translate_disk_errors(doing: str) -> Iterator[None]:
    """What the disk says (full, read-only, gone) as `StoreUnavailable`."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"{doing}: {error}") from error


class ObjectFolder:
    """The objects under one folder; safe between threads and processes that share it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._drafts = root / ".drafts"
        with translate_disk_errors(f"opening the store {root}"):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            root.chmod(0o700)
            self._drafts.mkdir(mode=0o700, exist_ok=True)

    def find_file(self, object_path: str) -> Path:
        """Where the object's bytes lie; raises `NotFound`."""
        path = self.root / check_object_path(object_path)
        if not path.is_file():
            raise NotFound(f"no object at {object_path}")
        return path

    def find(self, object_path: str) -> StoredObject | None:
        try:
            path = self.find_file(object_path)
            note = json.loads(_note_of(path).read_bytes())
            size_bytes = path.stat().st_size
        except (NotFound, FileNotFoundError):  # the latter: deleted while we looked
            return None
        return StoredObject(
            object_path=object_path,
            size_bytes=size_bytes,
            content_type=note["content_type"],
            created_at=datetime.fromisoformat(note["created_at"]),
        )

    def write(
        self, *, object_path: str, stream: BinaryIO, content_type: str, max_bytes: int | None = None
    ) -> StoredObject:
        """Copy the stream piece by piece; raises `Conflict`, `UploadRefused` past `max_bytes`; then nothing is kept."""
        self.refuse_existing(object_path)
        draft = self._drafts / secrets.token_hex(16)
        try:
            with translate_disk_errors(f"writing {object_path}"), _create(draft) as file:
                written_bytes = 0
                while piece := stream.read(COPY_BYTES):
                    written_bytes += len(piece)
                    if max_bytes is not None and written_bytes > max_bytes:
                        raise UploadRefused(f"{object_path}: more than the {max_bytes} bytes allowed")
                    file.write(piece)
            return self.adopt(draft, object_path=object_path, content_type=content_type)
        finally:
            draft.unlink(missing_ok=True)

    def adopt(self, draft: Path, *, object_path: str, content_type: str) -> StoredObject:
        """Make a finished file of this file system the object, at once and for good; raises `Conflict`."""
        target = self.root / check_object_path(object_path)
        note = {"content_type": content_type, "created_at": datetime.now(UTC).isoformat()}
        note_draft = self._drafts / secrets.token_hex(16)
        try:
            with translate_disk_errors(f"keeping {object_path}"):
                with _create(note_draft) as file:
                    file.write(json.dumps(note).encode())
                _sync(draft)
                with self._locked():
                    self.refuse_existing(object_path)
                    _make_folder(target.parent)
                    note_draft.rename(_note_of(target))
                    draft.rename(target)
                    _sync(target.parent)
        finally:
            note_draft.unlink(missing_ok=True)
        stored = self.find(object_path)
        if stored is None:
            raise StoreUnavailable(f"{object_path} was deleted as soon as it was written")
        return stored

    def refuse_existing(self, object_path: str) -> None:
        """Raises `Conflict` where something lies at the path."""
        if (self.root / check_object_path(object_path)).exists():
            raise Conflict(f"objects are immutable and {object_path} exists")

    def copy_to(self, *, object_path: str, destination: Path) -> Path:
        """A copy, not a link: who writes to it must not change the object."""
        source = self.find_file(object_path)
        draft = destination.with_name(f".{destination.name}.{secrets.token_hex(8)}")
        try:
            with translate_disk_errors(f"fetching {object_path}"):
                shutil.copyfile(source, draft)
                draft.replace(destination)
        except StoreUnavailable:
            if not source.exists():
                raise NotFound(f"no object at {object_path}") from None
            raise
        finally:
            draft.unlink(missing_ok=True)
        return destination

    def delete(self, object_path: str) -> None:
        target = self.root / check_object_path(object_path)
        with translate_disk_errors(f"deleting {object_path}"), self._locked():
            if target.is_dir():
                return  # a folder of objects is no object
            target.unlink(missing_ok=True)
            _note_of(target).unlink(missing_ok=True)
            self._remove_empty_folders(target.parent)

    def list_paths(self, prefix: str) -> Iterator[str]:
        """Every object path beginning with `prefix`, in order."""
        top = self.root / split_prefix(prefix)
        found: list[str] = []
        for folder, subfolders, names in os.walk(top):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            paths = ((Path(folder) / name).relative_to(self.root).as_posix() for name in names if name[0] != ".")
            found += [path for path in paths if path.startswith(prefix)]
        yield from sorted(found)

    def sweep_drafts(self, *, before: float) -> int:
        """Remove what writers that died left behind before that epoch second."""
        swept = 0
        for draft in self._drafts.iterdir():
            with contextlib.suppress(FileNotFoundError):  # its writer has just finished
                if draft.stat().st_mtime < before:
                    draft.unlink()
                    swept += 1
        return swept

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with os.fdopen(os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed, or when we die
            yield

    def _remove_empty_folders(self, folder: Path) -> None:
        while folder != self.root:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    return
                raise
            folder = folder.parent


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.json")


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise Conflict(f"an object lies where {folder} would be a folder") from error


def _sync(path: Path) -> None:
    """Have the disk hold the file's bytes, or the folder's names, before we say so."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
