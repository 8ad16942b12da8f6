"""What every engine of this process shares: one instance behind a lock, and a deadline of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from coaching.errors import Misconfigured, ProviderUnavailable

Engine = TypeVar("Engine")


class Deadline:
    """Engines cannot be interrupted: they look at the clock between two pieces of work."""

    def __init__(self, seconds: float, *, doing: str) -> None:
        self._ends_at = time.monotonic() + seconds
        self._seconds = seconds
        self._doing = doing

    @property
    def remaining_seconds(self) -> float:
        return max(0.0, self._ends_at - time.monotonic())

    def check(self) -> None:
        """Raises `ProviderUnavailable` once the time is over."""
        if not self.remaining_seconds:
            raise ProviderUnavailable(f"{self._doing} took longer than its {self._seconds:g} s")


class SharedEngine(Generic[Engine]):
    """An engine that is loaded on first use and serves one caller at a time: it would fight itself for the CPU."""

    def __init__(self, load: Callable[[], Engine], *, name: str) -> None:
        self._load = load
        self._name = name
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self, deadline: Deadline) -> Iterator[Engine]:
        """The engine, to this caller alone; waiting for it counts. Raises `ProviderUnavailable`, `Misconfigured`."""
        if not self._lock.acquire(timeout=deadline.remaining_seconds):
            deadline.check()
        try:
            if self._engine is None:
                self._engine = self._load_it()
            deadline.check()
            yield self._engine
        finally:
            self._lock.release()

    def _load_it(self) -> Engine:
        try:
            return self._load()
        except ImportError as error:
            raise Misconfigured(
                f"{self._name} is not installed ({error}): install the dependency group `embedded` (make setup), "
                "or choose other adapters in settings.PROVIDERS"
            ) from error
