"""From the first page to the first dish, as a learner goes it: with a thumb, with a keyboard, without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from coaching.knowledge.loader import read_quiz
from coaching.models import User
from coaching.queries.onboarding import list_section_questions
from tests.browser.conftest import PageOpener, log_in

pytestmark = pytest.mark.usefixtures("loaded_content")


def register(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="無料で一皿ためす").first.click()
    page.get_by_label("お名前").fill("あおい")
    page.get_by_label("メールアドレス").fill("aoi@example.com")
    page.get_by_label("パスワード").fill("mada-kore-kara-9")
    page.get_by_role("button", name="登録して、質問に進む").click()


def answer_section(page: Page, key: str) -> None:
    for question in list_section_questions(key):
        if not question.core:
            continue
        field = page.locator(f"[name='{question.profile_key}']")
        if question.options:
            field.first.check()
        elif not field.input_value():
            field.fill("3")
    page.get_by_role("button", name="次へ").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_newcomer_comes_from_the_first_page_to_a_dish(
    open_page: PageOpener, transactional_db: None, *, scripts: bool
) -> None:
    page = open_page(scripts=scripts)
    register(page)
    for section in read_quiz().sections:
        expect(page).to_have_url(re.compile(f"/onboarding/{section.key}/$"))
        answer_section(page, section.key)
    for text in read_quiz().consents:
        if text.required:
            page.locator(f"[name='{text.key}']").check()
    page.get_by_role("button", name="これで始める").click()
    expect(page.get_by_role("heading", name="あおいさんの台所")).to_be_visible()
    page.get_by_role("link", name="チャーハンをはじめる").click()
    expect(page.get_by_role("heading", name="チャーハン", exact=True)).to_be_visible()
    assert User.objects.get(email="aoi@example.com").onboarding_done


def test_a_question_left_open_takes_the_focus_and_keeps_the_rest(page: Page, bob: User) -> None:
    log_in(page, bob)
    page.goto("/onboarding/about/")
    page.get_by_label("ほぼ毎日").check()
    page.get_by_role("button", name="次へ").click()
    expect(page.get_by_text("この質問へのご回答をお願いします。").first).to_be_visible()
    expect(page.get_by_label("ほぼ毎日")).to_be_checked()
    expect(page.locator("[name='cooking_experience_years']")).to_be_focused()


def test_what_hangs_on_an_answer_comes_and_goes_with_it(page: Page, bob: User) -> None:
    log_in(page, bob)
    page.goto("/onboarding/food/")
    hidden = page.get_by_label("「その他」の食材を")
    expect(hidden).to_be_hidden()
    page.locator("[name='allergies'][value='other']").check()
    expect(hidden).to_be_visible()
    page.locator("[name='allergies'][value='none']").check()
    expect(page.locator("[name='allergies'][value='other']")).not_to_be_checked()
    expect(hidden).to_be_hidden()


def test_the_keyboard_skips_to_the_content(page: Page, alice: User) -> None:
    log_in(page, alice)
    page.goto("/dashboard/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="本文へ進む")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("main a:focus, main button:focus, main summary:focus")).to_have_count(1)


def test_an_expired_login_leads_back_to_where_one_was(page: Page, alice: User) -> None:
    alice.set_password("kome-to-tamago-7")
    alice.save()
    log_in(page, alice)
    page.goto("/dashboard/")
    page.context.clear_cookies()
    page.get_by_role("link", name="ビーフステーキ").first.click()
    page.get_by_label("メールアドレス").fill(alice.email)
    page.get_by_label("パスワード").fill("kome-to-tamago-7")
    page.get_by_role("button", name="ログイン").click()
    expect(page).to_have_url(re.compile("/dishes/beef-steak/$"))


def test_a_second_tap_sends_nothing_twice(page: Page) -> None:
    page.goto("/password/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.get_by_label("メールアドレス").fill("nobody@example.com")
    page.locator("main form button").evaluate("(button) => { button.click(); button.click(); }")
    expect(page.get_by_role("heading", name="メールをご確認ください")).to_be_visible()
    assert len(sent) == 1


def test_the_sample_film_plays_with_captions(page: Page) -> None:
    page.goto("/")
    played = page.locator("video").evaluate(
        """async (video) => {
            video.muted = true;
            await video.play();
            while (video.currentTime < 0.5) await new Promise((go) => setTimeout(go, 50));
            video.pause();
            return { cues: video.textTracks[0].cues.length, duration: video.duration };
        }"""
    )
    assert played["cues"] > 5
    assert played["duration"] > 30


def test_without_a_network_a_page_says_so(open_page: PageOpener, faults: list[str], transactional_db: None) -> None:
    page = open_page(workers=True)
    page.goto("/")
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    page.context.set_offline(True)
    page.goto("/dashboard/")
    expect(page.get_by_role("heading", name="いまは通信できません")).to_be_visible()
    assert page.locator("h1").evaluate("(h) => getComputedStyle(h).fontFamily").count("Mincho"), "its look is kept too"
    page.context.set_offline(False)
    faults[:] = [fault for fault in faults if "ERR_INTERNET_DISCONNECTED" not in fault]
