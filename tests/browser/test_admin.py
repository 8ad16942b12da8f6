"""The admin in a real browser: an operator finds what failed, reads why, plays what was made, and steers."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from coaching.models import AuditEntry, PipelineRun, RunState, Stage, User
from coaching.services import runs
from tests.browser.admin_world import AdminWorld, build_admin_world
from tests.browser.conftest import PageOpener, log_in
from tests.browser.looking import list_barriers, list_overflowing

pytestmark = pytest.mark.usefixtures("loaded_content")

LIST = "/admin/coaching/session/"


@pytest.fixture
def world(transactional_db: None, loaded_content: None, sam: User, tmp_path: Path) -> AdminWorld:
    return build_admin_world(sam, tmp_path)


def page_of(run: PipelineRun) -> str:
    return f"{LIST}{run.session_id}/change/"


def test_an_operator_logs_in_finds_what_failed_and_reruns_it(
    world: AdminWorld, sam: User, open_page: PageOpener
) -> None:
    sam.set_password("kome-to-tamago-7")
    sam.save()
    page = open_page(width_px=1280)
    page.goto("/admin/")
    page.get_by_label("Email").fill(sam.email)
    page.get_by_label("Password").fill("kome-to-tamago-7")
    page.get_by_role("button", name="Log in").click()
    page.locator(".mc-glance").get_by_role("link", name="2 failed").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("link", name=f"Session {world.failed.session_id}", exact=True).click()
    expect(page.get_by_role("heading", name="analyse: ProviderRefused")).to_be_visible()

    page.get_by_role("link", name="Re-run from a stage…").click()
    expect(page.get_by_label("Begin at")).to_have_value("analyse")  # where it failed
    page.get_by_label("Begin at").select_option("inspect")
    expect(page.locator(".mc-stage-replaced")).to_have_count(8)  # the new plan came without a button
    page.get_by_label("Why").fill("Gemini was misconfigured until noon")
    page.get_by_role("button", name="Re-run").click()
    expect(page.get_by_text(f"Re-run started: session {world.failed.session_id}.")).to_be_visible()
    expect(page.get_by_role("img", name="Timeline of run")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Gemini was misconfigured until noon")).to_have_count(1)
    assert AuditEntry.objects.filter(actor=sam, action="run.rerun", reason__startswith="Gemini").exists()


def test_many_are_steered_from_the_list(world: AdminWorld, sam: User, open_page: PageOpener) -> None:
    page = open_page(width_px=1280)
    log_in(page, sam)
    page.goto(LIST)
    for run in (world.failed, world.in_vain, world.at_work):
        page.get_by_role("row").filter(has_text=f"Session {run.session_id}").get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("Retry the failed stage…")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("2 of 3 sessions can")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="nothing to retry")).to_have_count(1)
    page.get_by_label("Why").fill("the quota is back")
    page.get_by_role("button", name="Retry 2 sessions").click()
    expect(page.get_by_text("Retry started: sessions")).to_be_visible()
    assert PipelineRun.objects.filter(state=RunState.RUNNING).count() == 3


def test_the_page_follows_a_run_and_what_it_shows_plays(world: AdminWorld, sam: User, open_page: PageOpener) -> None:
    page = open_page(width_px=1280)
    log_in(page, sam)
    page.goto(page_of(world.at_work))
    expect(page.locator("#mc-live tbody")).to_contain_text("running 42 %")
    expect(page.locator("pre").filter(has_text="No space left on device")).to_be_visible()
    for player in ("The learner's cook", "The learner's voice memo", "Narration, part1"):
        plays(page, player)
    row = world.at_work.stages.get(stage=Stage.COMPOSE)
    held = runs.Claim(
        run_id=world.at_work.pk,
        session_id=world.at_work.session_id,
        stage=Stage.COMPOSE,
        fence=row.fence,
        attempt=row.attempt,
    )
    runs.report_progress(held, 77)
    expect(page.locator("#mc-live tbody")).to_contain_text("running 77 %")
    page.goto(f"{page_of(world.in_vain)}?run={world.in_vain.previous_id}")
    plays(page, "The coaching film")
    assert (
        page.evaluate("() => document.querySelector('video[aria-label=\"The coaching film\"]').textTracks.length") == 2
    )


def plays(page: Page, label: str) -> None:
    player = page.locator(f'[aria-label="{label}"]')
    player.evaluate("(media) => { media.muted = true; return media.play(); }")
    handle = player.element_handle()
    page.wait_for_function("(media) => media.currentTime > 0.2 && media.error === null", arg=handle)


def test_the_timeline_reads_without_eyes_and_without_a_mouse(
    world: AdminWorld, sam: User, open_page: PageOpener
) -> None:
    page = open_page(width_px=1280)
    log_in(page, sam)
    page.goto(page_of(world.at_work))
    picture = page.get_by_role("img", name=f"Timeline of run {world.at_work.pk}")
    described = picture.locator("desc").text_content() or ""
    assert re.search(r"compose: running, 3 attempts, queued .*, waiting for its retry 20 s, running", described)
    bars = picture.locator("rect.bar title, g > title")
    assert any("ended: evicted" in (bars.nth(i).text_content() or "") for i in range(bars.count()))


def test_the_admins_own_pages_have_no_barrier(world: AdminWorld, sam: User, open_page: PageOpener) -> None:
    page = open_page(width_px=1280)
    log_in(page, sam)
    findings: list[str] = []
    for path in (
        "/admin/",
        LIST,
        page_of(world.at_work),
        page_of(world.in_vain),
        f"{LIST}steer/rerun/?session={world.at_work.session_id}&session={world.in_vain.session_id}&stage=compose",
        "/admin/coaching/principle/",
    ):
        page.goto(path)
        findings += [f"{path}, light: {barrier}" for barrier in list_barriers(page)]
        page.emulate_media(color_scheme="dark")
        wait_for_colours(page)
        findings += [f"{path}, dark: {barrier}" for barrier in list_barriers(page)]
        page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 375, "height": 740})
    for path in (page_of(world.at_work), f"{LIST}steer/cancel/?session={world.at_work.session_id}"):
        page.goto(path)
        findings += [f"{path} at 375 px: {wide}" for wide in list_overflowing(page)]
    assert not findings, "\n".join(findings)


def wait_for_colours(page: Page) -> None:
    """Django's admin fades from one theme to the other; in between nothing has the contrast that it is to have."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function("() => document.getAnimations().every((fade) => fade.playState !== 'running')")


def test_steering_works_without_scripts(world: AdminWorld, sam: User, open_page: PageOpener) -> None:
    page = open_page(width_px=1280, scripts=False)
    log_in(page, sam)
    page.goto(page_of(world.at_work))
    page.get_by_role("link", name="Cancel the run…").click()
    page.get_by_label("Why").fill("a test of the disk")
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text(f"Run cancelled: session {world.at_work.session_id}.")).to_be_visible()
    world.at_work.refresh_from_db()
    assert world.at_work.state == RunState.CANCELLED
