"""The page of a finished cook in a real browser: the film plays to its end, and everything leads to its second."""

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from coaching.models import Reply, Session, SessionStatus, StageRun, StageState, User
from coaching.providers.registry import get_object_store, get_self_served_store
from coaching.services import sessions
from tests.browser.conftest import PageOpener, log_in
from tests.coaching.services.test_sessions import begin, send
from tests.finished_cooks import CAPTIONS, CHAPTERS, FILM_SECONDS, Footage, finish_cook, share_footage

pytestmark = pytest.mark.usefixtures("transactional_db", "loaded_content")
POLL_MS = 20_000
TIME = "() => document.querySelector('[data-film]').currentTime"


@pytest.fixture
def footage() -> Footage:
    return share_footage()


@pytest.fixture
def cook(alice: User, footage: Footage) -> Session:
    """Alice's second cook of the dish, so that there is a then and a now."""
    finish_cook(alice, footage)
    return finish_cook(alice, footage, session_number=2)


def open_session(page: Page, session: Session) -> Page:
    log_in(page, session.user)
    page.goto(f"/sessions/{session.pk}/")
    expect(page.locator("[data-film-room]")).to_have_attribute("data-ready", "1")
    return page


def test_the_film_plays_to_its_end_with_captions(page: Page, cook: Session) -> None:
    open_session(page, cook)
    page.evaluate(
        "() => { const film = document.querySelector('[data-film]'); film.muted = true; return film.play(); }"
    )
    page.wait_for_function("() => document.querySelector('[data-film]').currentTime > 0.3")
    shown = page.evaluate(
        "() => [...document.querySelector('[data-film]').textTracks[0].activeCues].map((c) => c.text)"
    )
    assert shown == [CAPTIONS[0].text]
    assert page.evaluate("() => document.querySelector('[data-film]').textTracks[0].mode") == "showing"
    page.wait_for_function("() => document.querySelector('[data-film]').ended", timeout=30_000)
    assert page.evaluate(TIME) == pytest.approx(FILM_SECONDS, abs=0.2)
    assert page.locator("[data-transcript] [aria-current]").inner_text().endswith("続けば成功です。")


def test_chapters_lines_speeds_and_frames(page: Page, cook: Session) -> None:
    open_session(page, cook)
    for chapter in CHAPTERS:
        expect(page.get_by_role("button", name=chapter.text)).to_be_visible()
    page.get_by_role("button", name="ここがポイント").click()
    page.wait_for_function("() => document.querySelector('[data-film]').currentTime >= 2")
    expect(page.get_by_role("button", name="ここがポイント")).to_have_attribute("aria-current", "true")
    line = page.get_by_role("button", name="音がパチパチ <軽く> 続けば成功です。")
    line.click()
    page.wait_for_function("() => document.querySelector('[data-film]').currentTime >= 4")
    page.get_by_role("button", name="0.25倍").click()
    expect(page.get_by_role("button", name="0.25倍")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="ふつう")).to_have_attribute("aria-pressed", "false")
    page.evaluate("() => document.querySelector('[data-film]').pause()")
    before = page.evaluate(TIME)
    page.get_by_role("button", name="1コマ進む").click()
    assert page.evaluate(TIME) == pytest.approx(before + 1 / 30, abs=0.005)
    page.get_by_role("button", name="1コマ戻す").click()
    assert page.evaluate(TIME) == pytest.approx(before, abs=0.005)


def test_an_event_leads_into_the_raw_footage(page: Page, cook: Session) -> None:
    open_session(page, cook)
    page.get_by_role("button", name="ご飯を入れました").click()
    page.wait_for_function("() => document.querySelector('[data-raw]').currentTime >= 7")
    page.evaluate("() => document.querySelector('[data-raw]').pause()")
    page.goto(f"/sessions/{cook.pk}/#t=2.0")
    page.reload()
    page.wait_for_function("() => document.querySelector('[data-raw]').currentTime >= 2")


def test_then_and_now_loop_around_their_moment(open_page: PageOpener, cook: Session, live_url: str) -> None:
    page = open_page()
    page.emulate_media(reduced_motion="no-preference")
    open_session(page, cook)
    expect(page.locator("[data-moment]")).to_have_count(2)
    page.locator("[data-moment]").last.scroll_into_view_if_needed()
    now = "() => [...document.querySelectorAll('[data-moment]')].at(-1)"
    page.wait_for_function(f"() => ({now})().currentTime > 4")
    page.evaluate(f"() => {{ ({now})().currentTime = 11.8; }}")
    page.wait_for_function(f"() => {{ const at = ({now})().currentTime; return at >= 4 && at < 10; }}")


def test_a_player_fetches_a_new_link_when_its_own_has_ended(page: Page, cook: Session, faults: list[str]) -> None:
    log_in(page, cook.user)
    url = f"**/{cook.coaching_video_gcs_path}*"
    page.route(url, lambda route: route.fulfill(status=403), times=1)
    page.goto(f"/sessions/{cook.pk}/")
    page.wait_for_function("() => document.querySelector('[data-film]').readyState >= 1")
    assert page.locator("[data-film-fault]").is_hidden()
    faults[:] = [fault for fault in faults if "403" not in fault]


def test_footage_that_is_gone_says_so(page: Page, cook: Session, faults: list[str]) -> None:
    get_object_store().delete(cook.raw_video_path)
    open_session(page, cook)
    page.get_by_role("button", name="ご飯を入れました").click()
    expect(page.locator("[data-raw-fault]")).to_be_visible()
    faults[:] = [fault for fault in faults if "404" not in fault]


@pytest.fixture
def working(alice: User) -> Session:
    video = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(1000)
    session = begin(alice, size_bytes=len(video))
    send(get_self_served_store(), session, video)
    sessions.submit_session(session_id=session.pk, user_id=alice.pk)
    session.refresh_from_db()
    return session


def test_the_page_follows_the_making_and_stops_asking(page: Page, working: Session, footage: Footage) -> None:
    log_in(page, working.user)
    page.goto(f"/sessions/{working.pk}/")
    expect(page.locator("#session")).to_contain_text("「動画の確認」の順番を待っています")
    StageRun.objects.filter(run__session=working, position=0).update(state=StageState.DONE)
    StageRun.objects.filter(run__session=working, position=1).update(state=StageState.QUEUED, queued_at=Now())
    expect(page.locator("#session")).to_contain_text("「音声メモの聞き取り」の順番を待っています", timeout=POLL_MS)
    Session.objects.filter(pk=working.pk).update(
        status=SessionStatus.FAILED, pipeline_error="動画が途中で切れていました。"
    )
    expect(page.locator("#session")).to_contain_text("動画が途中で切れていました。", timeout=POLL_MS)
    expect(page.locator("[data-stage-status]")).to_have_text("コーチング動画をつくれませんでした。")
    assert page.locator("#session[hx-trigger]").count() == 0


def test_a_question_on_the_page_is_asked_once_and_belongs_to_the_cook(page: Page, cook: Session) -> None:
    open_session(page, cook)
    page.get_by_label("コーチに聞く", exact=True).fill("なぜ <卵> を先に入れてはいけないのですか？")
    page.get_by_role("button", name="きく").dblclick()
    expect(page.locator("[data-room] .message-own")).to_contain_text("なぜ <卵> を先に入れてはいけないのですか？")
    expect(page.locator("[data-room] .reply")).to_have_count(1)
    assert [reply.session_id for reply in Reply.objects.all()] == [cook.pk]
    expect(page.get_by_label("コーチに聞く", exact=True)).to_have_value("")
