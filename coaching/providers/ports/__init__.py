"""The ports: what the product asks of speech, video, language, search and storage engines.

Adapters live in `providers.local` and `providers.google`, and are reached through `providers.registry` only.
Requests and answers are frozen dataclasses: an adapter gets all it needs in the request, never from a model.

Every adapter translates its vendor's errors into `coaching.errors`: `ProviderUnavailable`, `ProviderRateLimited`,
`MalformedAnswer` and `StoreUnavailable` are worth another try; `ProviderRefused`, `Misconfigured` and `UnusableMedia`
are not. Seconds are floats from the start of the file, bytes are integers, texts are Japanese unless named `_en`.
"""

from coaching.providers.ports.coach import (
    Analysis,
    AnalysisRequest,
    AnswerOutcome,
    AnswerPiece,
    ChatTurn,
    Coach,
    CoachingScript,
    CoachingText,
    CookingEvent,
    CookReview,
    MemoRequest,
    MemoUnderstanding,
    NarrationScript,
    QuestionRequest,
    ScriptRequest,
)
from coaching.providers.ports.knowledge import (
    DishText,
    KeyPoint,
    LearnerContext,
    MistakeText,
    PrincipleText,
    SensoryCues,
    SessionSummary,
)
from coaching.providers.ports.retrieval import (
    IndexDocument,
    PrincipleHit,
    PrincipleIndex,
    SearchAnswer,
    SearchRequest,
)
from coaching.providers.ports.speech import (
    HeardSegment,
    Speech,
    SpeechRequest,
    SpeechToText,
    TextToSpeech,
    Transcription,
    TranscriptionRequest,
)
from coaching.providers.ports.storage import (
    ByteRange,
    MediaLocation,
    ObjectStore,
    SelfServedStore,
    SignedRead,
    StoredObject,
    UploadSession,
    UploadStatus,
)
from coaching.providers.ports.usage import (
    Usage,
)

__all__ = [
    "Analysis",
    "AnalysisRequest",
    "AnswerOutcome",
    "AnswerPiece",
    "ByteRange",
    "ChatTurn",
    "Coach",
    "CoachingScript",
    "CoachingText",
    "CookReview",
    "CookingEvent",
    "DishText",
    "HeardSegment",
    "IndexDocument",
    "KeyPoint",
    "LearnerContext",
    "MediaLocation",
    "MemoRequest",
    "MemoUnderstanding",
    "MistakeText",
    "NarrationScript",
    "ObjectStore",
    "PrincipleHit",
    "PrincipleIndex",
    "PrincipleText",
    "QuestionRequest",
    "ScriptRequest",
    "SearchAnswer",
    "SearchRequest",
    "SelfServedStore",
    "SensoryCues",
    "SessionSummary",
    "SignedRead",
    "Speech",
    "SpeechRequest",
    "SpeechToText",
    "StoredObject",
    "TextToSpeech",
    "Transcription",
    "TranscriptionRequest",
    "UploadSession",
    "UploadStatus",
    "Usage",
]
