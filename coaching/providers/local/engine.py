"""What every engine of this process shares: one instance behind a lock, lent under a deadline."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from coaching.errors import Misconfigured
from coaching.providers.deadline import Deadline

Engine = TypeVar("Engine")


class SharedEngine(Generic[Engine]):
    """An engine that is loaded on first use and serves one caller at a time: it would fight itself for the CPU.

    Engines cannot be interrupted: who borrows one looks at the deadline between two pieces of work.
    """

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
