"""An operator opens Flower in a real browser, behind its login: workers, queues, and a task that ran."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, HttpCredentials, Page, expect

from coaching.web.broker import list_queues
from project.celery import app
from project.env import load_env
from project.processes import Supervisor
from project.up import Installation, choose_port, list_processes, plan_installation
from tests.faults.cluster import make_database_url

SEEN_MS = 30_000  # workers tell Flower of themselves every few seconds


@pytest.fixture
def installation(tmp_path: Path, transactional_db: None) -> Iterator[Installation]:
    """Flower and one worker of `make up`."""
    planned = dataclasses.replace(plan_installation(load_env()), var_folder=tmp_path, flower_port=choose_port(0))
    (tmp_path / "run").mkdir()
    shared = {"VAR_FOLDER": str(tmp_path), "DATABASE_URL": make_database_url()}
    specs = [
        dataclasses.replace(spec, after=(), env={**spec.env, **shared})
        for spec in list_processes(planned)
        if spec.name in {"flower", "worker-default"}
    ]
    with Supervisor(specs, log_folder=tmp_path / "log") as supervisor:
        supervisor.wait_until_ready()
        yield planned


@pytest.fixture
def operators_page(browser: Browser, installation: Installation) -> Iterator[Page]:
    login: HttpCredentials = {"username": installation.flower_user, "password": installation.flower_password}
    with browser.new_context(http_credentials=login, base_url=installation.flower_url) as profile:
        profile.set_default_timeout(SEEN_MS)
        yield profile.new_page()


def test_an_operator_sees_workers_queues_and_what_ran(
    operators_page: Page, browser: Browser, installation: Installation
) -> None:
    task = app.send_task("celery.backend_cleanup", queue="upkeep")
    page = operators_page
    page.goto("/workers?refresh=1")
    expect(page.locator("#workers-table tbody")).to_contain_text("default-", timeout=SEEN_MS)
    page.goto("/tasks")
    row = page.locator("#tasks-table tbody tr", has_text=task.id)
    expect(row).to_contain_text("celery.backend_cleanup", timeout=SEEN_MS)
    expect(row).to_contain_text("SUCCESS", timeout=SEEN_MS)
    page.goto("/broker")
    for queue in list_queues():
        expect(page.locator(f"tr#{queue}")).to_be_visible()
    with browser.new_context(base_url=installation.flower_url) as stranger:
        answer = stranger.request.get("/tasks")
        assert answer.status == 401
        assert task.id not in answer.text()
