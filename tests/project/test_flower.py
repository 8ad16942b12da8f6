"""Flower as `make up` starts it, over HTTP: nothing is told to those who do not log in, nothing can be changed."""

import base64
import dataclasses
import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flower.urls import handlers

from project.env import load_env
from project.processes import Supervisor
from project.up import Installation, choose_port, list_processes, plan_installation

REFUSALS = {401, 403, 404, 405}
OPEN_TO_ALL = {"/static/x", "/logout"}  # Flower's own scripts and style; a page that says goodbye


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("flower")
    (folder / "run").mkdir()
    return dataclasses.replace(plan_installation(load_env()), var_folder=folder, flower_port=choose_port(0))


@pytest.fixture(scope="module", autouse=True)
def flower(installation: Installation) -> Iterator[None]:
    (spec,) = [spec for spec in list_processes(installation) if spec.name == "flower"]
    folder = {"VAR_FOLDER": str(installation.var_folder)}
    spec = dataclasses.replace(spec, after=(), env={**spec.env, **folder})
    with Supervisor([spec], log_folder=installation.var_folder / "log") as supervisor:
        supervisor.wait_until_ready()
        yield


def request(installation: Installation, path: str, *, method: str = "GET", password: str | None = None) -> int:
    headers = {}
    if password is not None:
        login = base64.b64encode(f"{installation.flower_user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {login}"
    connection = http.client.HTTPConnection("127.0.0.1", installation.flower_port, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


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


def test_what_flower_saw_outlives_it(installation: Installation) -> None:
    assert list((Path(installation.var_folder) / "run").glob("flower*"))
