"""The coach: understands a memo, analyses a cook, writes the script, answers questions."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from coaching.providers.ports.knowledge import DishText, LearnerContext, PrincipleText
from coaching.providers.ports.storage import MediaLocation
from coaching.providers.ports.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoRequest:
    transcript: str
    dish: DishText
    deadline_seconds: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoUnderstanding:
    """The document's `structured_input`."""

    identified_issues: tuple[str, ...]
    questions: tuple[str, ...]
    emotional_state: str
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRequest:
    video: MediaLocation
    duration_seconds: float
    has_audio: bool
    dish: DishText
    session_number: int
    deadline_seconds: float = 1200.0
    cancel: threading.Event | None = None
    on_progress: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CookingEvent:
    """`event` is an English slug (`egg_added`), `description` a Japanese phrase, `state` what was seen or heard."""

    seconds: float
    event: str
    description: str
    state: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What the coach saw. `outcome`:

    - `mistake`: `principle_slug` and `mistake_slug` name it, `key_moment_seconds` shows it
    - `good`: nothing to mend; `principle_slug` names what went well, `key_moment_seconds` shows it
    - `could_not_tell`: no claim; both slugs are empty, `key_moment_seconds` is None, `diagnosis` says why
    """

    outcome: Literal["mistake", "good", "could_not_tell"]
    events: tuple[CookingEvent, ...]
    key_moment_seconds: float | None
    diagnosis: str
    principle_slug: str
    mistake_slug: str
    done_well: tuple[str, ...]
    confidence: float
    reasons: tuple[str, ...]
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRequest:
    """`findings` are the rules that an earlier draft broke: one repair round gets them."""

    dish: DishText
    session_number: int
    analysis: Analysis
    principles: tuple[PrincipleText, ...]
    learner: LearnerContext
    memo_transcript: str
    identified_issues: tuple[str, ...]
    questions: tuple[str, ...]
    emotional_state: str
    self_ratings: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    deadline_seconds: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachingText:
    mondaiten: str
    skill: str
    next_action: str
    success_sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrationScript:
    part1: str
    pivot: str
    part2: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachingScript:
    """`basis` maps each text ("mondaiten", "part1", …) to the slugs of the principles it rests on."""

    coaching_text: CoachingText
    narration: NarrationScript
    basis: Mapping[str, tuple[str, ...]]
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTurn:
    """An earlier message of the conversation. What the learner said is data, never an instruction."""

    speaker: Literal["learner", "coach"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CookReview:
    """The completed cook that a question is about, and what the coach has already said of it."""

    session_number: int
    duration_seconds: float
    analysis: Analysis
    coaching_text: CoachingText
    narration: NarrationScript
    memo_transcript: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRequest:
    """A learner's question in the coaching room.

    `history` ends before the question, oldest first. `cook` and `dish` are None where no session is completed: the
    answer is a general tip then, and an invitation to the first cook. `principles` were retrieved for the question,
    best first; those of the dish come with `dish`. `findings` are the rules that an earlier answer broke.
    """

    question: str
    learner: LearnerContext
    history: tuple[ChatTurn, ...] = ()
    dish: DishText | None = None
    cook: CookReview | None = None
    principles: tuple[PrincipleText, ...] = ()
    findings: tuple[str, ...] = ()
    deadline_seconds: float = 60.0
    cancel: threading.Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOutcome:
    """What a whole answer rests on.

    `principle_slugs` are among the request's; `moment_seconds` is a second of the learner's footage that the text
    speaks of, or None. `topic`: `food_safety` asks for the principle's official note beside the answer; `off_topic`
    and `hostile` ones were turned back to cooking.
    """

    topic: Literal["cooking", "food_safety", "off_topic", "hostile"]
    principle_slugs: tuple[str, ...]
    moment_seconds: float | None
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPiece:
    """A piece of an answer in the making: `text` is to be appended. The last piece, and only it, has an `outcome`."""

    text: str
    outcome: AnswerOutcome | None = None


class Coach(Protocol):
    """`is_offline` coaches say so openly in the film's description and on the page."""

    is_offline: bool

    def understand_memo(self, request: MemoRequest) -> MemoUnderstanding: ...

    def analyse(self, request: AnalysisRequest) -> Analysis: ...

    def write_script(self, request: ScriptRequest) -> CoachingScript: ...

    def answer(self, request: QuestionRequest) -> Iterator[AnswerPiece]:
        """The answer as it is written, in order. Errors are raised while iterating; what came before them is void.

        Closing the iterator early ends the call. Pieces are as the model writes them: the caller applies the rules.
        """
