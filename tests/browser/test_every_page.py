"""Every page of the list in `world`: reachable by everybody, on every screen, in both themes, light on the network."""

import pytest
from playwright.sync_api import Page, Response

from tests.browser.conftest import PageOpener, log_in
from tests.browser.looking import list_barriers, list_overflowing, list_small_targets
from tests.browser.world import PAGES, PageCase, Who, World, build_world

BUDGET_BYTES = 100_000


@pytest.fixture
def world(transactional_db: None, loaded_content: None) -> World:
    return build_world(has_runs=True)


@pytest.mark.parametrize("who", ["nobody", "newcomer", "learner"])
def test_every_page_suits_everybody(world: World, open_page: PageOpener, who: Who) -> None:
    page = open_page()
    weights = _Weights(page)
    if user := world.find_user(who):
        log_in(page, user)
    findings: list[str] = []
    for case in PAGES:
        if case.who == who:
            weights.forget()
            answer = page.goto(world.find_path(case))
            assert answer is not None
            assert answer.status == 200, (case, answer.status)
            findings += [f"{case.name}: {finding}" for finding in _look(page, case)]
            if (weight := weights.count_bytes()) > BUDGET_BYTES:
                findings.append(f"{case.name}: {weight} bytes of scripts and styles")
    assert not findings, "\n".join(findings)


def _look(page: Page, case: PageCase) -> list[str]:
    """A phone in both themes, the smallest phone, a wide screen."""
    findings = [f"light: {each}" for each in list_barriers(page)]
    findings += [f"small: {each}" for each in list_small_targets(page)]
    page.emulate_media(color_scheme="dark")
    findings += [f"dark: {each}" for each in list_barriers(page)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    findings += [f"320 px: {each}" for each in list_overflowing(page)]
    page.set_viewport_size({"width": 1280, "height": 860})
    findings += [f"1280 px: {each}" for each in (*list_overflowing(page), *list_small_targets(page))]
    page.set_viewport_size({"width": 375, "height": 740})
    return findings


class _Weights:
    """Bytes on the wire of the scripts and styles that a page took."""

    def __init__(self, page: Page) -> None:
        self._responses: list[Response] = []
        page.on("response", self._keep)

    def _keep(self, response: Response) -> None:
        self._responses.append(response)

    def forget(self) -> None:
        self._responses.clear()

    def count_bytes(self) -> int:
        return sum(
            response.request.sizes()["responseBodySize"]
            for response in self._responses
            if response.request.resource_type in {"script", "stylesheet"}
        )


def test_the_heaviest_page_is_measured_compressed(open_page: PageOpener) -> None:
    """The budget means something only if the styles are really counted, and really compressed."""
    page = open_page()
    weights = _Weights(page)
    page.goto("/login/")
    assert 15_000 < weights.count_bytes() < BUDGET_BYTES
