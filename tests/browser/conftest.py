"""A real browser against a real web process over the test's own database.

`page` is 375 px wide and light by default; `open_page(width_px=1280, theme="dark")` opens others. Every one of them
fails its test for a request to a third party, for an error in the console and for a breach of the page's policy.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Literal, Protocol

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from pytest_django import DjangoDbBlocker

from coaching.models import User
from tests.chromium import CHROMIUM_FLAGS, HOW_TO_INSTALL, find_chromium
from tests.coaching.conftest import alice, bob, charlie, fresh_throttles, loaded_content, sam  # noqa: F401  # the cast plays here too
from tests.coaching.web.server import run_server

HEIGHTS_PX = {320: 640, 375: 740, 1280: 860}
DEADLINE_MS = 15_000

Theme = Literal["light", "dark"]


class PageOpener(Protocol):
    def __call__(
        self, *, width_px: int = 375, theme: Theme = "light", scripts: bool = True, workers: bool = False
    ) -> Page: ...


@pytest.fixture(scope="package")
def live_url(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A gunicorn with threads, as in production, static files by their hashed names included.

    Objects are those of this process: what a test puts into the store, the server serves.
    """
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"], check=True)
    with (
        django_db_blocker.unblock(),
        run_server(tmp_path_factory.mktemp("web"), var_folder=settings.VAR_DIR) as server,
    ):
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with this folder: no other of Playwright's loops can run meanwhile in this thread."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW_TO_INSTALL)
    # Playwright's loop runs in this thread, where Django would then refuse to ask the database.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        running = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """What went wrong in any page of the test. A test that provokes an error takes it out again."""
    seen: list[str] = []
    yield seen
    assert not seen, "\n".join(seen)


@pytest.fixture
def open_page(browser: Browser, live_url: str, faults: list[str], transactional_db: None) -> Iterator[PageOpener]:
    """Opens pages, each in a profile of its own. The service worker stays out, but for `workers=True`."""
    with ExitStack() as stack:

        def open_one(
            *, width_px: int = 375, theme: Theme = "light", scripts: bool = True, workers: bool = False
        ) -> Page:
            profile = browser.new_context(
                base_url=live_url,
                viewport={"width": width_px, "height": HEIGHTS_PX.get(width_px, 800)},
                color_scheme=theme,
                java_script_enabled=scripts,
                locale="ja-JP",
                timezone_id="Asia/Tokyo",
                reduced_motion="reduce",
                has_touch=width_px < 768,
                service_workers="allow" if workers else "block",
            )
            stack.callback(profile.close)
            profile.set_default_timeout(DEADLINE_MS)
            page = profile.new_page()
            _watch(page, live_url, faults)
            return page

        yield open_one


@pytest.fixture
def page(open_page: PageOpener) -> Page:
    """A phone: 375 px, light."""
    return open_page()


def _watch(page: Page, live_url: str, faults: list[str]) -> None:
    """A breach of the Content-Security-Policy is an error in Chromium's console."""

    def hear(message: ConsoleMessage) -> None:
        # 422 is how a form is given back with what is wrong in it; Chromium notes every status above 399.
        if message.type == "error" and "status of 422" not in message.text:
            faults.append(f"console of {page.url}: {message.text}")

    def see(request: Request) -> None:
        if not request.url.startswith((live_url, "data:", "blob:")):
            faults.append(f"{page.url} asked a third party: {request.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: faults.append(f"script of {page.url}: {error}"))
    page.on("request", see)


def log_in(page: Page, user: User) -> None:
    """As if `user` had logged in with this browser before."""
    client = Client()
    client.force_login(user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": _find_origin(page)}
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict of optional keys


def _find_origin(page: Page) -> str:
    # Playwright keeps `base_url` to itself, so it is asked for by a request of the profile.
    return page.request.get("/healthz").url.removesuffix("/healthz")
