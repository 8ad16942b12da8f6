"""A cook is sent from a phone's browser: cut off, reloaded, recorded, rated, submitted once."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from coaching.models import PipelineRun, Session, SessionStatus, User
from coaching.providers.ports import ByteRange
from coaching.providers.registry import get_object_store
from coaching.services import sessions
from tests.browser.conftest import PageOpener, log_in
from tests.browser.weak_line import WeakLine
from tests.coaching.services.test_sessions import begin, end

pytestmark = pytest.mark.usefixtures("transactional_db", "loaded_content")
NEW = "/sessions/new/fried-rice/"
MIB = 1024**2
SLOW, FAST = 2 * MIB, 200 * MIB  # bytes a second
FORM = "form[data-cook]"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Begins like an MP4, and is two chunks long; nobody looks at the rest before `inspect`."""
    path = tmp_path_factory.mktemp("video") / "晩ごはん.mp4"
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    path.write_bytes(head + random.Random(7).randbytes(12 * MIB))
    return path


@pytest.fixture
def phone(page: Page, alice: User) -> Page:
    log_in(page, alice)
    page.goto(NEW)
    expect(page.locator(FORM)).to_have_attribute("data-ready", "1")
    return page


@pytest.fixture
def line(live_url: str) -> Iterator[WeakLine]:
    with WeakLine(int(live_url.rpartition(":")[2]), up_bytes_per_second=SLOW) as line:
        yield line


@pytest.fixture
def far_phone(browser: Browser, line: WeakLine, alice: User, transactional_db: None) -> Iterator[Page]:
    """A phone that reaches us over a weak line only. What it cannot load stands in its console: that is no fault."""
    profile = browser.new_context(base_url=line.url, viewport={"width": 375, "height": 740}, locale="ja-JP")
    page = profile.new_page()
    page.on("dialog", lambda dialog: dialog.accept())  # "leave this page?"
    log_in(page, alice)
    page.goto(NEW)
    expect(page.locator(FORM)).to_have_attribute("data-ready", "1")
    yield page
    profile.close()


def choose(page: Page, video: Path) -> None:
    page.locator("[data-video-input]").set_input_files(video)


def wait_until(page: Page, state: str) -> None:
    expect(page.locator(FORM)).to_have_attribute("data-upload", state, timeout=30_000)


def wait_for_share(page: Page, share: float) -> None:
    page.wait_for_function("share => document.querySelector('[data-upload-bar]').value > share", arg=share)


def cut_and_mend(page: Page, line: WeakLine) -> None:
    line.cut()
    wait_until(page, "waiting")
    line.mend()
    wait_until(page, "sending")


def forgive(faults: list[str], *texts: str) -> None:
    """What the test provoked; what else went wrong stays."""
    faults[:] = [fault for fault in faults if not any(text in fault for text in texts)]


def read_uploaded(session: Session) -> bytes:
    store = get_object_store()
    stored = store.find(session.raw_video_path)
    assert stored is not None
    whole = ByteRange(first_byte=0, last_byte=stored.size_bytes - 1)
    return b"".join(store.read_bytes(object_path=session.raw_video_path, byte_range=whole))


def test_a_cook_gets_through_two_cuts_and_a_reload(far_phone: Page, line: WeakLine, video: Path, alice: User) -> None:
    phone = far_phone
    choose(phone, video)
    wait_for_share(phone, 0.1)
    expect(phone.locator("[data-upload-text]")).to_contain_text("毎秒")
    cut_and_mend(phone, line)
    wait_for_share(phone, 0.3)
    cut_and_mend(phone, line)
    before = phone.locator("[data-upload-bar]").evaluate("bar => bar.value")

    phone.reload()
    wait_until(phone, "sending")
    wait_for_share(phone, before * 0.9)  # it goes on, it does not begin again
    line.up_bytes_per_second = FAST

    phone.get_by_role("button", name="録音する").click()
    expect(phone.locator("[data-clock]")).to_contain_text("0:02")
    phone.get_by_role("button", name="録音を終える").click()
    expect(phone.locator("[data-playback]")).to_be_visible()
    expect(phone.get_by_role("button", name="録音し直す")).to_be_focused()

    phone.locator("input[name=taste][value='4']").focus()
    phone.keyboard.press("ArrowRight")
    phone.get_by_role("button", name="コーチに送る").dblclick()
    expect(phone.locator("#session")).to_have_attribute("data-status", "processing", timeout=30_000)

    session = Session.objects.get(user=alice)
    assert phone.url.endswith(f"/sessions/{session.pk}/")
    assert session.self_ratings == {"taste": 5}
    assert session.voice_memo_path
    assert session.uploads.count() == 1, "it was one upload all the time"
    assert PipelineRun.objects.filter(session=session).count() == 1
    assert hashlib.sha256(read_uploaded(session)).digest() == hashlib.sha256(video.read_bytes()).digest()


