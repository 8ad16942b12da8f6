"""The pages of accounts: who comes in, where they land, what a stranger can find out."""

import pytest
from django.test import Client

from coaching.models import Consent, OutboxMail, User
from coaching.services import account_links
from tests.coaching.conftest import PASSWORD

pytestmark = pytest.mark.django_db

NEWCOMER = {"first_name": "あおい", "email": "aoi@example.com", "password": "mada-kore-kara-9"}


@pytest.fixture
def web() -> Client:
    return Client()


@pytest.fixture
def known(bob: User) -> User:
    bob.set_password(PASSWORD)
    bob.save()
    return bob


def test_whoever_registers_is_logged_in_and_sent_to_the_quiz(web: Client) -> None:
    answer = web.post("/register/", NEWCOMER)
    assert answer.headers["Location"] == "/onboarding/"
    assert web.get("/dashboard/").status_code == 200
    assert OutboxMail.objects.get().kind == "verify_email"


def test_what_was_typed_stays_but_for_the_password(web: Client) -> None:
    answer = web.post("/register/", NEWCOMER | {"password": "123"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="あおい"' in page
    assert 'aria-invalid="true"' in page
    assert 'value="123"' not in page


def test_the_login_leads_back_to_where_one_was(web: Client, known: User) -> None:
    wanted = "/dishes/fried-rice/?from=mail"
    refused = web.get(wanted)
    assert refused.headers["Location"] == "/login/?next=/dishes/fried-rice/%3Ffrom%3Dmail"
    answer = web.post("/login/", {"email": known.email, "password": PASSWORD, "next": wanted})
    assert answer.headers["Location"] == wanted


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:///evil"]
)
def test_no_link_leads_out_of_the_login(web: Client, known: User, elsewhere: str) -> None:
    answer = web.post("/login/", {"email": known.email, "password": PASSWORD, "next": elsewhere})
    assert answer.headers["Location"] == "/dashboard/"


def test_a_wrong_password_and_an_unknown_address_read_alike(web: Client, known: User) -> None:
    pages = []
    for email in (known.email, "nobody@example.com"):
        answer = web.post("/login/", {"email": email, "password": "chigau-nabe-3"})
        assert answer.status_code == 422
        pages.append(answer.content.decode().replace(email, "").split("<form")[1].split("csrf")[0])
    assert pages[0] == pages[1]


def test_too_many_attempts_are_slowed_and_keep_the_address(web: Client, known: User) -> None:
    attempts = [web.post("/login/", {"email": known.email, "password": "x"}) for _ in range(11)]
    assert [each.status_code for each in attempts[:10]] == [422] * 10
    assert attempts[-1].status_code == 429
    assert known.email in attempts[-1].content.decode()


def test_logging_out_takes_a_post(web: Client, known: User) -> None:
    web.force_login(known)
    assert web.get("/logout/").status_code == 405
    assert web.post("/logout/").headers["Location"] == "/"
    assert web.get("/dashboard/").status_code == 302


def test_a_post_from_elsewhere_gets_a_page_that_says_so(known: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/login/", {"email": known.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert "安全のため、操作を止めました" in answer.content.decode()


def test_a_reset_says_the_same_for_every_address(web: Client, known: User) -> None:
    pages = [web.post("/password/", {"email": email}) for email in (known.email, "nobody@example.com")]
    assert pages[0].status_code == pages[1].status_code == 200
    assert _strip(pages[0].content) == _strip(pages[1].content)
    assert OutboxMail.objects.count() == 1


def _strip(page: bytes) -> str:
    """Without what differs in every answer: tokens and nonces."""
    return "".join(line for line in page.decode().splitlines() if "nonce" not in line and "X-CSRFToken" not in line)


def test_a_reset_link_logs_in_with_the_new_password(web: Client, known: User) -> None:
    path = account_links.make_reset_path(known)
    assert web.get(path).status_code == 200
    assert web.post(path, {"password": "12345678"}).status_code == 422
    assert web.post(path, {"password": "atarashii-nabe-5"}).headers["Location"] == "/dashboard/"
    assert web.get("/dashboard/").status_code == 200
    assert web.get(path).headers["Location"] == "/password/", "it works once"


def test_a_verification_link_says_what_became_of_it(web: Client, known: User) -> None:
    web.force_login(known)
    answer = web.get(f"/verify/{account_links.make_verification_token(known)}/", follow=True)
    assert "メールアドレスを確認しました" in answer.content.decode()
    assert "期限が切れている" in web.get("/verify/forged/", follow=True).content.decode()


def test_an_optional_consent_is_given_and_taken_back(web: Client, known: User) -> None:
    web.force_login(known)
    web.post("/account/consents/", {"marketing_email": "on"})
    web.post("/account/consents/", {})
    rows = Consent.objects.filter(user=known, key="marketing_email").order_by("pk")
    assert [row.granted for row in rows] == [True, False]
    assert not Consent.objects.filter(user=known, key="terms", granted=False).exists()


def test_the_account_page_keeps_the_form_that_was_refused(web: Client, known: User) -> None:
    web.force_login(known)
    answer = web.post("/account/email/", {"email-email": "new@example.com", "email-password": "wrong"})
    assert answer.status_code == 422
    assert "いまのパスワードと合いません" in answer.content.decode()
    assert User.objects.get(pk=known.pk).email == "bob@example.com"


def test_a_changed_password_keeps_this_browser_logged_in(web: Client, known: User) -> None:
    web.force_login(known)
    other = Client()
    other.force_login(known)
    web.post("/account/password/", {"password-current": PASSWORD, "password-new": "atarashii-nabe-5"})
    assert web.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


def test_everything_that_is_kept_can_be_taken_along(web: Client, known: User, charlie: User) -> None:
    web.force_login(known)
    answer = web.post("/account/export/")
    document = answer.json()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert document["account"]["email"] == known.email
    assert {row["key"] for row in document["consents"]} >= {"terms", "cross_border"}
    assert charlie.email not in answer.content.decode()
    assert web.get("/account/export/").status_code == 405, "no link of a stranger starts a download"


def test_an_account_is_deleted_from_its_page(web: Client, known: User) -> None:
    web.force_login(known)
    assert web.post("/account/delete/", {"password": "wrong"}).status_code == 422
    assert web.post("/account/delete/", {"password": PASSWORD}).headers["Location"] == "/"
    assert not User.objects.filter(pk=known.pk).exists()
    assert web.get("/dashboard/").status_code == 302


def test_footage_is_deleted_from_the_page(web: Client, known: User) -> None:
    web.force_login(known)
    answer = web.post("/account/footage/", follow=True)
    assert "削除するものはありませんでした" in answer.content.decode()
