"""The onboarding quiz: answers into the learner's profile, consents into their own append-only table.

Answers come by profile key ("kitchen.heat_source"), any number at a time; None takes one back. They are checked
against the quiz, all faults at once, and nothing is kept where one is at fault. Onboarding is done when every core
question is answered and every required consent holds.
"""

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from coaching import queries
from coaching.errors import FieldFault, InvalidInput, OnboardingIncomplete
from coaching.knowledge.entries import Question, Quiz
from coaching.knowledge.loader import read_quiz
from coaching.models import Consent, User
from coaching.queries.onboarding import NAME_KEY, SENSITIVE_CONSENT, is_question_visible, read_answer
from coaching.services.learner_text import TextRefused, clean_line, clean_name, clean_paragraphs

Answer = str | int | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingStatus:
    """`missing_answers` are profile keys of core questions, `missing_consents` keys of required consents."""

    done: bool
    missing_answers: tuple[str, ...]
    missing_consents: tuple[str, ...]
    answered: int
    total: int


def describe_onboarding(user: User) -> OnboardingStatus:
    return _describe(user, read_quiz(), queries.list_missing_consents(user))


def save_onboarding(
    *,
    user: User,
    answers: Mapping[str, Any],
    consents: Mapping[str, bool],
    finish: bool = False,
    needed: Collection[str] = (),
) -> OnboardingStatus:
    """Keep answers and consents; raises `InvalidInput`, or `OnboardingIncomplete` where `finish` asks for all.

    `needed` are keys among `answers` that may not be left open this time: the core ones of a page of the quiz.
    """
    quiz = read_quiz()
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        faults = _record_consents(locked, quiz, consents)
        granted = queries.list_granted_consents(locked)
        profile, answer_faults = _merge_answers(locked.learner_profile, quiz, answers, granted)
        faults += [_fault_open(key) for key in needed if answers.get(key) is None]
        if faults := [*faults, *answer_faults]:
            raise InvalidInput(faults)
        locked.learner_profile = profile
        locked.first_name = read_answer(profile, NAME_KEY) or locked.first_name
        status = _describe(locked, quiz, [c.key for c in quiz.consents if c.required and c.key not in granted])
        if finish and not status.done:
            raise OnboardingIncomplete(_list_missing(status))
        locked.onboarding_done = status.done
        locked.save(update_fields=["learner_profile", "first_name", "onboarding_done"])
    user.refresh_from_db(fields=["learner_profile", "first_name", "onboarding_done"])
    return status


def _describe(user: User, quiz: Quiz, missing_consents: list[str]) -> OnboardingStatus:
    shown = [question for question in quiz.questions if is_question_visible(question, user.learner_profile)]
    unanswered = [question for question in shown if read_answer(user.learner_profile, question.profile_key) is None]
    missing = tuple(question.profile_key for question in unanswered if question.core)
    return OnboardingStatus(
        done=not missing and not missing_consents,
        missing_answers=missing,
        missing_consents=tuple(missing_consents),
        answered=len(shown) - len(unanswered),
        total=len(shown),
    )


def _list_missing(status: OnboardingStatus) -> list[FieldFault]:
    answers = [_fault_open(key) for key in status.missing_answers]
    consents = [
        FieldFault(field=f"consents.{key}", code="required", message="ご利用には、この項目への同意が必要です。")
        for key in status.missing_consents
    ]
    return answers + consents


def _fault_open(key: str) -> FieldFault:
    return FieldFault(field=f"answers.{key}", code="required", message="この質問へのご回答をお願いします。")


# --- consents -------------------------------------------------------------------------------------------------------


def _record_consents(user: User, quiz: Quiz, consents: Mapping[str, bool]) -> list[FieldFault]:
    """One new row for each answer that differs from the newest one or is to a newer text."""
    texts = {text.key: text for text in quiz.consents}
    latest = queries.get_latest_consents(user)
    faults: list[FieldFault] = []
    for key, granted in consents.items():
        if key not in texts:
            faults.append(FieldFault(field=f"consents.{key}", code="unknown", message="この項目はありません。"))
            continue
        before = latest.get(key)
        if before is None or before.granted != granted or before.version != texts[key].version:
            Consent.objects.create(user=user, key=key, version=texts[key].version, granted=granted)
    return faults


