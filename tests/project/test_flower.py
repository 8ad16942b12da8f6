"""Flower as `make up` starts it, over HTTP: nothing is told to those who do not log in, nothing can be changed."""

import base64
import dataclasses
import http.client
import json
import os
import re
import signal
from collections.abc import Iterator

import pytest
from flower.urls import handlers
from pytest_django import DjangoDbBlocker

from coaching.web.broker import list_queues
from project.celery import app
from project.env import load_env
from project.processes import Supervisor
from project.up import Installation, choose_port, list_processes, plan_installation
from tests.faults.cluster import make_database_url, wait_until

REFUSALS = {401, 403, 404, 405}
OPEN_TO_ALL = {"/static/x", "/logout"}  # Flower's own scripts and style; a page that says goodbye


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("flower")
    (folder / "run").mkdir()
    return dataclasses.replace(plan_installation(load_env()), var_folder=folder, flower_port=choose_port(0))


@pytest.fixture(scope="module", autouse=True)
def supervisor(
    installation: Installation, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Supervisor]:
    """Flower and one worker of `make up`, over the database of the tests that are marked to use it."""
    with django_db_blocker.unblock():
        shared = {"VAR_FOLDER": str(installation.var_folder), "DATABASE_URL": make_database_url()}
    specs = [
        dataclasses.replace(spec, after=(), env={**spec.env, **shared})
        for spec in list_processes(installation)
        if spec.name in {"flower", "worker-default"}
    ]
    with Supervisor(specs, log_folder=installation.var_folder / "log") as running:
        running.wait_until_ready()
        yield running


def ask(installation: Installation, path: str, *, method: str = "GET", password: str | None = None) -> tuple[int, str]:
    headers = {}
    if password is not None:
        login = base64.b64encode(f"{installation.flower_user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {login}"
    connection = http.client.HTTPConnection("127.0.0.1", installation.flower_port, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def request(installation: Installation, path: str, *, method: str = "GET", password: str | None = None) -> int:
    return ask(installation, path, method=method, password=password)[0]


def read(installation: Installation, path: str) -> str:
    """What an operator is shown."""
    status, text = ask(installation, path, password=installation.flower_password)
    assert status == 200, text
    return text


def list_paths() -> list[str]:
    """A path for every page that this version of Flower has, the ones that a later version adds included."""
    patterns = [handler[0] if isinstance(handler, tuple) else handler.regex.pattern for handler in handlers]
    return sorted({re.sub(r"\(\.[*+]\)|\.\*", "x", pattern).rstrip("$").rstrip("?") for pattern in patterns})


@pytest.mark.parametrize("path", [path for path in list_paths() if path not in OPEN_TO_ALL])
def test_a_stranger_is_told_nothing(installation: Installation, path: str) -> None:
    for password in (None, "", "wrong", installation.flower_password[:-1]):
        for method in ("GET", "POST"):
            assert request(installation, path, method=method, password=password) in REFUSALS


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/broker", "/metrics", "/healthcheck", "/api/task/types"])
def test_an_operator_sees_every_page(installation: Installation, path: str) -> None:
    assert request(installation, path) == 401
    assert request(installation, path, password=installation.flower_password) == 200


@pytest.mark.parametrize("path", ["/api/worker/shutdown/media@x", "/api/task/revoke/x", "/api/task/apply/tasks.x"])
def test_not_even_an_operator_changes_anything(installation: Installation, path: str) -> None:
    assert request(installation, path, method="POST", password=installation.flower_password) == 403


def test_every_queue_is_listed_whether_or_not_its_worker_lives(installation: Installation) -> None:
    """One worker runs here, of two queues: without `project.flower_conf` only these would be shown."""
    workers = [spec for spec in list_processes(installation) if spec.name.startswith("worker-")]
    (*options,) = (argument for spec in workers for argument in spec.argv if argument.startswith("--queues="))
    served = {queue for option in options for queue in option.removeprefix("--queues=").split(",")}
    assert set(list_queues()) == served
    assert set(re.findall(r'<tr id="([\w-]+)">', read(installation, "/broker"))) == served


@pytest.mark.django_db
def test_what_flower_saw_outlives_it(installation: Installation, supervisor: Supervisor) -> None:
    wait_until(lambda: "default-" in read(installation, "/api/workers?refresh=1"), what="the worker is seen")
    task = app.send_task("celery.backend_cleanup", queue="upkeep")

    def is_done() -> bool:
        known: dict[str, dict[str, object]] = json.loads(read(installation, "/api/tasks"))
        return known.get(task.id, {}).get("state") == "SUCCESS"

    wait_until(is_done, what="Flower sees the task end")
    assert 'task="celery.backend_cleanup",type="task-succeeded"' in read(installation, "/metrics")
    restarts, flower = supervisor.restarts["flower"], supervisor.pid("flower")
    assert flower is not None
    os.kill(flower, signal.SIGTERM)
    wait_until(lambda: supervisor.restarts["flower"] > restarts and supervisor.states["flower"] == "ready")
    assert is_done()
