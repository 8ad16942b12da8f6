"""How often all workers together may ask a model, and a pause for all of them when it says that it was too often.

One moving window a model, kept in Redis (`limits`), and beside it the moment until which nobody asks. A call that may
not go raises `RetryLater`: the stage gives its slot back and is due again when there is room. Nothing sleeps here.
"""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import redis
from limits import parse
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from coaching.errors import ProviderRateLimited, RetryLater

PAUSE_SECONDS = 15.0  # where the model did not say for how long
LONGEST_PAUSE_SECONDS = 3600.0
WITHOUT_REDIS_SECONDS = 10.0
REDIS_TIMEOUT_SECONDS = 5
# Those who were turned away together do not come back together.
SPREAD = 1.5

# The methods of the ports that ask a model once or a few times. Indexing asks thousands of times, and paces itself.
CALLS = frozenset({"understand_memo", "analyse", "write_script", "answer", "transcribe", "synthesise", "search"})

logger = logging.getLogger(__name__)


class ModelGate:
    """The gate before one model. `rate` as `limits` reads it: "300/minute"; `key` names the model in Redis."""

    def __init__(self, *, redis_url: str, key: str, rate: str) -> None:
        self._key = key
        self._rate = parse(rate)
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS
        )
        storage = RedisStorage(redis_url, connection_pool=self._redis.connection_pool)
        self._window = MovingWindowRateLimiter(storage)

    def enter(self) -> None:
        """Take one place in the window; raises `RetryLater` where there is none, or where all pause."""
        try:
            paused_ms = int(self._redis.pttl(self._pause_key))
            if paused_ms > 0:
                raise self._turn_away(paused_ms / 1000, "it asked all of us to pause")
            if not self._window.hit(self._rate, self._key):
                free_at = self._window.get_window_stats(self._rate, self._key).reset_time
                wait_seconds = max(free_at - datetime.now(UTC).timestamp(), self._rate.get_expiry() / self._rate.amount)
                raise self._turn_away(wait_seconds, f"{self._rate} are taken")
        except redis.RedisError as error:
            raise self._turn_away(WITHOUT_REDIS_SECONDS, f"nobody can say how often it was asked: {error}") from error

    def pause(self, seconds: float | None) -> None:
        """Have all workers leave the model alone for so long; a longer pause that is under way stays."""
        pause_ms = int(1000 * min(LONGEST_PAUSE_SECONDS, PAUSE_SECONDS if seconds is None else max(1.0, seconds)))
        try:
            if int(self._redis.pttl(self._pause_key)) < pause_ms:
                self._redis.set(self._pause_key, "1", px=pause_ms)
        except redis.RedisError as error:
            logger.warning("%s: the pause of %d ms is this call's only: %s", self._key, pause_ms, error)
        else:
            logger.warning("%s asked for a pause: nobody asks it for %d ms", self._key, pause_ms)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """A model that says "too often" within makes everybody pause."""
        try:
            yield
        except ProviderRateLimited as error:
            self.pause(error.retry_after_seconds)
            raise

    @property
    def _pause_key(self) -> str:
        return f"model-pause:{self._key}"

    def _turn_away(self, wait_seconds: float, reason: str) -> RetryLater:
        due_at = datetime.now(UTC) + timedelta(seconds=wait_seconds * random.uniform(1.0, SPREAD))
        return RetryLater(f"{self._key} is not asked now: {reason}", due_at=due_at)


class LimitedAdapter:
    """An adapter behind its model's gate; everything but `CALLS` goes through as it is."""

    def __init__(self, adapter: Any, gate: ModelGate) -> None:
        self._adapter = adapter
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        return self._limit(found) if name in CALLS else found

    def _limit(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def ask(request: Any) -> Any:
            self._gate.enter()
            with self._gate.watch():
                answered = call(request)
            return self._watch_pieces(answered) if isinstance(answered, Iterator) else answered

        return ask

    def _watch_pieces(self, pieces: Iterator[Any]) -> Iterator[Any]:
        with self._gate.watch():
            yield from pieces
