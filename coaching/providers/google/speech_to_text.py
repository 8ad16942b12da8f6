"""The ear of production: Speech-to-Text v2 over gRPC.

A memo of up to a minute is sent along with the call; a longer one is read from gs:// by a batch operation.
"""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from coaching.errors import (
    EmptyAnswer,
    Misconfigured,
    ProviderRefused,
    ProviderUnavailable,
)
from coaching.providers.deadline import Deadline
from coaching.providers.google.connection import check_endpoint, load_credentials, open_channel
from coaching.providers.google.faults import translate_google_errors
from coaching.providers.google.http_deadline import read_url
from coaching.providers.google.patience import TRIES, call_patiently
from coaching.providers.google.per_process import PerProcess
from coaching.providers.ports import HeardSegment, MediaLocation, Transcription, TranscriptionRequest, Usage
from coaching.providers.pricing import Price

if TYPE_CHECKING:
    from google.cloud.speech_v2 import SpeechClient
    from google.cloud.speech_v2.types import RecognitionConfig, SpeechRecognitionResult
    from google.longrunning.operations_pb2 import Operation

SERVICE = "Speech-to-Text"
LANGUAGE = "ja-JP"
INLINE_SECONDS = 59.0  # the service takes a minute; a container may say a little less than it holds
INLINE_BYTES = 10 * 1024 * 1024
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.5, 8.0
# `chirp` and the telephony models take no phrases.
ADAPTABLE_MODELS = frozenset({"chirp_3", "chirp_2", "long", "short", "latest_long", "latest_short"})
# Said in every kitchen, and rare elsewhere.
COOKING_WORDS = (
    "半熟",
    "強火",
    "中火",
    "弱火",
    "余熱",
    "火加減",
    "鍋肌",
    "菜箸",
    "落とし蓋",
    "水切り",
    "下味",
    "乳化",
    "塩加減",
    "とろみ",
    "焦げ目",
    "べちゃっと",
    "ぱらぱら",
    "だま",
)
MOST_PHRASES, LONGEST_PHRASE = 100, 100
MEMO_UNREADABLE = "音声メモを読み取れませんでした。録音し直すか、メモなしでお試しください。"