# --- answers --------------------------------------------------------------------------------------------------------


def _merge_answers(
    profile: dict[str, Any], quiz: Quiz, answers: Mapping[str, Any], granted: set[str]
) -> tuple[dict[str, Any], list[FieldFault]]:
    """The profile with the answers in it. What no longer applies goes: hidden questions, a consent taken back."""
    questions = {question.profile_key: question for question in quiz.questions}
    merged = deepcopy(profile)
    faults: list[FieldFault] = []
    for key, value in answers.items():
        question = questions.get(key)
        try:
            if question is None:
                raise TextRefused("unknown", "この質問はありません。")
            if value is not None and question.sensitive and SENSITIVE_CONSENT not in granted:
                raise TextRefused("consent_missing", "この質問へのお答えには、任意の同意が必要です。")
            _write(merged, key, None if value is None else _check_answer(question, value))
        except TextRefused as error:
            faults.append(FieldFault(field=f"answers.{key}", code=error.code, message=str(error)))
    for question in quiz.questions:
        withdrawn = question.sensitive and SENSITIVE_CONSENT not in granted
        if withdrawn or not is_question_visible(question, merged):
            _write(merged, question.profile_key, None)
    return merged, faults


def _write(profile: dict[str, Any], key: str, value: Answer | None) -> None:
    section, _, name = key.rpartition(".")
    answers = profile
    if section:
        if not isinstance(profile.get(section), dict):
            profile[section] = {}
        answers = profile[section]
    if value is None:
        answers.pop(name, None)
    else:
        answers[name] = value
    if section and not answers:
        profile.pop(section)


def _check_answer(question: Question, value: Any) -> Answer:
    """The answer as it is kept; raises `TextRefused`."""
    match question.type:
        case "short_text" | "long_text":
            return _check_text(question, value)
        case "number" | "scale":
            return _check_number(question, value)
        case "single":
            return _check_choice(question, value)
        case "multi":
            return _check_choices(question, value)


def _check_text(question: Question, value: Any) -> str:
    if not isinstance(value, str):
        raise TextRefused("type", "文字で入力してください。")
    max_length = question.max_length or 0
    if question.profile_key == NAME_KEY:
        return clean_name(value, max_length=max_length)
    clean = clean_paragraphs if question.type == "long_text" else clean_line
    text = clean(value, max_length=max_length)
    if not text:
        raise TextRefused("blank", "この質問へのご回答をお願いします。")
    return text


def _check_number(question: Question, value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 4:
        value = int(value)  # forms send digits
    if not isinstance(value, int) or isinstance(value, bool):
        raise TextRefused("type", "数字で入力してください。")
    low = 0 if question.min is None else question.min
    if value < low or (question.max is not None and value > question.max):
        raise TextRefused("range", "入力できる範囲でお答えください。")
    return value


def _check_choice(question: Question, value: Any) -> str:
    if not isinstance(value, str) or value not in question.option_values:
        raise TextRefused("choice", "選択肢の中からお選びください。")
    return value


def _check_choices(question: Question, value: Any) -> list[str]:
    """In the quiz's order, each once. The exclusive option ("nothing in particular") is kept as an empty list."""
    if not isinstance(value, list):
        raise TextRefused("type", "選択肢の中からお選びください。")
    chosen = {_check_choice(question, item) for item in value}
    exclusive = question.exclusive_option
    if exclusive and exclusive in chosen:
        if len(chosen) > 1:
            raise TextRefused("exclusive", "「とくにない」は、ほかの選択肢と一緒には選べません。")
        return []
    least = max(question.min_select, 1 if question.required else 0)
    if len(chosen) < least:
        raise TextRefused("required", "この質問へのご回答をお願いします。")
    if question.max_select is not None and len(chosen) > question.max_select:
        raise TextRefused("max_select", f"選べるのは{question.max_select}つまでです。")
    return [option.value for option in question.options if option.value in chosen]
