"""Locks that the kernel gives back when their holder dies, however it dies.

Three files a server: `start.lock` (one caller at a time brings the server up), `users.lock` (shared: every user holds
it, which is the count of users) and `keeper.lock` (held by the keeper while it lives). `flock` belongs to the open
file: a forked child shares it, an exec'd program does not, and nothing is left to clear away after a SIGKILL.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from project.embedded.errors import EmbeddedError

POLL_SECONDS = 0.05


class FileLock:
    """A lock on `path`. Not taken yet when made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def release(self) -> None:
        """Give the lock back, unless a forked copy of this process still holds it; the object is of no more use."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def _try(self, operation: int) -> bool:
        try:
            fcntl.flock(self._descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock on `path` exclusively."""
    with FileLock(path) as probe:
        return probe.try_shared()


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float, problem: str) -> None:
    """Poll `condition`; raises `EmbeddedError` with `problem` when it stays false."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            raise EmbeddedError(f"{problem} (waited {timeout_seconds:.0f} s)")
        time.sleep(POLL_SECONDS)
