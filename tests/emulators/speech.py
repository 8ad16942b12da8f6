"""Cloud Speech-to-Text v2 over gRPC: inline and batch recognition, heard by an answerer."""

import itertools
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.cloud.speech_v2 import types
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2
from google.rpc import status_pb2

from tests.emulators.grpc_server import GrpcEmulator, GrpcRefusal, Method
from tests.emulators.iam import PROJECT, Identity

MOST_INLINE_BYTES = 10 * 1024 * 1024
MOST_INLINE_SECONDS = 60.0
MODELS = {"chirp_3": {"asia-northeast1", "asia-southeast1", "us", "eu"}, "chirp_2": {"asia-southeast1"}}
RECOGNIZE = "/google.cloud.speech.v2.Speech/Recognize"
BATCH_RECOGNIZE = "/google.cloud.speech.v2.Speech/BatchRecognize"
GET_OPERATION = "/google.longrunning.Operations/GetOperation"
_RECOGNISER = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/recognizers/_")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What an answerer made of a recording. `parts` are texts with the second at which each ends."""

    parts: Sequence[tuple[str, float]]
    duration_seconds: float


class CannotDecode(Exception):
    """The bytes are no sound."""


Listener = Callable[[bytes, Sequence[str]], Heard]  # the recording and the phrases to expect
Fetch = Callable[[str], bytes | None]  # a gs:// URI; None where there is no such object


@dataclass(kw_only=True)
class _Operation:
    done: operations_pb2.Operation
    looks_left: int


class SpeechEmulator(GrpcEmulator):
    """`looks_until_done`: how often an operation is looked at before it is done. `end_next` is its error instead."""

    def __init__(
        self, identity: Identity, *, listener: Listener, fetch: Fetch = lambda uri: None, project: str = PROJECT
    ) -> None:
        self._listener = listener
        self._fetch = fetch
        self._project = project
        self._operations: dict[str, _Operation] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()  # engines serve one caller at a time
        self.looks_until_done = 2
        self.end_next: status_pb2.Status | None = None
        super().__init__(identity)

    def list_methods(self) -> list[Method]:
        return [
            Method(
                name=RECOGNIZE,
                answer=self.recognise,
                read=types.RecognizeRequest.deserialize,
                write=types.RecognizeResponse.serialize,
                routed_by="recognizer",
            ),
            Method(
                name=BATCH_RECOGNIZE,
                answer=self.begin_batch,
                read=types.BatchRecognizeRequest.deserialize,
                write=operations_pb2.Operation.SerializeToString,
                routed_by="recognizer",
            ),
            Method(
                name=GET_OPERATION,
                answer=self.look,
                read=operations_pb2.GetOperationRequest.FromString,
                write=operations_pb2.Operation.SerializeToString,
                routed_by="name",
            ),
        ]

    def recognise(self, request: types.RecognizeRequest) -> types.RecognizeResponse:
        self._check(request.recognizer, request.config)
        if not request.content:
            raise _complain("content or uri must be set")
        if len(request.content) > MOST_INLINE_BYTES:
            raise _complain(f"Request payload size exceeds the limit: {MOST_INLINE_BYTES} bytes.")
        heard = self._listen(request.content, request.config)
        if heard.duration_seconds > MOST_INLINE_SECONDS:
            raise _complain("Audio can be of a maximum of 60 seconds.")
        return types.RecognizeResponse(
            results=_compose_results(heard),
            metadata={"total_billed_duration": duration_pb2.Duration(seconds=round(heard.duration_seconds + 0.5))},
        )

    def begin_batch(self, request: types.BatchRecognizeRequest) -> operations_pb2.Operation:
        location = self._check(request.recognizer, request.config)
        if len(request.files) != 1 or not request.files[0].uri.startswith("gs://"):
            raise _complain("one gs:// file a call")
        if "inline_response_config" not in request.recognition_output_config:
            raise _complain("recognition_output_config must be set")
        name = f"projects/{self._project}/locations/{location}/operations/{next(self._numbers)}"
        done = operations_pb2.Operation(name=name, done=True)
        if self.end_next is not None:
            done.error.CopyFrom(self.end_next)
            self.end_next = None
        else:
            done.response.Pack(types.BatchRecognizeResponse.pb(self._recognise_file(request)))
        self._operations[name] = _Operation(done=done, looks_left=self.looks_until_done)
        return operations_pb2.Operation(name=name)

    def look(self, request: operations_pb2.GetOperationRequest) -> operations_pb2.Operation:
        operation = self._operations.get(request.name)
        if operation is None:
            raise GrpcRefusal(grpc.StatusCode.NOT_FOUND, f"no operation {request.name}")
        operation.looks_left -= 1
        return operation.done if operation.looks_left <= 0 else operations_pb2.Operation(name=request.name)

    def _recognise_file(self, request: types.BatchRecognizeRequest) -> types.BatchRecognizeResponse:
        uri = request.files[0].uri
        content = self._fetch(uri)
        if content is None:
            error = status_pb2.Status(code=5, message=f"{uri} was not found")
            return types.BatchRecognizeResponse(results={uri: types.BatchRecognizeFileResult(error=error)})
        try:
            heard = self._listen(content, request.config)
        except GrpcRefusal as refusal:
            error = status_pb2.Status(code=3, message=str(refusal))
            return types.BatchRecognizeResponse(results={uri: types.BatchRecognizeFileResult(error=error)})
        transcript = types.BatchRecognizeResults(results=_compose_results(heard))
        result = types.BatchRecognizeFileResult(inline_result={"transcript": transcript})
        billed = duration_pb2.Duration(seconds=round(heard.duration_seconds + 0.5))
        return types.BatchRecognizeResponse(results={uri: result}, total_billed_duration=billed)

    def _listen(self, content: bytes, config: types.RecognitionConfig) -> Heard:
        phrases = [
            phrase.value for given in config.adaptation.phrase_sets for phrase in given.inline_phrase_set.phrases
        ]
        try:
            with self._lock:
                return self._listener(content, phrases)
        except CannotDecode as error:
            raise _complain(f"Audio encoding could not be detected: {error}") from error

    def _check(self, recogniser: str, config: Any) -> str:
        found = _RECOGNISER.fullmatch(recogniser)
        if found is None:
            raise _complain(f"Invalid resource name: {recogniser}")
        if found["project"] != self._project:
            raise GrpcRefusal(grpc.StatusCode.PERMISSION_DENIED, f"Permission denied on project {found['project']}.")
        if found["location"] not in MODELS.get(config.model, set()):
            raise _complain(f'The model "{config.model}" does not exist in the location named "{found["location"]}".')
        if list(config.language_codes) != ["ja-JP"] or "auto_decoding_config" not in config:
            raise _complain("Japanese, decoded by what the bytes are")
        return str(found["location"])


def _compose_results(heard: Heard) -> list[types.SpeechRecognitionResult]:
    return [
        types.SpeechRecognitionResult(
            alternatives=[{"transcript": text, "confidence": 0.9}],
            result_end_offset=duration_pb2.Duration(seconds=int(ends_at), nanos=int(ends_at % 1 * 1e9)),
            language_code="ja-jp",
        )
        for text, ends_at in heard.parts
    ]


def _complain(message: str) -> GrpcRefusal:
    return GrpcRefusal(grpc.StatusCode.INVALID_ARGUMENT, message)
