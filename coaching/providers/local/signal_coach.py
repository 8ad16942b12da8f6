"""The offline coach: it measures sound and picture, and writes from the principles. No model, no network.

It claims little. A mistake needs two witnesses and a word in the dish's vocabulary; its confidence never passes that
of a careful listener; and what it could not hear and see it says openly (see `signal_judgement`).
"""

from collections.abc import Iterator
from pathlib import Path

from coaching.providers.local.coach_writing import write_script
from coaching.providers.local.memo_reader import understand_memo
from coaching.providers.local.question_answering import write_answer
from coaching.providers.local.sentence_vectors import SentenceVectors
from coaching.providers.local.signal_judgement import Judgement, judge
from coaching.providers.local.signal_phrases import DIAGNOSES, DOUBTS, PRAISES, READINGS, describe_happening
from coaching.providers.ports import (
    Analysis,
    AnalysisRequest,
    AnswerPiece,
    CoachingScript,
    CookingEvent,
    MemoRequest,
    MemoUnderstanding,
    QuestionRequest,
    ScriptRequest,
    Usage,
)
from media_tools.cook_events import CookFindings, watch_cook

MODEL = "signal-coach-1"
MOST_EVENTS = 40


class SignalCoach:
    """The `Coach` of a machine without Google. `cache_folder` keeps the vectors of what it compares memos with."""

    is_offline = True

    def __init__(self, *, cache_folder: Path) -> None:
        self._vectors = SentenceVectors(cache_folder)

    def understand_memo(self, request: MemoRequest) -> MemoUnderstanding:
        return understand_memo(request, vectors=self._vectors)

    def analyse(self, request: AnalysisRequest) -> Analysis:
        """Watch the whole video. Errors of `media_tools` pass through: the stage translates them."""
        findings = watch_cook(
            request.video.source,
            duration_seconds=request.duration_seconds,
            has_audio=request.has_audio,
            cancel=request.cancel,
            on_progress=request.on_progress,
            deadline_seconds=request.deadline_seconds,
        )
        return compose_analysis(findings, judge(findings, request.dish))

    def write_script(self, request: ScriptRequest) -> CoachingScript:
        return write_script(request)

    def answer(self, request: QuestionRequest) -> Iterator[AnswerPiece]:
        return write_answer(request)


def compose_analysis(findings: CookFindings, judgement: Judgement) -> Analysis:
    """The judgement in the port's words. `reasons`: stable slugs first, then what was measured, for the operator."""
    reading, name = judgement.reading, judgement.name
    usage = Usage(provider="local", model=MODEL, audio_seconds=findings.duration_seconds)
    events = _list_events(findings, judgement)
    if reading is None or name is None:
        return Analysis(
            outcome="could_not_tell",
            events=events,
            key_moment_seconds=None,
            diagnosis="".join(DOUBTS[reason] for reason in judgement.reasons),
            principle_slug="",
            mistake_slug="",
            done_well=(),
            confidence=0.0,
            reasons=tuple(reason.value for reason in judgement.reasons),
            usage=usage,
        )
    measured = tuple(f"{witness.sense}: {witness.measured}" for witness in reading.witnesses)
    return Analysis(
        outcome=judgement.outcome,
        events=events,
        key_moment_seconds=reading.seconds,
        diagnosis=DIAGNOSES[name.mistake_slug] if name.mistake_slug else PRAISES[reading.kind],
        principle_slug=name.principle_slug,
        mistake_slug=name.mistake_slug,
        done_well=judgement.done_well,
        confidence=judgement.confidence,
        reasons=(reading.kind.value, *measured),
        usage=usage,
    )


def _list_events(findings: CookFindings, judgement: Judgement) -> tuple[CookingEvent, ...]:
    """The surest happenings in order of time, and among them what the judgement rests on."""
    surest = sorted(findings.happenings, key=lambda happening: -happening.confidence)[: MOST_EVENTS - 1]
    events: list[CookingEvent] = []
    for happening in surest:
        description, state = describe_happening(happening)
        events.append(
            CookingEvent(
                seconds=happening.seconds,
                event=happening.kind.value,
                description=description,
                state=state,
                confidence=happening.confidence,
            )
        )
    if judgement.reading is not None:
        description, state = READINGS[judgement.reading.kind]
        events.append(
            CookingEvent(
                seconds=judgement.reading.seconds,
                event=judgement.reading.kind.value,
                description=description,
                state=state,
                confidence=judgement.confidence,
            )
        )
    return tuple(sorted(events, key=lambda event: event.seconds))
