"""Cloud Speech-to-Text before a server that speaks its protocol: inline, batch, hints, faults."""

import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
import pytest
from google.cloud.speech_v2 import types
from google.longrunning import operations_pb2
from google.rpc import status_pb2

from coaching.errors import (
    EmptyAnswer,
    Misconfigured,
    MomentCloneError,
    ProviderRateLimited,
    ProviderRefused,
    ProviderUnavailable,
)
from coaching.providers.google.speech_to_text import INLINE_BYTES, MEMO_UNREADABLE, GoogleRecogniser
from tests.coaching.providers.google.models import ask_to_hear
from tests.emulators.fault_table import FaultTable
from tests.emulators.faults import Fault
from tests.emulators.grpc_server import compose_retry_info
from tests.emulators.iam import PROJECT
from tests.emulators.speech import BATCH_RECOGNIZE, GET_OPERATION, RECOGNIZE, CannotDecode, Heard, SpeechEmulator
from tests.emulators.world import GoogleWorld

SERVICE = "Speech-to-Text"
LONG_SECONDS = 20.0
URI = "gs://moment/sessions/7/memo.m4a"
Code = grpc.StatusCode


@pytest.fixture
def memo(tmp_path: Path) -> Path:
    path = tmp_path / "memo.m4a"
    path.write_bytes(b"sound")
    return path


@pytest.fixture
def talking_server(google_world: GoogleWorld) -> Iterator[SpeechEmulator]:
    """Hears two sentences in whatever comes."""

    def listen(content: bytes, phrases: Sequence[str]) -> Heard:
        return Heard(parts=[("卵を 先に入れました。", 2.5), ("音がしませんでした。", 4.75)], duration_seconds=5.0)

    with SpeechEmulator(google_world.identity, listener=listen, fetch=lambda uri: b"sound") as server:
        yield server


@pytest.fixture
def talking_recogniser(talking_server: SpeechEmulator) -> GoogleRecogniser:
    return GoogleRecogniser(project=PROJECT, location="asia-northeast1", endpoint=talking_server.url, tries=1)


def test_a_short_memo_goes_along_with_the_call(
    talking_recogniser: GoogleRecogniser, talking_server: SpeechEmulator, memo: Path
) -> None:
    heard = talking_recogniser.transcribe(ask_to_hear(memo))
    assert heard.text == "卵を先に入れました。音がしませんでした。"
    assert [(s.start_seconds, s.end_seconds) for s in heard.segments] == [(0.0, 2.5), (2.5, 4.75)]
    (call,) = talking_server.log
    assert (call.method, call.message.content) == (RECOGNIZE, b"sound")
    assert call.message.recognizer == f"projects/{PROJECT}/locations/asia-northeast1/recognizers/_"
    assert call.message.config.model == "chirp_3"
    assert talking_server.complaints == []


def test_a_long_memo_is_read_from_the_store_by_an_operation(
    talking_recogniser: GoogleRecogniser, talking_server: SpeechEmulator
) -> None:
    heard = talking_recogniser.transcribe(ask_to_hear("https://unused", duration_seconds=170, cloud_uri=URI))
    assert heard.text == "卵を先に入れました。音がしませんでした。"
    assert [call.method for call in talking_server.log] == [BATCH_RECOGNIZE, GET_OPERATION, GET_OPERATION]
    assert talking_server.log[0].message.files[0].uri == URI


def test_a_large_memo_is_read_from_the_store_too(
    talking_recogniser: GoogleRecogniser, talking_server: SpeechEmulator, tmp_path: Path
) -> None:
    memo = tmp_path / "memo.wav"
    with memo.open("wb") as file:
        file.truncate(INLINE_BYTES + 1)
    talking_recogniser.transcribe(ask_to_hear(memo, cloud_uri=URI))
    assert talking_server.log[0].method == BATCH_RECOGNIZE


def test_a_long_memo_that_is_not_in_the_cloud_names_the_setting(
    recogniser: GoogleRecogniser, speech_server: SpeechEmulator, memo: Path
) -> None:
    with pytest.raises(Misconfigured, match="GOOGLE_STORAGE_BUCKET"):
        recogniser.transcribe(ask_to_hear(memo, duration_seconds=170))
    assert speech_server.log == []


@pytest.mark.parametrize(("model", "adapted"), [("chirp_3", True), ("chirp", False)])
def test_cooking_words_are_adapted_where_the_model_takes_them(
    speech_server: SpeechEmulator, memo: Path, model: str, adapted: bool
) -> None:
    recogniser = GoogleRecogniser(project=PROJECT, location="us", endpoint=speech_server.url, model=model, tries=1)
    if adapted:
        recogniser.transcribe(ask_to_hear(memo))
    else:
        with pytest.raises(Misconfigured):  # the server has no such model; what was sent is what counts
            recogniser.transcribe(ask_to_hear(memo))
    config = speech_server.log[0].message.config
    phrases = [p.value for given in config.adaptation.phrase_sets for p in given.inline_phrase_set.phrases]
    assert (phrases[:1] == ["チャーハン"] and "半熟" in phrases) is adapted
    assert bool(phrases) is adapted


