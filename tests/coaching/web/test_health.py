import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings


def test_the_process_is_alive_whatever_else_is_not(settings: Settings) -> None:
    """No database fixture: touching the database would fail here."""
    response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_it_is_ready_with_a_database_and_its_schema() -> None:
    response = Client().get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"]["database"] == "ok"
    assert response.json()["checks"]["migrations"] == "ok"


@pytest.mark.django_db
def test_it_is_not_ready_while_a_migration_is_pending() -> None:
    newest = next(name for app, name in MigrationLoader(connection).graph.leaf_nodes() if app == "coaching")
    MigrationRecorder(connection).record_unapplied("coaching", newest)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "pending")


@pytest.mark.django_db
def test_it_serves_on_without_a_broker_and_says_so(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = Client().get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok", "broker": "unreachable"},
    }


@pytest.mark.django_db
def test_it_is_not_ready_without_a_database() -> None:
    host = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = "1"
    try:
        response = Client().get("/readyz")
    finally:
        connection.settings_dict["PORT"] = host
    assert (response.status_code, response.json()["checks"]["database"]) == (503, "unreachable")
