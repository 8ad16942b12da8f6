from typing import Any

import pytest

from coaching import queries
from coaching.errors import InvalidInput, OnboardingIncomplete
from coaching.knowledge.loader import read_quiz
from coaching.models import Consent, User
from coaching.services.onboarding import OnboardingStatus, describe_onboarding, save_onboarding

pytestmark = pytest.mark.django_db

CORE_ANSWERS: dict[str, Any] = {
    "preferred_name": "はな",
    "cooking_experience_years": 5,
    "cooking_frequency": "daily",
    "self_rated_level": "beginner",
    "goals": ["impress_family", "cook_without_recipes"],
    "first_dish": "fried-rice",
    "practice_pace": "weekly",
    "kitchen.heat_source": "gas",
    "kitchen.pans": ["iron", "lid"],
    "confidence.heat_management": 2,
    "confidence.moisture_control": "3",
    "confidence.taste_and_adjust": 4,
    "coaching.tone": "gentle",
    "notifications.channel": ["email"],
}
REQUIRED = {"terms": True, "privacy_ai_processing": True, "cross_border": True}


@pytest.fixture
def hana() -> User:
    return User.objects.create_user("hana@example.com", first_name="花子")


def save(
    user: User, answers: dict[str, Any] | None = None, consents: dict[str, bool] | None = None, *, finish: bool = False
) -> OnboardingStatus:
    return save_onboarding(user=user, answers=answers or {}, consents=consents or {}, finish=finish)


