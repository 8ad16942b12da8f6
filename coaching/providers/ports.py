"""The ports: what the product asks of speech, video, language, search and storage engines.

Adapters live in `providers.local` and `providers.google`, and are reached through `providers.registry` only.
Requests and answers are frozen dataclasses: an adapter gets all it needs in the request, never from a model.

Every adapter translates its vendor's errors into `coaching.errors`: `ProviderUnavailable`, `ProviderRateLimited`,
`MalformedAnswer` and `StoreUnavailable` are worth another try; `ProviderRefused`, `Misconfigured` and `UnusableMedia`
are not. Seconds are floats from the start of the file, bytes are integers, texts are Japanese unless named `_en`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call cost. `cost_usd` is an estimate from the price table of the settings; 0 for local engines.

    `output_tokens` include the `thinking_tokens`; `thinking_level` and `finish_reason` are in the vendor's words.
    """

    provider: str
    model: str
    prompt_version: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    thinking_level: str = ""
    finish_reason: str = ""
    audio_seconds: float = 0.0
    characters: int = 0
    cost_usd: float = 0.0


# --- media ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLocation:
    """Where a stored object can be read from. `source` is what FFmpeg opens: a path or an own signed https URL."""

    object_path: str
    source: Path | str
    cloud_uri: str = ""  # gs://…, where the store is Cloud Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """Inclusive on both ends, as in HTTP."""

    first_byte: int
    last_byte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    object_path: str
    size_bytes: int
    content_type: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSession:
    """A resumable upload (Cloud Storage's protocol). `url` is a capability: no cookie, dead when it expires."""

    url: str
    object_path: str
    expires_at: datetime


class ObjectStore(Protocol):
    """Immutable objects under slash-separated paths. Writing a path that exists raises `Conflict`."""

    def open_upload(
        self, *, object_path: str, size_bytes: int, content_type: str, origin: str, lifetime: timedelta
    ) -> UploadSession:
        """Begin a resumable upload of exactly `size_bytes`."""

    def count_uploaded_bytes(self, url: str) -> int:
        """How many bytes of the upload have arrived; raises `UploadClosed` when it is gone."""

    def close_upload(self, url: str) -> None:
        """Make the URL useless and forget unfinished bytes; the object of a complete one stays. Absent is fine."""

    def write_file(self, *, object_path: str, source: Path, content_type: str) -> StoredObject: ...

    def write_stream(self, *, object_path: str, stream: BinaryIO, content_type: str, max_bytes: int) -> StoredObject:
        """Copy at a flat memory cost; raises `UploadRefused` past `max_bytes` and keeps nothing."""

    def find(self, object_path: str) -> StoredObject | None: ...

    def locate(self, object_path: str) -> MediaLocation:
        """Where to read it from; raises `NotFound`."""

    def fetch(self, *, object_path: str, destination: Path) -> Path:
        """A local copy (or link) at `destination`; raises `NotFound`."""

    def sign_url(self, *, object_path: str, content_type: str, lifetime: timedelta, download_name: str = "") -> str:
        """A URL that reads the object without a login until it expires.

        The same one for at least the first half of its life, so that pages that are polled do not change.
        """

    def read_bytes(self, *, object_path: str, byte_range: ByteRange) -> Iterator[bytes]:
        """The bytes of the range, piece by piece; raises `NotFound`."""

    def delete(self, object_path: str) -> None:
        """Remove it; absent is fine."""

    def list_paths(self, prefix: str) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadStatus:
    """`complete`: all bytes are here and the object exists."""

    received_bytes: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRead:
    """What a signed link allows: this object, sent as `content_type`; "" as `download_name` means shown, not saved."""

    stored: StoredObject
    content_type: str
    download_name: str
    expires_at: datetime


