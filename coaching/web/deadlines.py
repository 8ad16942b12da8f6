"""Asks servers that may hang, and waits only so long for the answer."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from django.db import connections

Answer = TypeVar("Answer")


class Inquiry(Generic[Answer]):
    """Calls `ask` in a thread of its own; whoever wants the answer waits at most `timeout_seconds`.

    Timeouts of sockets do not bound a server that was stopped between two packets. Those who come while `ask` runs
    share its answer, so a server that hangs costs one thread, and one that is asked often no more than one connection.
    """

    def __init__(self, ask: Callable[[], Answer], *, timeout_seconds: float) -> None:
        self._ask = ask
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._asked: Future[Answer] | None = None

    def begin(self) -> "Future[Answer]":
        """Ask, unless somebody is waiting for an answer already."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                # A daemon: a thread that hangs must not keep its process from ending.
                threading.Thread(target=self._work, args=(self._asked,), name="inquiry", daemon=True).start()
            return self._asked

    def wait(self, asked: "Future[Answer] | None" = None) -> Answer:
        """The answer to `asked`, by default of a new question. Raises `TimeoutError`, and what `ask` raises."""
        return (asked or self.begin()).result(timeout=self._timeout_seconds)

    def _work(self, asked: "Future[Answer]") -> None:
        try:
            answer = self._ask()
        except Exception as error:  # noqa: BLE001 - handed over to those who wait, who know what to expect
            asked.set_exception(error)
        else:
            asked.set_result(answer)
        finally:
            connections.close_all()
