import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
import redis
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process takes connections (the kernel does) and says nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def find_postgres() -> int:
    """The server that starts a process for each new connection; ours goes on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    server = psutil.Process(backend).parent()
    assert server is not None
    return server.pid


def find_broker(url: str) -> int:
    with redis.Redis.from_url(url) as broker:
        return int(broker.info("server")["process_id"])


def ask_ready() -> tuple[int, dict[str, Any]]:
    """The status and what was said."""
    response = Client().get("/readyz")
    assert "no-store" in response.headers["Cache-Control"]
    return response.status_code, response.json()


def test_the_process_is_alive_whatever_else_is_not(settings: Settings) -> None:
    """No database fixture: touching the database would fail here."""
    response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_it_is_ready_with_a_database_and_its_schema() -> None:
    checks = {"database": "ok", "migrations": "ok", "broker": "ok"}
    assert ask_ready() == (200, {"ready": True, "checks": checks})


@pytest.mark.django_db(transaction=True)
def test_it_is_not_ready_while_a_migration_is_pending() -> None:
    newest = next(name for app, name in MigrationLoader(connection).graph.leaf_nodes() if app == "coaching")
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("coaching", newest)
    try:
        status, said = ask_ready()
    finally:
        recorder.record_applied("coaching", newest)
    assert (status, said["checks"]["migrations"]) == (503, "pending")


@pytest.mark.django_db
def test_it_serves_on_without_a_broker_and_says_so(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    checks = {"database": "ok", "migrations": "ok", "broker": "unreachable"}
    assert ask_ready() == (200, {"ready": True, "checks": checks})


@pytest.mark.django_db
def test_it_is_not_ready_without_a_database() -> None:
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = "1"
    try:
        status, said = ask_ready()
    finally:
        connection.settings_dict["PORT"] = port
    assert status == 503
    assert said["checks"] == {"database": "unreachable", "migrations": "unknown", "broker": "ok"}


@pytest.mark.django_db
def test_it_answers_while_the_database_hangs_and_is_ready_again_after() -> None:
    with stopped(find_postgres()):
        for _ in range(2):  # those who come later do not pile up behind the first
            status, said = ask_ready()
            assert (status, said["checks"]["database"]) == (503, "hangs")
        assert Client().get("/healthz").status_code == 200
    assert wait_for_readiness()


def wait_for_readiness() -> bool:
    """Each question waits for an answer, so this is no busy loop."""
    return any(ask_ready()[0] == 200 for _ in range(20))


@pytest.mark.django_db
def test_it_answers_while_the_broker_hangs(settings: Settings) -> None:
    with stopped(find_broker(settings.REDIS_URL)):
        status, said = ask_ready()
    assert status == 200
    assert said["checks"]["broker"] in {"hangs", "unreachable"}
