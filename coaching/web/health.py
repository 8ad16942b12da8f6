"""Is the process alive, and can it serve? For load balancers and supervisors; nothing secret is said."""

import logging
from collections.abc import Callable
from typing import TypeVar

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from coaching.web.broker import ask_broker
from coaching.web.deadlines import Inquiry

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
PATIENCE_SECONDS = 2.0  # a probe's own timeout must be longer


def _ask_database() -> str:
    """A connection of its own, so that it is the server that answers and not an old socket."""
    executor = MigrationExecutor(connection)
    return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"


_database = Inquiry(_ask_database, timeout_seconds=PATIENCE_SECONDS)
_broker = Inquiry(ask_broker, timeout_seconds=PATIENCE_SECONDS)


@require_safe
@never_cache
def answer_alive(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; touches nothing else, so that a slow database restarts no web process."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def answer_ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and its schema is ours, else 503; within some seconds even if both servers hang.

    The broker is reported, but does not decide: without it uploads and submits still succeed and are published
    later, so taking every web process out of service would lose what can be served.
    """
    asked_database, asked_broker = _database.begin(), _broker.begin()
    migrations = _report("the database", lambda: _database.wait(asked_database))
    broker = _report("the broker", lambda: _broker.wait(asked_broker))
    checks = {
        "database": "ok" if migrations in {"ok", "pending"} else migrations,
        "migrations": migrations if migrations in {"ok", "pending"} else "unknown",
        "broker": broker if isinstance(broker, str) else "ok",
    }
    ready = checks["database"] == "ok" and checks["migrations"] == "ok"
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _report(what: str, wait: Callable[[], Answer]) -> Answer | str:
    try:
        return wait()
    except TimeoutError:
        logger.warning("%s hangs", what)
        return "hangs"
    except (DatabaseError, redis.RedisError) as error:
        logger.warning("%s does not answer: %s", what, error)
        return "unreachable"
