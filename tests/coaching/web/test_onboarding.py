"""The quiz, a section a page."""

from typing import Any

import pytest
from django.test import Client

from coaching.knowledge.loader import read_quiz
from coaching.models import Consent, User
from coaching.queries.onboarding import list_section_questions

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(db: None) -> User:
    return User.objects.create_user("aoi@example.com", first_name="あおい")


@pytest.fixture
def web(newcomer: User) -> Client:
    client = Client()
    client.force_login(newcomer)
    return client


def answer_core(section: str) -> dict[str, Any]:
    """The first answer that every core question of the section takes."""
    answers: dict[str, Any] = {}
    for question in list_section_questions(section):
        if question.core:
            first = question.options[0].value if question.options else "3"
            answers[question.profile_key] = "あおい" if question.type == "short_text" else first
    return answers


def test_the_whole_quiz_can_be_answered_section_by_section(web: Client, newcomer: User) -> None:
    step = web.get("/onboarding/").headers["Location"]
    for section in read_quiz().sections:
        assert step == f"/onboarding/{section.key}/"
        step = web.post(step, answer_core(section.key)).headers["Location"]
    assert step == "/onboarding/consents/"
    required = {text.key: "on" for text in read_quiz().consents if text.required}
    assert web.post(step, required).headers["Location"] == "/dashboard/"
    newcomer.refresh_from_db()
    assert newcomer.onboarding_done
    assert {row.version for row in Consent.objects.filter(user=newcomer, granted=True)} == {"2026-01"}
    assert "必須の質問はすべて終わっています" in web.get("/onboarding/").content.decode()


def test_an_open_core_question_is_asked_for_and_the_rest_stays(web: Client, newcomer: User) -> None:
    answers = answer_core("about") | {"cooking_experience_years": ""}
    answer = web.post("/onboarding/about/", answers)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "この質問へのご回答をお願いします" in page
    assert 'value="daily" checked' in page
    assert web.post("/onboarding/about/", answers | {"later": "1"}).headers["Location"] == "/onboarding/goals/"
    newcomer.refresh_from_db()
    assert newcomer.learner_profile["cooking_frequency"] == "daily"
    assert web.get("/onboarding/").headers["Location"] == "/onboarding/about/", "it is taken up where it was left"


@pytest.mark.parametrize(
    ("key", "value"),
    [("preferred_name", "<script>"), ("cooking_frequency", "never"), ("cooking_experience_years", "81")],
)
def test_a_refused_answer_is_named(web: Client, key: str, value: str) -> None:
    answer = web.post("/onboarding/about/", answer_core("about") | {key: value})
    assert answer.status_code == 422
    assert "<script>" not in answer.content.decode().split("<main")[1].split("</main")[0]


def test_sensitive_answers_need_their_consent(web: Client, newcomer: User) -> None:
    refused = web.post("/onboarding/food/", {"allergies": ["egg"]})
    assert refused.status_code == 422
    kept = web.post("/onboarding/food/", {"allergies": ["egg"], "sensitive_diet": "on"})
    assert kept.headers["Location"] == "/onboarding/skill/"
    newcomer.refresh_from_db()
    assert newcomer.learner_profile["allergies"] == ["egg"]
    web.post("/onboarding/food/", {})
    newcomer.refresh_from_db()
    assert "allergies" not in newcomer.learner_profile


def test_consents_before_answers_lead_to_what_is_open(web: Client, newcomer: User) -> None:
    required = {text.key: "on" for text in read_quiz().consents if text.required}
    assert web.post("/onboarding/consents/", required).headers["Location"] == "/onboarding/"
    newcomer.refresh_from_db()
    assert not newcomer.onboarding_done


def test_a_missing_consent_is_named_and_the_given_ones_are_kept(web: Client, newcomer: User) -> None:
    answer = web.post("/onboarding/consents/", {"terms": "on"})
    assert answer.status_code == 422
    assert "この項目への同意が必要です" in answer.content.decode()
    assert Consent.objects.get(user=newcomer, key="terms").granted


def test_mixed_options_stay_where_they_are_for_one_learner(web: Client) -> None:
    first, second = (web.get("/onboarding/senses/").content.decode() for _ in range(2))
    assert first.split("<fieldset")[1:-1] == second.split("<fieldset")[1:-1]


def test_an_unknown_section_is_not_found(web: Client) -> None:
    assert web.get("/onboarding/nowhere/").status_code == 404
