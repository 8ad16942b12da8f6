"""A coach whose answers are written beforehand, and an index that finds one principle: hand-written, for ports only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from coaching.errors import NotFound
from coaching.providers.ports import (
    AnswerOutcome,
    AnswerPiece,
    IndexDocument,
    PrincipleHit,
    QuestionRequest,
    SearchAnswer,
    SearchRequest,
    Usage,
)

USAGE = Usage(provider="test", model="scripted")
Step = str | AnswerOutcome | Exception


def conclude(**changes: Any) -> AnswerOutcome:
    known: dict[str, Any] = {"topic": "cooking", "principle_slugs": ("egg_timing",), "moment_seconds": None}
    return AnswerOutcome(**(known | {"usage": USAGE} | changes))


@dataclass
class ScriptedCoach:
    """Each call takes the next answer: pieces of text, an outcome at the end, or an error that is raised."""

    is_offline: bool = True
    answers: list[Sequence[Step]] = field(default_factory=list)
    requests: list[QuestionRequest] = field(default_factory=list)

    def answer(self, request: QuestionRequest) -> Iterator[AnswerPiece]:
        self.requests.append(request)
        for step in self.answers.pop(0):
            if isinstance(step, Exception):
                raise step
            if isinstance(step, AnswerOutcome):
                yield AnswerPiece(text="", outcome=step)
            else:
                yield AnswerPiece(text=step)


class OnePrincipleIndex:
    def index(self, documents: Sequence[IndexDocument]) -> int:
        raise NotFound("this index is fixed")

    def search(self, request: SearchRequest) -> SearchAnswer:
        return SearchAnswer(hits=(PrincipleHit(principle_slug="egg_timing", score=1.0),), usage=USAGE)


_coach = ScriptedCoach()


def share_coach() -> ScriptedCoach:
    """The one that the registry hands out, for a test to write its answers into."""
    return _coach


def make_index() -> OnePrincipleIndex:
    return OnePrincipleIndex()
