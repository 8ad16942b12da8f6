"""The forms that a model's answers must have: the ports' own dataclasses, with slugs enumerated from the dish.

A form is sent as the call's schema and read back through the same class, so what the model was asked for and what a
stage keeps cannot drift apart. Further keys are ignored: Gemini's schemas cannot forbid them. An enumerated slug
cannot be "" in them either: "none" stands for it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ValidationError, create_model

from coaching.errors import MalformedAnswer
from coaching.providers.ports import (
    Analysis,
    AnswerOutcome,
    CoachingText,
    CookingEvent,
    DishText,
    MemoUnderstanding,
    NarrationScript,
    PrincipleText,
)

NONE = "none"
Form = TypeVar("Form", bound=BaseModel)


def make_memo_form(dish: DishText) -> type[BaseModel]:
    hints = get_type_hints(MemoUnderstanding)
    return _make_form(
        "MemoUnderstanding",
        identified_issues=list[_one_of(_list_mistakes(dish.principles))],  # type: ignore[misc]  # made at run time
        questions=list[str],
        emotional_state=hints["emotional_state"],
    )


def make_analysis_form(dish: DishText) -> type[BaseModel]:
    """In the order of thought: events before the verdict."""
    hints = get_type_hints(Analysis)
    principles = [principle.slug for principle in dish.principles]
    return _make_form(
        "Analysis",
        events=list[CookingEvent],
        outcome=hints["outcome"],
        key_moment_seconds=hints["key_moment_seconds"],
        principle_slug=_one_of([*principles, NONE]),
        mistake_slug=_one_of([*_list_mistakes(dish.principles), NONE]),
        diagnosis=hints["diagnosis"],
        done_well=list[_one_of(principles)],  # type: ignore[misc]
        confidence=hints["confidence"],
        reasons=list[str],
    )


def make_script_form(principles: Iterable[PrincipleText]) -> type[BaseModel]:
    """`basis` has a key for each text but the pivot, which is always the same: a schema has no free keys."""
    slugs: Any = list[_one_of([principle.slug for principle in principles])]  # type: ignore[misc]
    texts = [name for form in (CoachingText, NarrationScript) for name in get_type_hints(form) if name != "pivot"]
    return _make_form(
        "CoachingScript",
        coaching_text=CoachingText,
        narration=NarrationScript,
        basis=_make_form("Basis", **dict.fromkeys(texts, slugs)),
    )


def make_answer_form(principles: Iterable[PrincipleText]) -> type[BaseModel]:
    """`text` comes last: when its first words are shown, the rest is known."""
    hints = get_type_hints(AnswerOutcome)
    slugs = [principle.slug for principle in principles]
    return _make_form(
        "Answer",
        topic=hints["topic"],
        principle_slugs=list[_one_of(slugs)] if slugs else list[str],  # type: ignore[misc]
        moment_seconds=hints["moment_seconds"],
        text=str,
    )


def read_form(form: type[Form], text: str, *, what: str) -> Form:
    """The answer in its form; raises `MalformedAnswer` with what does not fit, without the answer's own words."""
    try:
        return form.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(_describe_fault(fault) for fault in error.errors(include_input=False, include_url=False)[:5])
        raise MalformedAnswer(f"{what}: the answer does not fit its schema: {faults}") from error


def _describe_fault(fault: Mapping[str, Any]) -> str:
    return f"{'.'.join(str(step) for step in fault['loc']) or 'the whole'}: {fault['msg']}"


def _list_mistakes(principles: Iterable[PrincipleText]) -> list[str]:
    return list(dict.fromkeys(mistake.slug for principle in principles for mistake in principle.mistakes))


def _one_of(slugs: Iterable[str]) -> Any:
    return Literal[tuple(slugs)]


def _make_form(name: str, **fields: Any) -> type[BaseModel]:
    required = {field: (hint, ...) for field, hint in fields.items()}
    made: type[BaseModel] = create_model(name, **required)  # type: ignore[call-overload]  # run-time fields
    return made
