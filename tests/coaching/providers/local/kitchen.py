"""Requests to the offline coach about dishes that the knowledge really has."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Literal

from coaching.knowledge import entries
from coaching.knowledge.loader import read_catalogue
from coaching.providers.ports import (
    Analysis,
    CoachingScript,
    CookingEvent,
    DishText,
    KeyPoint,
    LearnerContext,
    MistakeText,
    PrincipleText,
    ScriptRequest,
    SensoryCues,
    SessionSummary,
    Usage,
)
from coaching.rules import Finding, ScriptTexts, check_script

NO_USAGE = Usage(provider="test", model="none")


@cache
def dishes() -> dict[str, DishText]:
    catalogue = read_catalogue()
    principles = {entry.slug: _compose_principle(entry) for entry in catalogue.principles}
    return {
        dish.slug: DishText(
            slug=dish.slug,
            name=dish.name_ja,
            description=dish.description_ja,
            key_points=tuple(_compose_key_point(point) for point in dish.key_points),
            principles=tuple(principles[slug] for slug in dish.principles),
        )
        for dish in catalogue.dishes
    }


def _compose_principle(entry: entries.Principle) -> PrincipleText:
    return PrincipleText(
        slug=entry.slug,
        name=entry.name_ja,
        summary=entry.summary_ja,
        why=entry.why_ja,
        examples=entry.examples_ja,
        decisive_rule=entry.decisive_rule_ja,
        cues=SensoryCues(sound=entry.cues_ja.sound, look=entry.cues_ja.look, feel_or_smell=entry.cues_ja.feel_or_smell),
        mistakes=tuple(MistakeText(slug=mistake.slug, text=mistake.ja) for mistake in entry.mistakes),
        next_action=entry.next_action_ja,
        success_sign=entry.success_sign_ja,
    )


def _compose_key_point(point: entries.KeyPoint) -> KeyPoint:
    return KeyPoint(
        principle_slug=point.principle,
        mistake_slug=point.mistake,
        moment=point.moment_ja,
        watch_for=point.watch_for_ja,
        typical_mistake=point.typical_mistake_ja,
        success_sign=point.success_sign_ja,
    )


def event(seconds: float, slug: str, state: str = "") -> CookingEvent:
    return CookingEvent(seconds=seconds, event=slug, description="", state=state, confidence=0.7)


def ask(
    dish: str = "fried-rice",
    outcome: Literal["mistake", "good", "could_not_tell"] = "mistake",
    principle: str = "preheat_pan",
    mistake: str = "cold_pan_start",
    *,
    first_name: str = "花子",
    session_number: int = 1,
    key_moment_seconds: float = 20.0,
    events: Sequence[CookingEvent] = (),
    done_well: tuple[str, ...] = (),
    reasons: tuple[str, ...] = (),
    memo: str = "",
    issues: tuple[str, ...] = (),
    questions: tuple[str, ...] = (),
    feeling: str = "",
    ratings: Mapping[str, int] | None = None,
    past: tuple[SessionSummary, ...] = (),
    recurring: tuple[str, ...] = (),
    findings: tuple[str, ...] = (),
) -> ScriptRequest:
    """A session as the stage would hand it to the coach."""
    told = outcome != "could_not_tell"
    return ScriptRequest(
        dish=dishes()[dish],
        session_number=session_number,
        analysis=Analysis(
            outcome=outcome,
            events=tuple(events),
            key_moment_seconds=key_moment_seconds if told else None,
            diagnosis="",
            principle_slug=principle if told else "",
            mistake_slug=mistake if outcome == "mistake" else "",
            done_well=done_well,
            confidence=0.7 if told else 0.0,
            reasons=reasons,
            usage=NO_USAGE,
        ),
        principles=(),
        learner=LearnerContext(first_name=first_name, past_sessions=past, recurring_mistakes=recurring),
        memo_transcript=memo,
        identified_issues=issues,
        questions=questions,
        emotional_state=feeling,
        self_ratings=ratings or {},
        findings=findings,
    )


def find_broken_rules(script: CoachingScript, request: ScriptRequest) -> tuple[Finding, ...]:
    return check_script(
        ScriptTexts(**asdict(script.coaching_text), **asdict(script.narration)),
        first_name=request.learner.first_name,
        decisive_rules=[principle.decisive_rule for principle in request.dish.principles],
    )