class GoogleRecogniser:
    """The `SpeechToText` of a Google project. `location` is a region that has `model`."""

    def __init__(
        self,
        *,
        project: str,
        location: str,
        model: str = "chirp_3",
        price: Price | None = None,
        endpoint: str = "",
        tries: int = TRIES,
    ) -> None:
        self._project = project
        self._location = location
        self._model = model
        self._price = price or Price()
        self._endpoint = check_endpoint(endpoint)
        self._tries = tries
        self._client = PerProcess(self._connect)

    def transcribe(self, request: TranscriptionRequest) -> Transcription:
        """Raises `Misconfigured` for a long memo outside Cloud Storage, `ProviderRefused` for what is no sound."""
        deadline = Deadline(request.deadline_seconds, doing=f"{SERVICE}, recognition")
        deadline.check()
        config = self._make_config(request.hints)
        try:
            content = self._read_inline(request, deadline)
            if content is not None:
                results, billed_seconds = self._recognise(content, config, deadline)
            else:
                results, billed_seconds = self._recognise_stored(request.audio, config, deadline)
        except ProviderRefused as error:
            if any(word in str(error.__cause__).lower() for word in ("model", "recognizer", "location")):
                raise Misconfigured(f"{error}. {self._advise()}") from error
            raise ProviderRefused(str(error), learner_message=MEMO_UNREADABLE) from error
        segments = tuple(_list_segments(results, duration_seconds=request.duration_seconds))
        return Transcription(
            text="".join(segment.text for segment in segments),
            segments=segments,
            usage=Usage(
                provider="google",
                model=self._model,
                audio_seconds=request.duration_seconds,
                cost_usd=round(self._price.of_audio(billed_seconds or math.ceil(request.duration_seconds)), 6),
            ),
        )

    def _read_inline(self, request: TranscriptionRequest, deadline: Deadline) -> bytes | None:
        """The memo's bytes, or None where it is too long or too large to go along with the call."""
        if request.duration_seconds > INLINE_SECONDS:
            return None
        source = request.audio.source
        if isinstance(source, Path):
            return source.read_bytes() if source.stat().st_size <= INLINE_BYTES else None
        try:
            content = read_url(source, deadline=deadline, most_bytes=INLINE_BYTES)
        except (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            name = request.audio.object_path
            raise ProviderUnavailable(f"reading {name} from the store: {type(error).__name__}") from error
        return content if len(content) <= INLINE_BYTES else None

    def _recognise(
        self, content: bytes, config: "RecognitionConfig", deadline: Deadline
    ) -> "tuple[Sequence[SpeechRecognitionResult], float]":
        from google.cloud.speech_v2.types import RecognizeRequest

        asked = RecognizeRequest(recognizer=self._recogniser, config=config, content=content)

        def ask() -> Any:
            deadline.check()
            with translate_google_errors(SERVICE, f"recognize ({self._model})", fix=self._advise()):
                return self._client.get().recognize(request=asked, timeout=deadline.remaining_seconds, retry=None)

        answer = call_patiently(ask, deadline=deadline, tries=self._tries)
        return list(answer.results), answer.metadata.total_billed_duration.total_seconds()

    def _recognise_stored(
        self, audio: MediaLocation, config: "RecognitionConfig", deadline: Deadline
    ) -> "tuple[Sequence[SpeechRecognitionResult], float]":
        from google.cloud.speech_v2 import types

        if not audio.cloud_uri:
            raise Misconfigured(
                f"{SERVICE}: {audio.object_path} is longer than a minute or larger than 10 MB, and such memos are read "
                "from gs:// only: set GOOGLE_STORAGE_BUCKET, so that the object store is Cloud Storage"
            )
        asked = types.BatchRecognizeRequest(
            recognizer=self._recogniser,
            config=config,
            files=[types.BatchRecognizeFileMetadata(uri=audio.cloud_uri)],
            recognition_output_config=types.RecognitionOutputConfig(inline_response_config=types.InlineOutputConfig()),
        )
        call = f"batchRecognize of {audio.object_path} ({self._model})"

        def ask() -> "Operation":
            deadline.check()
            with translate_google_errors(SERVICE, call, fix=self._advise()):
                begun = self._client.get().batch_recognize(
                    request=asked, timeout=deadline.remaining_seconds, retry=None
                )
                operation: Operation = begun.operation
                return operation

        operation = self._wait(call_patiently(ask, deadline=deadline, tries=self._tries), call, deadline)
        answer = types.BatchRecognizeResponse.deserialize(operation.response.value)
        if audio.cloud_uri not in answer.results:
            raise EmptyAnswer(f"{SERVICE}, {call}: the operation's answer does not speak of the file")
        result = answer.results[audio.cloud_uri]
        if result.error.code:
            self._raise_status(result.error.code, result.error.message, call)
        return list(result.inline_result.transcript.results), answer.total_billed_duration.total_seconds()

    def _wait(self, operation: "Operation", call: str, deadline: Deadline) -> "Operation":
        """The operation when it is done; raises its error, and `ProviderUnavailable` at the deadline."""
        from google.longrunning.operations_pb2 import GetOperationRequest

        def look() -> "Operation":
            deadline.check()
            with translate_google_errors(SERVICE, f"{call}, operation {operation.name}", fix=self._advise()):
                found: Operation = self._client.get().get_operation(
                    request=GetOperationRequest(name=operation.name),
                    timeout=deadline.remaining_seconds,
                    retry=None,
                )
                return found

        pause_seconds = FIRST_POLL_SECONDS
        current = operation
        while not current.done:
            time.sleep(min(pause_seconds, deadline.remaining_seconds))
            pause_seconds = min(pause_seconds * 1.5, LONGEST_POLL_SECONDS)
            current = call_patiently(look, deadline=deadline, tries=self._tries)
        if current.error.code:
            self._raise_status(current.error.code, current.error.message, call)
        return current

    def _raise_status(self, code: int, message: str, call: str) -> None:
        """An error that came inside a successful answer."""
        from google.api_core.exceptions import from_grpc_status

        with translate_google_errors(SERVICE, call, fix=self._advise()):
            raise from_grpc_status(code, message)

    @property
    def _recogniser(self) -> str:
        return f"projects/{self._project}/locations/{self._location}/recognizers/_"

    def _make_config(self, hints: Iterable[str]) -> "RecognitionConfig":
        from google.cloud.speech_v2 import types

        adaptation = None
        if self._model in ADAPTABLE_MODELS:
            words = [word for word in dict.fromkeys((*hints, *COOKING_WORDS)) if 0 < len(word) <= LONGEST_PHRASE]
            phrases = [types.PhraseSet.Phrase(value=word) for word in words[:MOST_PHRASES]]
            inline = types.SpeechAdaptation.AdaptationPhraseSet(inline_phrase_set=types.PhraseSet(phrases=phrases))
            adaptation = types.SpeechAdaptation(phrase_sets=[inline])
        return types.RecognitionConfig(
            auto_decoding_config=types.AutoDetectDecodingConfig(),
            language_codes=[LANGUAGE],
            model=self._model,
            features=types.RecognitionFeatures(enable_automatic_punctuation=True),
            adaptation=adaptation,
        )

    def _connect(self) -> "SpeechClient":
        from google.cloud.speech_v2 import SpeechClient
        from google.cloud.speech_v2.services.speech.transports import SpeechGrpcTransport

        if self._endpoint:
            return SpeechClient(transport=SpeechGrpcTransport(channel=open_channel(self._endpoint)))
        host = "speech.googleapis.com" if self._location == "global" else f"{self._location}-speech.googleapis.com"
        return SpeechClient(credentials=load_credentials(), client_options={"api_endpoint": host})

    def _advise(self) -> str:
        return (
            f"GOOGLE_SPEECH_MODEL is {self._model}, GOOGLE_CLOUD_REGION is {self._location} (chirp_3 is served from "
            "asia-northeast1, asia-southeast1, us, eu); speech.googleapis.com must be enabled in "
            f"{self._project} (GOOGLE_CLOUD_PROJECT), the service account needs roles/speech.client, and the Speech "
            "service agent must be able to read the bucket"
        )


def _list_segments(results: "Iterable[SpeechRecognitionResult]", *, duration_seconds: float) -> Iterator[HeardSegment]:
    """Results tell only where they end; each begins where the one before it did."""
    begins_at = 0.0
    for result in results:
        text = "".join(result.alternatives[0].transcript.split()) if result.alternatives else ""
        ends_at = result.result_end_offset.total_seconds() or duration_seconds
        ends_at = min(max(ends_at, begins_at), max(duration_seconds, begins_at))
        if text:
            yield HeardSegment(start_seconds=begins_at, end_seconds=ends_at, text=text)
        begins_at = ends_at
