"""What a server of this folder is told to do wrong, once or more often, or by chance."""

import random
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to fail a request whose "METHOD /path?query" (gRPC: "/package.Service/Method") has `match` in it.

    `status`, `headers` and `body` are an HTTP answer; `code`, `message` and `details` (protobuf messages) a gRPC one.
    `delay_seconds` comes first. `drop` cuts the connection without an answer, before the request has any effect;
    `drop_answer` after it. `cut_at_bytes` ends the real answer early, `drip_seconds` is the pause before each byte of
    it, and `flip_byte` alters the one at that place.
    """

    match: str = "."
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    code: Any = None
    message: str = ""
    details: Sequence[Any] = ()
    reply: Any = None
    delay_seconds: float = 0.0
    drop: bool = False
    drop_answer: bool = False
    cut_at_bytes: int | None = None
    drip_seconds: float = 0.0
    flip_byte: int | None = None


class Script:
    """Faults to come, in order, each for so many requests; then everything works again. Safe between threads."""

    def __init__(self) -> None:
        self._planned: list[tuple[Fault, int]] = []
        self._lock = threading.Lock()
        self._chance = 0.0
        self._choices: Sequence[Fault] = ()
        self._random = random.Random(0)
        self.happened = 0

    def plan(self, fault: Fault, *, times: int = 1) -> None:
        with self._lock:
            self._planned.append((fault, times))

    def fail_by_chance(self, share: float, choices: Sequence[Fault], *, seed: int) -> None:
        """From now on that share of all requests ends in one of `choices`."""
        with self._lock:
            self._chance, self._choices, self._random = share, choices, random.Random(seed)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
            self._chance = 0.0

    def take(self, request_line: str) -> Fault | None:
        """The fault that this request meets. Give it back (`give_back`) when the client had left before it came."""
        with self._lock:
            for place, (fault, times) in enumerate(self._planned):
                if re.search(fault.match, request_line):
                    if times > 1:
                        self._planned[place] = (fault, times - 1)
                    else:
                        del self._planned[place]
                    self.happened += 1
                    return fault
            if self._chance and self._random.random() < self._chance:
                self.happened += 1
                return self._random.choice(self._choices)
            return None

    def give_back(self, fault: Fault) -> None:
        with self._lock:
            self.happened -= 1
            self._planned.insert(0, (fault, 1))
