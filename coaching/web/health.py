"""Is the process alive, and can it serve? For load balancers and supervisors; nothing secret is said."""

import logging

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

BROKER_TIMEOUT_SECONDS = 1.0


@require_safe
@never_cache
def answer_alive(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; touches nothing else, so that a slow database restarts no web process."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def answer_ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and its schema is ours, else 503.

    The broker is reported, but does not decide: without it uploads and submits still succeed and are published
    later, so taking every web process out of service would lose what can be served.
    """
    checks = {"database": "unreachable", "migrations": "unknown", "broker": _check_broker()}
    try:
        checks["migrations"] = _check_migrations()
        checks["database"] = "ok"
    except DatabaseError as error:
        logger.warning("not ready: %s", error)
    ready = checks["database"] == "ok" and checks["migrations"] == "ok"
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _check_migrations() -> str:
    executor = MigrationExecutor(connection)
    return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"


def _check_broker() -> str:
    timeout = BROKER_TIMEOUT_SECONDS
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=timeout, socket_timeout=timeout) as broker:
            broker.ping()
    except redis.RedisError as error:
        logger.warning("the broker does not answer: %s", error)
        return "unreachable"
    return "ok"
