"""The tasks that Gemini gets: the prompt files, filled with what a request holds.

What is ours (dish, principles, rules) stands in the prompt as it is; what learners say, write or are called, and what
a model made of their films, goes behind fences.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coaching.prompts.fence import clean_data, fence_data
from coaching.prompts.files import Prompt, read_prompt
from coaching.providers.ports import (
    Analysis,
    AnalysisRequest,
    CookReview,
    DishText,
    LearnerContext,
    MemoRequest,
    PrincipleText,
    QuestionRequest,
    ScriptRequest,
)
from coaching.rules import KEY_MOMENT_SECONDS, MORAE_PER_SECOND, PART1_SECONDS, PIVOT, address_learner

LONGEST_DATA = 30_000  # characters: the analysis of a long cook; memos and messages are far shorter
OUTCOME_NOTICES: Mapping[str, str] = {
    "mistake": "Speak of the mistake that the analysis found, and of nothing else.",
    "good": "Nothing needs mending: say what went well and why it worked, and offer one step further.",
    "could_not_tell": (
        "The analysis could not tell what happened. Claim nothing about this cook: say openly that the video did not "
        "show enough, give one piece of advice on filming, and teach the first principle below."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is sent: who the model is, and what it is to do."""

    prompt: Prompt
    text: str


def compose_memo_task(request: MemoRequest) -> Task:
    prompt = read_prompt("understand_memo")
    mistakes = dict.fromkeys(
        f"- {mistake.slug}: {mistake.text}" for principle in request.dish.principles for mistake in principle.mistakes
    )
    text = prompt.fill(
        dish_name=request.dish.name,
        mistakes="\n".join(mistakes),
        transcript=_fence("transcript", request.transcript),
    )
    return Task(prompt=prompt, text=text)


def compose_analysis_task(request: AnalysisRequest) -> Task:
    prompt = read_prompt("analyse")
    text = prompt.fill(
        dish_name=request.dish.name,
        session_number=str(request.session_number),
        duration_seconds=f"{request.duration_seconds:.1f}",
        sound_notice="it has sound" if request.has_audio else "it has no sound, so claim nothing from sound",
        dish=_describe_dish(request.dish),
        principles=_describe_principles(request.dish.principles),
    )
    return Task(prompt=prompt, text=text)


def compose_script_task(request: ScriptRequest) -> Task:
    prompt = read_prompt("write_script")
    text = prompt.fill(
        session_number=str(request.session_number),
        dish_name=request.dish.name,
        address=_describe_address(request.learner),
        part1_morae=_describe_morae(PART1_SECONDS),
        part2_morae=_describe_morae(KEY_MOMENT_SECONDS),
        pivot=PIVOT,
        outcome_notice=OUTCOME_NOTICES[request.analysis.outcome],
        principles=_describe_principles(list_principles(request.principles, request.dish)),
        analysis=_fence_json("analysis", _describe_analysis(request.analysis)),
        learner=_fence_json("learner", asdict(request.learner)),
        memo=_fence_json(
            "memo",
            {
                "transcript": request.memo_transcript,
                "identified_issues": request.identified_issues,
                "questions": request.questions,
                "emotional_state": request.emotional_state,
                "self_ratings": dict(request.self_ratings),
            },
        ),
        findings=_describe_findings(request.findings),
    )
    return Task(prompt=prompt, text=text)


def compose_answer_task(request: QuestionRequest) -> Task:
    prompt = read_prompt("answer")
    history = "\n".join(f"{turn.speaker}: {turn.text}" for turn in request.history)
    text = prompt.fill(
        address=_describe_address(request.learner),
        situation=_describe_situation(request.dish, request.cook),
        principles=_describe_principles(list_principles(request.principles, request.dish)) or "(none)",
        analysis=_fence_json("analysis", _describe_analysis(request.cook.analysis)) if request.cook else "(none)",
        coaching=_describe_coaching(request.cook),
        learner=_fence_json("learner", asdict(request.learner)),
        history=_fence("history", history) if history else "(none)",
        question=_fence("question", request.question),
        findings=_describe_findings(request.findings),
    )
    return Task(prompt=prompt, text=text)


def list_principles(first: Sequence[PrincipleText], dish: DishText | None) -> tuple[PrincipleText, ...]:
    """Those that were retrieved, then the rest of the dish's; the order that the prompt and its schema give."""
    every = (*first, *(dish.principles if dish else ()))
    return tuple({principle.slug: principle for principle in every}.values())


def _describe_dish(dish: DishText) -> str:
    points = [
        f"- {point.moment}: {point.watch_for} (principle {point.principle_slug}; often {point.mistake_slug}: "
        f"{point.typical_mistake}; it went well when {point.success_sign})"
        for point in dish.key_points
    ]
    return "\n".join([f"{dish.name}: {dish.description}", "What matters, in order:", *points])


def _describe_principles(principles: Iterable[PrincipleText]) -> str:
    return "\n".join(_describe_principle(principle) for principle in principles)


def _describe_principle(principle: PrincipleText) -> str:
    cues = "、".join(cue for cue in (principle.cues.sound, principle.cues.look, principle.cues.feel_or_smell) if cue)
    lines = [
        f"## {principle.slug} ({principle.name})",
        f"{principle.summary} {principle.why}",
        f"cues: {cues}",
        f"decisive rule: {principle.decisive_rule}",
        f"next action: {principle.next_action}",
        f"success sign: {principle.success_sign}",
        *(f"example: {example}" for example in principle.examples),
        *(f"mistake {mistake.slug}: {mistake.text}" for mistake in principle.mistakes),
    ]
    return "\n".join(lines)


def _describe_analysis(analysis: Analysis) -> dict[str, Any]:
    described = asdict(analysis)
    del described["usage"]
    return described


def _describe_situation(dish: DishText | None, cook: CookReview | None) -> str:
    if dish is None or cook is None:
        return (
            "The learner has not completed a cook yet: answer with a general tip, claim nothing about their cooking, "
            "and invite them warmly to film a first one. moment_seconds is null."
        )
    return (
        f"The question belongs to cook number {cook.session_number} of {dish.name}, "
        f"{cook.duration_seconds:.0f} seconds long.\n{_describe_dish(dish)}"
    )


def _describe_coaching(cook: CookReview | None) -> str:
    if cook is None:
        return "(nothing)"
    texts = {**asdict(cook.coaching_text), **asdict(cook.narration), "memo_transcript": cook.memo_transcript}
    return _fence_json("coaching", texts)


def _describe_address(learner: LearnerContext) -> str:
    return address_learner(learner.first_name) or "by no name at all (do not use one)"


def _describe_morae(seconds: tuple[float, float]) -> str:
    shortest, longest = seconds
    return f"{shortest * MORAE_PER_SECOND:.0f} to {longest * MORAE_PER_SECOND:.0f}"


def _describe_findings(findings: Sequence[str]) -> str:
    """The rules' own words, with what a model wrote quoted in them: cleaned, since they have to stay instructions."""
    if not findings:
        return ""
    lines = "\n".join(f"- {' '.join(clean_data(finding, max_characters=400).split())}" for finding in findings)
    return f"An earlier draft broke these rules. Write it anew and keep every one of them:\n{lines}"


def _fence(name: str, text: str) -> str:
    return fence_data(name, text, max_characters=LONGEST_DATA)


def _fence_json(name: str, content: Mapping[str, Any]) -> str:
    """One key a line: a fence marks lines."""
    return _fence(name, json.dumps(content, ensure_ascii=False, indent=1))