def test_back_after_the_submit_leads_to_no_second_one(phone: Page, video: Path, alice: User) -> None:
    phone.goto("/chat/coaching/")
    phone.goto(NEW)
    choose(phone, video)
    wait_until(phone, "done")
    phone.get_by_role("button", name="コーチに送る").click()
    expect(phone.locator("#session")).to_be_visible()
    phone.go_back()
    assert phone.url.endswith("/chat/coaching/")
    assert Session.objects.filter(user=alice).count() == 1


def test_a_login_that_ends_in_mid_upload_loses_nothing(
    far_phone: Page, line: WeakLine, video: Path, alice: User
) -> None:
    choose(far_phone, video)
    wait_until(far_phone, "sending")
    far_phone.context.clear_cookies(name="sessionid")
    far_phone.get_by_role("button", name="コーチに送る").click()
    line.up_bytes_per_second = FAST
    expect(far_phone.locator("[data-login]")).to_be_visible(timeout=30_000)
    assert Session.objects.get(user=alice).status == SessionStatus.DRAFT
    log_in(far_phone, alice)  # in another tab
    expect(far_phone.locator("#session")).to_have_attribute("data-status", "processing", timeout=30_000)


def test_a_stumbling_server_is_waited_for(phone: Page, video: Path, faults: list[str]) -> None:
    fails = iter([503, 500, 503])

    def stumble(route: Route) -> None:
        status = next(fails, None)
        if status is None:
            route.fallback()
        else:
            route.fulfill(status=status, body="")

    phone.route("**/uploads/*", stumble)
    phone.route("**/api/sessions/", stumble, times=1)
    choose(phone, video)
    wait_until(phone, "done")
    forgive(faults, "503", "500")


def test_an_upload_that_has_ended_is_opened_anew(far_phone: Page, line: WeakLine, video: Path, alice: User) -> None:
    choose(far_phone, video)
    wait_for_share(far_phone, 0.1)
    session = Session.objects.get(user=alice)
    sessions.close_uploads(session)
    line.up_bytes_per_second = FAST
    wait_until(far_phone, "done")
    assert session.uploads.count() == 2


def test_pause_stops_and_goes_on(far_phone: Page, line: WeakLine, video: Path) -> None:
    choose(far_phone, video)
    wait_for_share(far_phone, 0.05)
    far_phone.get_by_role("button", name="一時停止").click()
    wait_until(far_phone, "paused")
    line.up_bytes_per_second = FAST
    far_phone.get_by_role("button", name="再開する").click()
    wait_until(far_phone, "done")


FORGET_THE_FILE = """() => new Promise((done) => {
  const opening = indexedDB.open('moment-clone');
  opening.onsuccess = () => {
    const store = opening.result.transaction('cooks', 'readwrite').objectStore('cooks');
    store.getAll().onsuccess = ({ target }) => {
      for (const record of target.result) { delete record.file; store.put(record); }
      store.transaction.oncomplete = () => { opening.result.close(); done(); };
    };
  };
})"""


def test_a_reload_that_has_lost_the_file_asks_for_it_again(
    far_phone: Page, line: WeakLine, video: Path, alice: User
) -> None:
    choose(far_phone, video)
    wait_for_share(far_phone, 0.1)
    far_phone.goto("/healthz")
    far_phone.evaluate(FORGET_THE_FILE)
    far_phone.goto(NEW)
    wait_until(far_phone, "wanted")
    expect(far_phone.locator("[data-upload-text]")).to_contain_text("「晩ごはん.mp4」のアップロードが途中です")
    line.up_bytes_per_second = FAST
    choose(far_phone, video)
    wait_until(far_phone, "done")
    assert Session.objects.get(user=alice).uploads.count() == 1, "the same upload went on"


def test_a_second_tab_waits_for_the_first(phone: Page, alice: User) -> None:
    second = phone.context.new_page()
    second.goto(NEW)
    expect(second.locator("[data-other-tab]")).to_be_visible()
    phone.close()
    expect(second.locator(FORM)).to_have_attribute("data-ready", "1")


def test_a_quota_taken_by_another_tab_is_told(page: Page, bob: User, video: Path, faults: list[str]) -> None:
    log_in(page, bob)
    page.goto(NEW)
    expect(page.locator(FORM)).to_have_attribute("data-ready", "1")
    end(begin(bob, "pomodoro"), SessionStatus.COMPLETED)
    choose(page, video)
    expect(page.locator("[data-video-fault]")).to_contain_text("プランへのお申し込み")
    forgive(faults, "403")