class SelfServedStore(ObjectStore, Protocol):
    """A store whose bytes our own web process takes and gives: what the views of /uploads/ and /media/ call.

    `token` is what follows /uploads/ in the URL. All upload methods raise `UploadClosed` where there is no such upload
    (any more).
    """

    def append_chunk(
        self, *, token: str, first_byte: int, last_byte: int | None, total_bytes: int | None, stream: BinaryIO
    ) -> UploadStatus:
        """Take a request's body: bytes `first_byte` to `last_byte` of `total_bytes`, as its Content-Range says.

        Without a Content-Range `first_byte` is 0; without a Content-Length `last_byte` is None. A body that ends early
        keeps what arrived, as the answer says; bytes that had arrived before are read past; a repeated last chunk
        finds the upload complete. Raises `UploadOffsetMismatch` where the chunk begins beyond what has arrived or
        another request overtook it, `UploadRefused` where it does not fit the size agreed on, `Conflict` where the
        object came to exist in another way.
        """

    def read_upload_status(self, token: str) -> UploadStatus:
        """The answer to a status query (`Content-Range: bytes */N`)."""

    def cancel_upload(self, token: str) -> None:
        """Forget the upload and its bytes, and close the URL of a complete one; its object stays."""

    def sweep_uploads(self, *, older_than: timedelta) -> int:
        """Remove uploads that expired or saw no byte for that long, and half-written files; answers how many."""

    def open_signed(self, *, object_path: str, query: Mapping[str, str]) -> SignedRead:
        """Raises `LinkRefused` for an altered or expired link, `NotFound` where the object is gone."""


# --- speech ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRequest:
    """`audio` has passed the probe. `hints` are words likely to be said (dish, ingredients)."""

    audio: MediaLocation
    duration_seconds: float
    hints: tuple[str, ...] = ()
    deadline_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardSegment:
    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """`text` is empty where nothing was said."""

    text: str
    segments: tuple[HeardSegment, ...]
    usage: Usage


class SpeechToText(Protocol):
    def transcribe(self, request: TranscriptionRequest) -> Transcription: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """`output` is a WAV file to be written."""

    text: str
    output: Path
    deadline_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    path: Path
    duration_seconds: float
    sample_rate_hz: int
    usage: Usage


class TextToSpeech(Protocol):
    def synthesise(self, request: SpeechRequest) -> Speech: ...


# --- knowledge in requests ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakeText:
    slug: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SensoryCues:
    sound: str
    look: str
    feel_or_smell: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipleText:
    """One cooking principle as the coach may speak of it (Japanese)."""

    slug: str
    name: str
    summary: str
    why: str
    examples: tuple[str, ...]
    decisive_rule: str
    cues: SensoryCues
    mistakes: tuple[MistakeText, ...]
    next_action: str
    success_sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPoint:
    """What matters about one principle in one dish."""

    principle_slug: str
    mistake_slug: str
    moment: str
    watch_for: str
    typical_mistake: str
    success_sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DishText:
    """The dish and its vocabulary: analyses name only slugs of `principles` and their mistakes."""

    slug: str
    name: str
    description: str
    key_points: tuple[KeyPoint, ...]
    principles: tuple[PrincipleText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """An earlier cook: `mistake_slug` is "" where none was seen, `key_progress` the mistake gone since then."""

    dish_slug: str
    session_number: int
    key_issue: str
    key_progress: str
    mistake_slug: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerContext:
    """What the coach may know of the learner. `first_name` and everything said are data, never instructions."""

    first_name: str
    skills_acquired: tuple[str, ...] = ()
    skills_developing: tuple[str, ...] = ()
    recurring_mistakes: tuple[str, ...] = ()
    past_sessions: tuple[SessionSummary, ...] = ()


# --- the coach ------------------------------------------------------------------------------------------------------


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


# --- retrieval ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDocument:
    """One indexed text: a principle's own (`kind="principle"`) or an example diagnosis of it (`kind="diagnosis"`)."""

    key: str
    principle_slug: str
    kind: Literal["principle", "diagnosis"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    query: str
    limit: int = 3
    deadline_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipleHit:
    """`score` ranks within one answer; it has no meaning across answers or indexes."""

    principle_slug: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    hits: tuple[PrincipleHit, ...]
    usage: Usage


class PrincipleIndex(Protocol):
    def index(self, documents: Sequence[IndexDocument]) -> int:
        """Make exactly these documents searchable; unchanged texts are not embedded again. Answers how many were."""

    def search(self, request: SearchRequest) -> SearchAnswer:
        """The best principles, best first; raises `Misconfigured` when nothing was indexed."""
