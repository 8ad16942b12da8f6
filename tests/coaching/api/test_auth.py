from typing import Any

import pytest
from rest_framework.test import APIClient

from coaching.models import User
from tests.coaching.api.conftest import read_problem
from tests.coaching.conftest import PASSWORD

pytestmark = pytest.mark.django_db

HANA = {"email": "hana@example.com", "password": PASSWORD, "first_name": "花"}


class Browser(APIClient):
    """Keeps cookies and sends the CSRF token, as a page's script would."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True)

    def send(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        token = self.cookies["csrftoken"].value if "csrftoken" in self.cookies else ""
        return self.post(path, body, format="json", headers={"X-CSRFToken": token, **headers})


@pytest.fixture
def browser() -> Browser:
    browser = Browser()
    browser.get("/api/auth/me/")
    return browser


def test_who_am_i_sets_the_csrf_cookie_even_with_its_401() -> None:
    browser = Browser()
    read_problem(browser.get("/api/auth/me/"), 401, "not_authenticated")
    assert browser.cookies["csrftoken"].value


def test_registering_logs_in(browser: Browser) -> None:
    response = browser.send("/api/auth/register/", HANA)
    assert response.status_code == 201
    assert response.json()["first_name"] == "花"
    assert "password" not in response.json()
    me = browser.get("/api/auth/me/").json()
    assert (me["email"], me["onboarding_done"], me["subscription_status"]) == ("hana@example.com", False, "free")
    assert {consent["key"]: consent["granted"] for consent in me["consents"]}["terms"] is False


def test_faults_of_a_registration_come_by_field(browser: Browser) -> None:
    problem = read_problem(
        browser.send("/api/auth/register/", {"email": "hana", "password": "x"}), 400, "invalid_input"
    )
    assert {(fault["field"], fault["code"]) for fault in problem["errors"]} == {
        ("email", "invalid"),
        ("first_name", "required"),
    }
    problem = read_problem(browser.send("/api/auth/register/", HANA | {"password": "12345"}), 400, "invalid_input")
    assert {fault["field"] for fault in problem["errors"]} == {"password"}


def test_an_address_that_is_taken_is_a_fault_of_its_field(browser: Browser, alice: User) -> None:
    response = browser.send("/api/auth/register/", HANA | {"email": "ALICE@example.com"})
    assert read_problem(response, 400, "invalid_input")["errors"][0]["code"] == "taken"


def test_logging_in_and_out(browser: Browser) -> None:
    User.objects.create_user("hana@example.com", PASSWORD, first_name="花")
    assert browser.send("/api/auth/login/", {"email": "Hana@example.com", "password": PASSWORD}).status_code == 200
    assert browser.get("/api/auth/me/").status_code == 200
    assert browser.send("/api/auth/logout/").status_code == 204
    assert browser.get("/api/auth/me/").status_code == 401


@pytest.mark.parametrize(("email", "password"), [("hana@example.com", "no"), ("x", PASSWORD)])
def test_a_failed_login_does_not_say_what_was_wrong(browser: Browser, email: str, password: str) -> None:
    User.objects.create_user("hana@example.com", PASSWORD, first_name="花")
    response = browser.send("/api/auth/login/", {"email": email, "password": password})
    read_problem(response, 401, "authentication_failed")


def test_a_login_without_the_csrf_token_is_refused() -> None:
    read_problem(Browser().send("/api/auth/login/", {"email": "x", "password": "y"}), 403, "csrf_failed")


def test_an_unsafe_request_without_the_csrf_token_is_refused(alice: User) -> None:
    browser = Browser()
    browser.force_login(alice)
    read_problem(browser.post("/api/auth/logout/"), 403, "csrf_failed")
    assert browser.get("/api/auth/me/").status_code == 200


def test_a_request_from_another_site_is_refused(alice: User, browser: Browser) -> None:
    browser.force_login(alice)
    response = browser.send("/api/auth/logout/", Origin="https://evil.example")
    read_problem(response, 403, "csrf_failed")


def test_logins_are_throttled(browser: Browser) -> None:
    for _ in range(10):
        assert browser.send("/api/auth/login/", {"email": "x", "password": "y"}).status_code == 401
    response = browser.send("/api/auth/login/", {"email": "x", "password": "y"})
    read_problem(response, 429, "throttled")
    assert int(response.headers["Retry-After"]) > 0


def test_a_forged_forwarded_address_does_not_help_against_the_throttle(browser: Browser) -> None:
    answers = [
        browser.send("/api/auth/login/", {"email": "x", "password": "y"}, **{"X-Forwarded-For": f"10.0.0.{n}"})
        for n in range(11)
    ]
    assert answers[-1].status_code == 429


def test_answers_are_the_learners_alone(alice_client: APIClient) -> None:
    assert alice_client.get("/api/auth/me/").headers["Cache-Control"] == "private, no-cache"
