"""The whole product, once for all tests of this folder: its processes, and learners who know it by HTTP only."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from media_tools.sample_cook import SMALL_FPS, SMALL_SIZE, Variant, find_memo, render_cook
from project.demo.learner import DemoLearner, make_login
from project.env import load_env
from project.processes import Supervisor
from project.up import Installation, list_processes, plan_installation, prepare
from tests.chromium import CHROMIUM_FLAGS, HOW_TO_INSTALL, find_chromium

FILM_DEADLINE_SECONDS = 400
OVER = {"completed", "failed", "cancelled"}


@pytest.fixture(scope="package")
def installation() -> Installation:
    return plan_installation(load_env())


@pytest.fixture(scope="package")
def supervisor(installation: Installation) -> Iterator[Supervisor]:
    """Every process but Flower, with the quick voice and a short lease.

    Ends with this folder: its workers would take the messages of other tests from the broker that they share.
    """
    # What is set here is for the children: this process has read its environment.
    for name, value in {"VOICE": "openjtalk", "STAGE_LEASE_SECONDS": "10", "FILM_PRESET": "ultrafast"}.items():
        os.environ[name] = value
    prepare(installation)
    specs = [spec for spec in list_processes(installation) if spec.name != "flower"]
    with Supervisor(specs, log_folder=installation.var_folder / "log") as running:
        running.wait_until_ready()
        yield running
    for name in ("VOICE", "STAGE_LEASE_SECONDS", "FILM_PRESET"):
        del os.environ[name]


@pytest.fixture
def join(supervisor: Supervisor, installation: Installation) -> Iterator[Callable[[], DemoLearner]]:
    """Makes a new learner who has registered, answered the quiz and may cook once for free."""
    with ExitStack() as stack:

        def register() -> DemoLearner:
            learner = stack.enter_context(DemoLearner(installation.web_url))
            learner.register(make_login("learner"))
            learner.answer_quiz()
            return learner

        yield register


@dataclass(frozen=True)
class Cook:
    video: Path
    truth: Any
    ratings: dict[str, int]


@pytest.fixture(scope="package")
def flawed_cook(tmp_path_factory: pytest.TempPathFactory) -> Cook:
    """A small cook on a seed that nothing was tuned on: the egg sets before the rice goes in."""
    variant = Variant.EGG_OVERCOOKED_BEFORE_RICE
    video = tmp_path_factory.mktemp("cooks") / "flawed.mp4"
    truth = render_cook(variant, 4711, video, size=SMALL_SIZE, fps=SMALL_FPS)
    return Cook(video=video, truth=truth, ratings=find_memo(variant).ratings)


def send(learner: DemoLearner, video: Path, memo: Path | None = None) -> int:
    """Upload and submit; answers the session's id."""
    session = learner.begin_session("fried-rice", video)
    for _ in learner.upload_video(session["upload"], video):
        pass
    if memo is not None:
        learner.send_memo(session["id"], memo)
    learner.submit(session["id"])
    return int(session["id"])


def wait_for_end(learner: DemoLearner, session_id: int) -> dict[str, Any]:
    """The session once its run is over, however it ended."""
    deadline = time.monotonic() + FILM_DEADLINE_SECONDS
    while True:
        session = learner.look(session_id)
        if session["pipeline"]["state"] in OVER:
            return session
        assert time.monotonic() < deadline, session["pipeline"]
        time.sleep(0.5)


@pytest.fixture(scope="package")
def chromium() -> str:
    """Asked for before the work begins, so that a missing browser costs nothing."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW_TO_INSTALL)
    return path


@pytest.fixture
def open_page(chromium: str) -> Iterator[Callable[[], Page]]:
    """Opens pages of a real browser, each in a profile of its own; it starts with the first."""
    with ExitStack() as stack:
        running: list[Browser] = []

        def open_one() -> Page:
            if not running:
                playwright = stack.enter_context(sync_playwright())
                running.append(playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS))
                stack.callback(running[0].close)
            return running[0].new_page()

        yield open_one