def test_silence_is_an_empty_text_and_costs_what_was_billed(recogniser: GoogleRecogniser, memo: Path) -> None:
    heard = recogniser.transcribe(ask_to_hear(memo))
    assert (heard.text, heard.segments) == ("", ())
    assert heard.usage.cost_usd == pytest.approx(5 / 60 * 0.016, rel=0.3)


def test_a_memo_behind_a_signed_link_is_fetched_first(
    recogniser: GoogleRecogniser, speech_server: SpeechEmulator, fault_table: FaultTable
) -> None:
    with serve_bytes(b"from the store") as url:
        recogniser.transcribe(ask_to_hear(f"{url}/memo"))
        with fault_table.expect(ProviderUnavailable, service=SERVICE, fault="the store's link fails"):
            recogniser.transcribe(ask_to_hear(f"{url}/missing"))
    assert speech_server.log[0].message.content == b"from the store"


FAULTS: dict[str, tuple[Fault, type[MomentCloneError]]] = {
    "INVALID_ARGUMENT": (Fault(code=Code.INVALID_ARGUMENT), ProviderRefused),
    "UNAUTHENTICATED": (Fault(code=Code.UNAUTHENTICATED), Misconfigured),
    "PERMISSION_DENIED": (Fault(code=Code.PERMISSION_DENIED), Misconfigured),
    "NOT_FOUND": (Fault(code=Code.NOT_FOUND), Misconfigured),
    "ABORTED": (Fault(code=Code.ABORTED), ProviderUnavailable),
    "RESOURCE_EXHAUSTED": (Fault(code=Code.RESOURCE_EXHAUSTED), ProviderRateLimited),
    "CANCELLED": (Fault(code=Code.CANCELLED), ProviderUnavailable),
    "UNKNOWN": (Fault(code=Code.UNKNOWN), ProviderUnavailable),
    "INTERNAL": (Fault(code=Code.INTERNAL), ProviderUnavailable),
    "UNAVAILABLE": (Fault(code=Code.UNAVAILABLE), ProviderUnavailable),
    "DEADLINE_EXCEEDED": (Fault(code=Code.DEADLINE_EXCEEDED), ProviderUnavailable),
    "dropped": (Fault(drop=True), ProviderUnavailable),
    "garbage instead of a message": (Fault(reply=b"\xff\xff\xff\xff"), ProviderUnavailable),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_service_does(
    *, recogniser: GoogleRecogniser, speech_server: SpeechEmulator, memo: Path, fault_table: FaultTable, name: str
) -> None:
    fault, error = FAULTS[name]
    speech_server.script.plan(fault)
    with fault_table.expect(error, service=SERVICE, fault=name) as raised:
        recogniser.transcribe(ask_to_hear(memo))
    assert str(raised[0]).startswith("Speech-to-Text, recognize (chirp_3)")
    assert "Speech" not in raised[0].learner_message
    assert len(speech_server.log) == 1


def test_how_long_to_wait_is_carried_along(
    *, recogniser: GoogleRecogniser, speech_server: SpeechEmulator, memo: Path, fault_table: FaultTable
) -> None:
    speech_server.script.plan(Fault(code=Code.RESOURCE_EXHAUSTED, details=[compose_retry_info(20)]))
    with fault_table.expect(ProviderRateLimited, service=SERVICE, fault="RetryInfo") as raised:
        recogniser.transcribe(ask_to_hear(memo))
    assert isinstance(raised[0], ProviderRateLimited)
    assert raised[0].retry_after_seconds == 20


def test_a_passing_fault_is_repeated_at_once(
    speech_server: SpeechEmulator, memo: Path, fault_table: FaultTable
) -> None:
    recogniser = GoogleRecogniser(project=PROJECT, location="us", endpoint=speech_server.url)
    speech_server.script.plan(FAULTS["UNAVAILABLE"][0])
    with fault_table.expect_success(service=SERVICE, fault="UNAVAILABLE, once", how="repeated"):
        recogniser.transcribe(ask_to_hear(memo))
    assert len(speech_server.log) == 2


def test_what_is_no_sound_is_refused_in_words_about_the_memo(
    google_world: GoogleWorld, memo: Path, fault_table: FaultTable
) -> None:
    def listen(content: bytes, phrases: Sequence[str]) -> Heard:
        raise CannotDecode("no stream of sound")

    with SpeechEmulator(google_world.identity, listener=listen, fetch=lambda uri: b"text") as server:
        recogniser = GoogleRecogniser(project=PROJECT, location="us", endpoint=server.url, tries=1)
        for fault, request in {
            "undecodable": ask_to_hear(memo),
            "undecodable, in an operation": ask_to_hear(memo, duration_seconds=99, cloud_uri=URI),
        }.items():
            with fault_table.expect(ProviderRefused, service=SERVICE, fault=fault) as raised:
                recogniser.transcribe(request)
            assert raised[0].learner_message == MEMO_UNREADABLE


# --- operations ------------------------------------------------------------------------------------------------------

Order = Callable[[SpeechEmulator], object]


def compose_empty_operation() -> operations_pb2.Operation:
    operation = operations_pb2.Operation(name="operations/1", done=True)
    operation.response.Pack(types.BatchRecognizeResponse.pb(types.BatchRecognizeResponse()))
    return operation


OPERATIONS: dict[str, tuple[Order, type[MomentCloneError]]] = {
    "operation: begin refused": (
        lambda s: s.script.plan(Fault(match=BATCH_RECOGNIZE, code=Code.PERMISSION_DENIED)),
        Misconfigured,
    ),
    "operation: look fails": (
        lambda s: s.script.plan(Fault(match=GET_OPERATION, code=Code.UNAVAILABLE)),
        ProviderUnavailable,
    ),
    "operation: ends in an error": (
        lambda s: setattr(s, "end_next", status_pb2.Status(code=13, message="internal")),
        ProviderUnavailable,
    ),
    "operation: quota": (
        lambda s: setattr(s, "end_next", status_pb2.Status(code=8, message="quota")),
        ProviderRateLimited,
    ),
    "operation: never done": (lambda s: setattr(s, "looks_until_done", 10**9), ProviderUnavailable),
    "operation: speaks of no file": (
        lambda s: s.script.plan(Fault(match=GET_OPERATION, reply=compose_empty_operation())),
        EmptyAnswer,
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_an_operation_does(
    *, recogniser: GoogleRecogniser, speech_server: SpeechEmulator, fault_table: FaultTable, name: str
) -> None:
    order, error = OPERATIONS[name]
    order(speech_server)
    request = ask_to_hear("https://unused", duration_seconds=170, cloud_uri=URI, deadline_seconds=2.5)
    began = time.monotonic()
    with fault_table.expect(error, service=SERVICE, fault=name) as raised:
        recogniser.transcribe(request)
    assert time.monotonic() - began < LONG_SECONDS / 2
    assert str(raised[0]).startswith("Speech-to-Text, ")


def test_a_file_that_the_service_cannot_find_is_an_error_inside_a_success(
    google_world: GoogleWorld, fault_table: FaultTable
) -> None:
    with SpeechEmulator(
        google_world.identity, listener=lambda content, phrases: Heard(parts=(), duration_seconds=1)
    ) as server:
        recogniser = GoogleRecogniser(project=PROJECT, location="us", endpoint=server.url, tries=1)
        with fault_table.expect(Misconfigured, service=SERVICE, fault="per-file NOT_FOUND") as raised:
            recogniser.transcribe(ask_to_hear("https://unused", duration_seconds=99, cloud_uri=URI))
    assert "service agent must be able to read the bucket" in str(raised[0])


def test_the_deadline_holds(
    *, recogniser: GoogleRecogniser, speech_server: SpeechEmulator, memo: Path, fault_table: FaultTable
) -> None:
    speech_server.script.plan(Fault(delay_seconds=LONG_SECONDS))
    began = time.monotonic()
    with fault_table.expect(ProviderUnavailable, service=SERVICE, fault="silence beyond the deadline"):
        recogniser.transcribe(ask_to_hear(memo, deadline_seconds=0.5))
    assert time.monotonic() - began < LONG_SECONDS / 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "chirp_9"}, "GOOGLE_SPEECH_MODEL is chirp_9"),
        ({"location": "us-west1"}, "GOOGLE_CLOUD_REGION is us-west1"),
        ({"project": "somebody-elses"}, "somebody-elses (GOOGLE_CLOUD_PROJECT)"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(
    *, speech_server: SpeechEmulator, memo: Path, fault_table: FaultTable, options: dict[str, str], said: str
) -> None:
    settings: dict[str, Any] = {"project": PROJECT, "location": "us", **options}
    recogniser = GoogleRecogniser(endpoint=speech_server.url, tries=1, **settings)
    with fault_table.expect(Misconfigured, service=SERVICE, fault=f"wrong {next(iter(options))}") as raised:
        recogniser.transcribe(ask_to_hear(memo))
    assert said in str(raised[0])


class serve_bytes:  # noqa: N801  # a context manager that reads like a verb
    """A server with one file at /memo."""

    def __init__(self, content: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # http.server's name
                self.send_response(200 if self.path == "/memo" else 404)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
