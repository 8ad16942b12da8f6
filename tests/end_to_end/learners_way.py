"""What a learner does on the pages, one function a step."""

from pathlib import Path

from playwright.sync_api import Page, expect

from coaching.knowledge.loader import read_quiz
from project.demo.learner import Login
from tests.browser.test_first_steps import answer_section
from tests.browser.weak_line import WeakLine

UPLOAD_BAR = "document.querySelector('[data-upload-bar]').value"
FILM = "document.querySelector('[data-film]')"
FILM_DEADLINE_MS = 240_000
LINE_MS = 30_000


def register(page: Page, url: str, login: Login) -> None:
    page.goto(url)
    page.get_by_role("link", name="無料で一皿ためす").first.click()
    page.get_by_label("お名前").fill("あおい")
    page.get_by_label("メールアドレス").fill(login.email)
    page.get_by_label("パスワード").fill(login.password)
    page.get_by_role("button", name="登録して、質問に進む").click()


def answer_quiz(page: Page) -> None:
    for section in read_quiz().sections:
        page.wait_for_url(f"**/onboarding/{section.key}/")
        answer_section(page, section.key)
    for text in read_quiz().consents:
        if text.required:
            page.locator(f"[name='{text.key}']").check()
    page.get_by_role("button", name="これで始める").click()
    expect(page.get_by_role("heading", name="あおいさんの台所")).to_be_visible()


def send_over_a_weak_line(page: Page, line: WeakLine, video: Path) -> None:
    """The line is cut twice while the video goes up, and the page is loaded anew; then it goes on where it was."""
    slow = line.up_bytes_per_second
    page.goto(f"{line.url}/sessions/new/fried-rice/")
    page.locator("form[data-cook][data-ready='1']").wait_for()
    page.locator("[data-video-input]").set_input_files(video)
    for share in (0.1, 0.3):
        page.wait_for_function(f"() => {UPLOAD_BAR} > {share}", timeout=LINE_MS)
        line.cut()
        page.locator("form[data-upload='waiting']").wait_for(timeout=LINE_MS)
        line.mend()
        page.locator("form[data-upload='sending']").wait_for(timeout=LINE_MS)
    before = page.evaluate(f"() => {UPLOAD_BAR}")
    page.reload()
    page.wait_for_function(f"() => {UPLOAD_BAR} > {before * 0.9}", timeout=LINE_MS)
    line.up_bytes_per_second = 100 * slow


def record_memo(page: Page) -> None:
    page.get_by_role("button", name="録音する").click()
    expect(page.locator("[data-clock]")).to_contain_text("0:02")
    page.get_by_role("button", name="録音を終える").click()
    expect(page.locator("[data-playback]")).to_be_visible()


def rate_and_submit(page: Page, ratings: dict[str, int]) -> None:
    for name, value in ratings.items():
        page.locator(f"input[name={name}][value='{value}']").focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="コーチに送る").click()
    page.locator("#session").wait_for(timeout=LINE_MS)


def watch_film_to_its_end(page: Page) -> None:
    """The page brings the film by itself; it plays with captions, and its last chapter to the end."""
    page.locator("[data-film-room][data-ready='1']").wait_for(timeout=FILM_DEADLINE_MS)
    page.evaluate(f"() => {{ {FILM}.muted = true; return {FILM}.play(); }}")
    page.wait_for_function(f"() => {FILM}.currentTime > 1 && {FILM}.textTracks[0].activeCues.length > 0")
    page.locator("[data-chapters] button").last.click()
    page.wait_for_function(f"() => {FILM}.ended", timeout=60_000)


def ask(page: Page, question: str) -> str:
    """The coach's answer, as it stands there in the end."""
    page.get_by_role("textbox", name="コーチに聞く").fill(question)
    page.get_by_role("button", name="きく", exact=True).click()
    answer = page.locator("[data-room] .reply:not([aria-busy])")
    answer.wait_for(timeout=60_000)
    return answer.inner_text()