def test_what_is_no_video_costs_no_byte(phone: Page, tmp_path: Path) -> None:
    text = tmp_path / "recipe.txt"
    text.write_text("卵")
    phone.locator("[data-video-input]").set_input_files(text)
    expect(phone.locator("[data-video-fault]")).to_contain_text("動画として受け取れません")
    assert not Session.objects.exists()
    phone.get_by_role("button", name="コーチに送る").click()
    expect(phone.locator("[data-status]")).to_have_text("先に、動画を選んでください。")


def test_a_memo_survives_a_reload_and_can_be_taken_back(phone: Page) -> None:
    phone.get_by_role("button", name="録音する").click()
    expect(phone.locator("[data-clock]")).to_contain_text("0:01")
    phone.get_by_role("button", name="録音を終える").click()
    expect(phone.locator("[data-playback]")).to_be_visible()
    phone.locator("input[name=aroma][value='2']").check(force=True)
    phone.reload()
    expect(phone.locator("[data-clock]")).to_contain_text("の音声メモ")
    expect(phone.locator("input[name=aroma][value='2']")).to_be_checked()
    phone.get_by_role("button", name="このメモを消す").click()
    expect(phone.locator("[data-playback]")).to_be_hidden()


def test_without_javascript_one_form_sends_it_all(open_page: PageOpener, alice: User, video: Path) -> None:
    page = open_page(scripts=False)
    log_in(page, alice)
    page.goto(NEW)
    page.locator("input[name=video]").set_input_files(video)
    page.locator("input[name=taste][value='3']").check(force=True)
    page.get_by_role("button", name="コーチに送る").click()
    expect(page.locator("#session")).to_contain_text("動画の確認")
    assert Session.objects.get(user=alice).self_ratings == {"taste": 3}


Evaluate = Callable[[str], object]


@pytest.fixture
def protocol(phone: Page) -> Evaluate:
    """Evaluates an expression with `p`, the module of the protocol's arithmetic, as the page has loaded it."""
    url = phone.evaluate(
        "() => performance.getEntriesByType('resource').map((e) => e.name).find((n) => n.includes('upload_protocol'))"
    )
    return lambda expression: phone.evaluate(
        f"async (url) => {{ const p = await import(url); return {expression}; }}", url
    )


def test_every_answer_of_the_protocol_has_its_meaning(protocol: Evaluate) -> None:
    expected: list[tuple[int, str | None, dict[str, object]]] = [
        (308, None, {"kind": "more", "receivedBytes": 0}),
        (308, "bytes=0-99", {"kind": "more", "receivedBytes": 100}),
        (308, "bytes=0-999999", {"kind": "more", "receivedBytes": 1000}),
        (308, "bytes=5-99", {"kind": "more", "receivedBytes": 0}),
        (200, None, {"kind": "done", "receivedBytes": 1000}),
        (201, None, {"kind": "done", "receivedBytes": 1000}),
        (404, None, {"kind": "gone"}),
        (410, None, {"kind": "gone"}),
        (416, "bytes=0-9", {"kind": "ask"}),
        (409, None, {"kind": "ask"}),
        (0, None, {"kind": "again"}),
        (429, None, {"kind": "again"}),
        (503, None, {"kind": "again"}),
        (400, None, {"kind": "refused"}),
        (403, None, {"kind": "refused"}),
    ]
    for status, header, verdict in expected:
        answer = json.dumps({"status": status, "range": header, "totalBytes": 1000})
        assert protocol(f"p.judgeAnswer({answer})") == verdict, (status, header)


def test_chunks_pauses_and_words(protocol: Evaluate) -> None:
    assert protocol("p.describeChunk(8, 4, 100)") == "bytes 8-11/100"
    assert protocol("p.describeQuery(100)") == "bytes */100"
    assert protocol("[1, 2, 3, 9, 50].map((n) => p.choosePauseSeconds(n, () => 1))") == [1, 2, 4, 30, 30]
    assert protocol("p.choosePauseSeconds(3, () => 0)") == 2
    assert protocol("[999, 1500, 45e6, 4.2e9].map(p.formatBytes)") == ["999 B", "1.5 KB", "45 MB", "4.2 GB"]
    assert protocol("[20, 61, 3700].map(p.formatTimeLeft)") == ["あと1分以内", "あと約2分", "あと約1時間2分"]
    adding = "const gauge = new p.SpeedGauge(); gauge.add(0, 0); gauge.add(1000, 500); gauge.add(2000, 1000);"
    assert protocol(f"(() => {{ {adding} return gauge.bytesPerSecond; }})()") == 500
