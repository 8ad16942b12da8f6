"""Clients that no fork inherits: a parent's gRPC channel hangs in the child, and sockets are no common good."""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Client = TypeVar("Client")


class PerProcess(Generic[Client]):
    """Made on first use by each process, and shared by its threads."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[int, Client] | None = None
        os.register_at_fork(after_in_child=self._forget)

    def get(self) -> Client:
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = (os.getpid(), self._make())
            return self._made[1]

    def _forget(self) -> None:
        """In a forked child, where another thread's lock would never be released."""
        self._lock = threading.Lock()
        self._made = None
