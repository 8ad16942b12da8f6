"""How often one address may try to log in, to register, to have mail sent: counted over all web processes together.

One moving window per scope and address, in Redis (`limits`). The pages, the API and the admin share scopes and rates.
"""

import logging
import time
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

REDIS_TIMEOUT_SECONDS = 2
TOO_OFTEN = "短い時間に何度も操作されています。少し待ってから、もう一度お試しください。"

logger = logging.getLogger(__name__)


@cache
def connect_to_attempts() -> RedisStorage:
    """One pool of connections a process."""
    pool = redis.ConnectionPool.from_url(
        settings.REDIS_URL, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS
    )
    return RedisStorage(settings.REDIS_URL, connection_pool=pool, key_prefix="attempts")


# Without Redis each process counts for itself: more attempts pass, and nobody is locked out.
_own_attempts = MovingWindowRateLimiter(MemoryStorage())


class _AddressThrottle(BaseThrottle):
    """`settings.ATTEMPT_RATES` has the rate of each scope, as `limits` reads it: "10/minute"."""

    scope: str
    _wait_seconds: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        return self.may_try(request._request)

    def may_try(self, request: HttpRequest) -> bool:
        """Whether the address behind this request may try once more; counts the attempt."""
        rate = parse(settings.ATTEMPT_RATES[self.scope])
        address = self.get_ident(request)  # type: ignore[arg-type]  # it reads META, which Django's requests have too
        shared = MovingWindowRateLimiter(connect_to_attempts())
        try:
            return self._take(shared, rate, address)
        except redis.RedisError as error:
            logger.warning("attempts (%s) are counted by this process alone: %s", self.scope, error)
            return self._take(_own_attempts, rate, address)

    def _take(self, attempts: MovingWindowRateLimiter, rate: RateLimitItem, address: str) -> bool:
        if attempts.hit(rate, self.scope, address):
            return True
        self._wait_seconds = max(1.0, attempts.get_window_stats(rate, self.scope, address).reset_time - time.time())
        return False

    def wait(self) -> float | None:
        return self._wait_seconds


class LoginThrottle(_AddressThrottle):
    scope = "login"


class RegisterThrottle(_AddressThrottle):
    scope = "register"


class MailThrottle(_AddressThrottle):
    scope = "mail"
