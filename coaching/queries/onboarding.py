"""The quiz as one learner sees it: section by section, with the answers that are kept."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coaching.errors import NotFound
from coaching.knowledge.entries import ConsentText, Option, Question, Section
from coaching.knowledge.loader import read_quiz
from coaching.models import User
from coaching.queries.consents import list_granted_consents

SENSITIVE_CONSENT = "sensitive_diet"
CONSENT_STEP = "consents"
NAME_KEY = "preferred_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """`chosen` are the values of the options that are marked; `text` is what a text or number field holds."""

    question: Question
    options: tuple[Option, ...]
    chosen: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of the quiz in the list of all: a section, or the consents that close it."""

    key: str
    title_ja: str
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """`sensitive_consent` stands before questions that may be answered only under it."""

    section: Section
    questions: tuple[QuestionView, ...]
    sensitive_consent: ConsentText | None
    is_sensitive_granted: bool


def read_answer(profile: Mapping[str, Any], key: str) -> Any:
    """The answer under a dotted key, or None. Never trust the shape: profiles outlive versions of the quiz."""
    section, _, name = key.rpartition(".")
    answers = profile.get(section, {}) if section else profile
    return answers.get(name) if isinstance(answers, dict) else None


def is_question_visible(question: Question, profile: Mapping[str, Any]) -> bool:
    for key, values in question.visible_if.items():
        answer = read_answer(profile, key)
        if not set(answer if isinstance(answer, list) else [answer]) & set(values):
            return False
    return True


def list_quiz_steps(user: User) -> list[StepView]:
    """Every step in its order; a section is done when nothing core in it is open, the last one when consents hold."""
    quiz = read_quiz()
    granted = list_granted_consents(user)
    steps = [
        StepView(
            key=section.key,
            title_ja=section.title_ja,
            is_done=not any(
                question.core and read_answer(user.learner_profile, question.profile_key) is None
                for question in quiz.questions
                if question.section == section.key
            ),
        )
        for section in quiz.sections
    ]
    is_agreed = all(text.key in granted for text in quiz.consents if text.required)
    return [*steps, StepView(key=CONSENT_STEP, title_ja="はじめる前の確認", is_done=is_agreed)]


def list_section_questions(section_key: str) -> list[Question]:
    """The section's questions, core ones first; raises `NotFound`."""
    found = [question for question in read_quiz().questions if question.section == section_key]
    if not found:
        raise NotFound(f"the quiz has no section {section_key!r}")
    return sorted(found, key=lambda question: not question.core)


def get_section(user: User, section_key: str, typed: Mapping[str, Any] | None = None) -> SectionView:
    """One section with its kept answers, or with what was just `typed` and could not be kept. Raises `NotFound`."""
    questions = list_section_questions(section_key)
    quiz = read_quiz()
    is_sensitive = any(question.sensitive for question in questions)
    return SectionView(
        section=next(section for section in quiz.sections if section.key == section_key),
        questions=tuple(_view_question(user, question, typed) for question in questions),
        sensitive_consent=next(t for t in quiz.consents if t.key == SENSITIVE_CONSENT) if is_sensitive else None,
        is_sensitive_granted=SENSITIVE_CONSENT in list_granted_consents(user),
    )


def _view_question(user: User, question: Question, typed: Mapping[str, Any] | None) -> QuestionView:
    kept = read_answer(user.learner_profile, question.profile_key)
    value = typed.get(question.profile_key) if typed is not None else kept
    if value is None and typed is None and question.profile_key == NAME_KEY:
        value = user.first_name
    if kept == [] and typed is None and question.exclusive_option:
        value = [question.exclusive_option]  # "nothing in particular" is kept as an empty list
    chosen = value if isinstance(value, list) else [] if value is None else [value]
    return QuestionView(
        question=question,
        options=tuple(_order_options(user, question)),
        chosen=frozenset(str(item) for item in chosen),
        text="" if value is None or isinstance(value, list) else str(value),
    )


def _order_options(user: User, question: Question) -> Sequence[Option]:
    """Questions that sound something out mix their options, for one learner always in the same way."""
    if not question.shuffle_options:
        return question.options
    mixed = list(question.options)
    random.Random(f"{user.pk}:{question.id}").shuffle(mixed)
    return sorted(mixed, key=lambda option: option.value == question.pin_last)