def faults_of(user: User, answers: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        save(user, answers)
    assert all(fault.message for fault in caught.value.faults)
    return {fault.field.removeprefix("answers."): fault.code for fault in caught.value.faults}


def test_core_answers_and_required_consents_complete_it(hana: User) -> None:
    outcome = save(hana, CORE_ANSWERS, REQUIRED, finish=True)
    assert outcome.done
    assert hana.onboarding_done
    assert hana.learner_profile["kitchen"] == {"heat_source": "gas", "pans": ["iron", "lid"]}
    assert hana.learner_profile["goals"] == ["cook_without_recipes", "impress_family"]
    assert hana.learner_profile["confidence"]["moisture_control"] == 3


def test_the_core_answers_of_this_test_are_the_quizzes_core_questions() -> None:
    assert set(CORE_ANSWERS) == {question.profile_key for question in read_quiz().questions if question.core}


def test_the_coach_calls_a_learner_by_the_name_they_prefer(hana: User) -> None:
    save(hana, {"preferred_name": " はな "})
    assert hana.first_name == "はな"


def test_answers_can_come_one_section_at_a_time(hana: User) -> None:
    for key, value in CORE_ANSWERS.items():
        assert not save(hana, {key: value}).done
    assert save(hana, consents=REQUIRED).done
    assert describe_onboarding(hana).done


def test_without_consents_it_is_not_done(hana: User) -> None:
    outcome = save(hana, CORE_ANSWERS)
    assert (outcome.done, outcome.missing_answers) == (False, ())
    assert outcome.missing_consents == ("terms", "privacy_ai_processing", "cross_border")


def test_finishing_too_early_says_what_is_missing_and_keeps_nothing(hana: User) -> None:
    with pytest.raises(OnboardingIncomplete) as caught:
        save(hana, {"goals": ["healthier"]}, {"terms": True}, finish=True)
    missing = {fault.field for fault in caught.value.faults}
    assert {"answers.first_dish", "answers.kitchen.pans", "consents.cross_border"} <= missing
    assert not {"answers.goals", "consents.terms"} & missing
    hana.refresh_from_db()
    assert hana.learner_profile == {}
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("cooking_experience_years", -1, "range"),
        ("cooking_experience_years", 81, "range"),
        ("cooking_experience_years", 2.5, "type"),
        ("cooking_experience_years", True, "type"),
        ("cooking_experience_years", "五", "type"),
        ("self_rated_level", "wizard", "choice"),
        ("self_rated_level", ["beginner"], "choice"),
        ("goals", [], "required"),
        ("goals", ["healthier", "impress_family", "understand_why", "expand_repertoire"], "max_select"),
        ("goals", "healthier", "type"),
        ("goals", [["healthier"]], "choice"),
        ("confidence.browning", 6, "range"),
        ("confidence.browning", 0, "range"),
        ("preferred_name", "は" * 21, "max_length"),
        ("preferred_name", "<script>", "name_characters"),
        ("recent_frustration", {"a": 1}, "type"),
        ("recent_frustration", "焦" * 301, "max_length"),
        ("recent_frustration", "焦げた\x00", "characters"),
        ("dream_dish", " ", "blank"),
        ("shoe_size", 26, "unknown"),
        ("dietary", ["vegan"], "consent_missing"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(hana: User, key: str, value: Any, code: str) -> None:
    assert faults_of(hana, {key: value}) == {key: code}


def test_every_fault_is_told_at_once_and_nothing_is_kept(hana: User) -> None:
    faults = faults_of(hana, {"goals": [], "self_rated_level": "wizard", "first_dish": "pomodoro"})
    assert faults == {"goals": "required", "self_rated_level": "choice"}
    hana.refresh_from_db()
    assert hana.learner_profile == {}


def test_an_unknown_consent_is_refused(hana: User) -> None:
    with pytest.raises(InvalidInput) as caught:
        save(hana, consents={"everything": True})
    assert caught.value.faults[0].field == "consents.everything"


def test_nothing_in_particular_excludes_the_rest(hana: User) -> None:
    save(hana, consents={"sensitive_diet": True})
    assert faults_of(hana, {"dietary": ["none", "vegan"]}) == {"dietary": "exclusive"}
    save(hana, {"dietary": ["none"]})
    assert hana.learner_profile["dietary"] == []


def test_a_sensitive_answer_goes_when_its_consent_is_taken_back(hana: User) -> None:
    save(hana, {"dietary": ["no_pork"], "allergies": ["egg"]}, {"sensitive_diet": True})
    assert hana.learner_profile == {"dietary": ["no_pork"], "allergies": ["egg"]}
    save(hana, consents={"sensitive_diet": False})
    assert hana.learner_profile == {}


def test_a_follow_up_counts_only_while_its_question_is_answered_so(hana: User) -> None:
    save(hana, consents={"sensitive_diet": True})
    save(hana, {"allergies": ["other"], "allergies_other": "キウイ"})
    assert hana.learner_profile["allergies_other"] == "キウイ"
    save(hana, {"allergies": ["egg"]})
    assert "allergies_other" not in hana.learner_profile


def test_an_answer_can_be_taken_back(hana: User) -> None:
    save(hana, CORE_ANSWERS, REQUIRED)
    outcome = save(hana, {"kitchen.heat_source": None})
    assert outcome.missing_answers == ("kitchen.heat_source",)
    assert not hana.onboarding_done
    assert hana.learner_profile["kitchen"] == {"pans": ["iron", "lid"]}


def test_consents_are_only_ever_added_and_only_when_they_change(hana: User) -> None:
    save(hana, consents={"terms": True})
    save(hana, consents={"terms": True})
    save(hana, consents={"terms": False})
    save(hana, consents={"terms": True})
    assert list(Consent.objects.order_by("id").values_list("granted", flat=True)) == [True, False, True]
    assert queries.list_granted_consents(hana) == {"terms"}


def test_a_consent_to_an_older_text_does_not_hold(hana: User) -> None:
    Consent.objects.create(user=hana, key="terms", version="2019-01", granted=True)
    assert "terms" in queries.list_missing_consents(hana)
    save(hana, consents={"terms": True})
    assert "terms" not in queries.list_missing_consents(hana)


def test_a_profile_of_another_shape_is_no_obstacle(hana: User) -> None:
    User.objects.filter(pk=hana.pk).update(learner_profile={"kitchen": "small", "goals": "many"})
    hana.refresh_from_db()
    save(hana, {"kitchen.heat_source": "ih"})
    assert hana.learner_profile["kitchen"] == {"heat_source": "ih"}
