"""What the broker says of itself, asked with a short patience."""

from dataclasses import dataclass

import redis
from django.conf import settings

TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFigures:
    """Messages that wait, by queue, and those that workers hold unacknowledged."""

    waiting: dict[str, int]
    unacknowledged: int


def list_queues() -> list[str]:
    """Every queue of the product."""
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    return sorted({settings.CELERY_TASK_DEFAULT_QUEUE, *settings.STAGE_QUEUES.values(), *routed})


def ask_broker() -> BrokerFigures:
    """One round trip. Raises `redis.RedisError` when it is out of reach."""
    queues = list_queues()
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
    ) as broker:
        asked = broker.pipeline(transaction=False)
        for queue in queues:
            asked.llen(queue)
        asked.hlen("unacked")
        *waiting, unacknowledged = asked.execute()
    return BrokerFigures(waiting=dict(zip(queues, waiting, strict=True)), unacknowledged=unacknowledged)
