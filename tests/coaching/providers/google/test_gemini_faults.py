"""Everything that Gemini is known to do wrong, ordered from its server: what becomes of it, in a printed table."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.auth.transport.requests import Request

from coaching.errors import (
    ContentBlocked,
    EmptyAnswer,
    MalformedAnswer,
    Misconfigured,
    MomentCloneError,
    ProviderRateLimited,
    ProviderRefused,
    ProviderUnavailable,
    RetryableError,
    TruncatedAnswer,
)
from coaching.providers.google.connection import load_credentials
from coaching.providers.google.gemini import GeminiCoach
from coaching.providers.ports import DishText, MemoRequest, QuestionRequest
from tests.coaching.providers.google.models import (
    answer_analysis,
    answer_memo,
    answer_question,
    ask_for_analysis,
    ask_question,
    make_coach,
    make_developer_coach,
    write_reply,
)
from tests.emulators.fault_table import FaultTable
from tests.emulators.faults import Fault
from tests.emulators.gemini import API_KEY, GeminiEmulator, Reply
from tests.emulators.world import GoogleWorld

SERVICE = "Gemini"
LONG_SECONDS = 20.0
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7.5s"}
QUOTA = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerMinute"}]}
HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}


def say_status(status: int, name: str, *details: Any, message: str = "ordered") -> bytes:
    error = {"code": status, "message": message, "status": name, "details": list(details)}
    return json.dumps({"error": error}).encode()


def fail(status: int, name: str, *details: Any, message: str = "ordered", **headers: str) -> Fault:
    names = {key.replace("_", "-"): value for key, value in headers.items()}
    return Fault(status=status, headers={**JSON, **names}, body=say_status(status, name, *details, message=message))


FAULTS: dict[str, tuple[Fault, type[MomentCloneError]]] = {
    "400": (fail(400, "INVALID_ARGUMENT"), ProviderRefused),
    "400 key refused": (fail(400, "INVALID_ARGUMENT", message="API key not valid."), Misconfigured),
    "400 precondition (billing, place)": (fail(400, "FAILED_PRECONDITION"), Misconfigured),
    "401": (fail(401, "UNAUTHENTICATED"), Misconfigured),
    "403": (fail(403, "PERMISSION_DENIED"), Misconfigured),
    "404": (fail(404, "NOT_FOUND"), Misconfigured),
    "408": (fail(408, "UNKNOWN"), ProviderUnavailable),
    "409": (fail(409, "ABORTED"), ProviderUnavailable),
    "412": (fail(412, "UNKNOWN"), ProviderRefused),
    "413": (fail(413, "UNKNOWN"), ProviderRefused),
    "429": (fail(429, "RESOURCE_EXHAUSTED", QUOTA), ProviderRateLimited),
    "499": (fail(499, "CANCELLED"), ProviderUnavailable),
    "500": (fail(500, "INTERNAL"), ProviderUnavailable),
    "502 in HTML": (Fault(status=502, headers=HTML, body=b"<html>Bad Gateway</html>"), ProviderUnavailable),
    "503": (fail(503, "UNAVAILABLE"), ProviderUnavailable),
    "504": (fail(504, "DEADLINE_EXCEEDED"), ProviderUnavailable),
    "302": (Fault(status=302, headers={"Location": "https://elsewhere.example/"}), ProviderRefused),
    "hang-up": (Fault(drop=True), ProviderUnavailable),
    "hang-up after the work": (Fault(drop_answer=True), ProviderUnavailable),
    "cut in the middle": (Fault(cut_at_bytes=60), ProviderUnavailable),
    "bad JSON": (Fault(status=200, headers=JSON, body=b'{"candidates": [{"con'), MalformedAnswer),
    "HTML with 200": (Fault(status=200, headers=HTML, body=b"<html>Log in</html>"), MalformedAnswer),
    "wrong types in the envelope": (Fault(status=200, headers=JSON, body=b'{"candidates": 7}'), MalformedAnswer),
    "empty 200": (Fault(status=200, headers=JSON, body=b""), EmptyAnswer),
    "empty object": (Fault(status=200, headers=JSON, body=b"{}"), EmptyAnswer),
}

BLOCKED = ("SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY")
AIMLESS = ("RECITATION", "LANGUAGE", "OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "A_NEW_REASON")
GOOD = answer_memo().text
REPLIES: dict[str, tuple[Reply, type[MomentCloneError]]] = {
    **{f"finish {reason}": (Reply(finish_reason=reason), ContentBlocked) for reason in BLOCKED},
    **{f"finish {reason}": (Reply(text=GOOD, finish_reason=reason), MalformedAnswer) for reason in AIMLESS},
    "finish missing": (Reply(text=GOOD, finish_reason=None), MalformedAnswer),
    "MAX_TOKENS with half a text": (Reply(text=GOOD[:30], finish_reason="MAX_TOKENS"), TruncatedAnswer),
    "MAX_TOKENS without text": (Reply(finish_reason="MAX_TOKENS", thinking_tokens=8192), TruncatedAnswer),
    "thinking only": (Reply(thoughts="うーん"), EmptyAnswer),
    "blank text": (Reply(text=" \n"), EmptyAnswer),
    "no candidate": (Reply(raw={"usageMetadata": {"promptTokenCount": 10}}), EmptyAnswer),
    "prompt blocked": (Reply(raw={"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}), ContentBlocked),
    "prompt blocked, new reason": (Reply(raw={"promptFeedback": {"blockReason": "BRAND_NEW"}}), ContentBlocked),
    "no JSON": (Reply(text="卵は後です。"), MalformedAnswer),
    "half a JSON": (Reply(text=GOOD[:40]), MalformedAnswer),
    "schema mismatch": (write_reply({"identified_issues": "卵", "questions": []}), MalformedAnswer),
    "a slug that the dish has not": (answer_memo(identified_issues=["burnt_water"]), MalformedAnswer),
}


def ask_memo(dish: DishText, *, deadline_seconds: float = 30) -> MemoRequest:
    return MemoRequest(transcript="べちゃっとしました。", dish=dish, deadline_seconds=deadline_seconds)


def check_words(error: MomentCloneError, *, call: str) -> None:
    """The operator reads service, call and model; the learner reads Japanese that knows nothing of them."""
    assert str(error).startswith(f"Gemini, {call}"), str(error)
    assert "(gemini-3-flash-preview, " in str(error)
    assert not set(error.learner_message) & set("abcdefghijklmnopqrstuvwxyz0123456789")
    assert API_KEY not in str(error)


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_wire_does(
    coach: GeminiCoach, gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable, name: str
) -> None:
    fault, error = FAULTS[name]
    gemini.reply(answer_memo())
    gemini.script.plan(fault)
    with fault_table.expect(error, service=SERVICE, fault=name) as raised:
        coach.understand_memo(ask_memo(fried_rice))
    check_words(raised[0], call="memo")
    assert len(gemini.log) == 1


@pytest.mark.parametrize("name", REPLIES)
def test_what_the_model_does(
    coach: GeminiCoach, gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable, name: str
) -> None:
    reply, error = REPLIES[name]
    gemini.reply(reply)
    with fault_table.expect(error, service=SERVICE, fault=name) as raised:
        coach.understand_memo(ask_memo(fried_rice))
    check_words(raised[0], call="memo")
    (paid,) = raised[0].usage
    assert paid.cost_usd > 0 or reply.raw is not None


def test_json_in_a_block_and_thoughts_beside_it_are_read_all_the_same(
    coach: GeminiCoach, gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable
) -> None:
    gemini.reply(Reply(text=f"```json\n{GOOD}\n```", thoughts="うーん"))
    with fault_table.expect_success(service=SERVICE, fault="fenced JSON, thoughts", how="read"):
        assert coach.understand_memo(ask_memo(fried_rice)).emotional_state == "calm"


WAITS: dict[str, tuple[Fault, float | None]] = {
    "429 with RetryInfo": (fail(429, "RESOURCE_EXHAUSTED", QUOTA, RETRY_INFO), 7.5),
    "429 with Retry-After": (fail(429, "RESOURCE_EXHAUSTED", Retry_After="20"), 20.0),
    "429 with neither": (fail(429, "RESOURCE_EXHAUSTED"), None),
    "429 in HTML": (Fault(status=429, headers={**HTML, "Retry-After": "20"}, body=b"<html>"), 20.0),
    "503 with Retry-After": (fail(503, "UNAVAILABLE", Retry_After="30"), 30.0),
}


@pytest.mark.parametrize("name", WAITS)
def test_how_long_to_wait_is_carried_along(
    gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable, name: str
) -> None:
    """And who is asked to wait does not try again at once, however many tries there are."""
    fault, seconds = WAITS[name]
    gemini.script.plan(fault)
    error = ProviderRateLimited if name.startswith("429") else ProviderUnavailable
    with fault_table.expect(error, service=SERVICE, fault=name) as raised:
        make_coach(gemini, tries=3).understand_memo(ask_memo(fried_rice))
    assert isinstance(raised[0], RetryableError)
    assert raised[0].retry_after_seconds == seconds
    assert len(gemini.log) == 1


@pytest.mark.parametrize("name", ["503", "500", "hang-up", "cut in the middle", "502 in HTML"])
def test_a_passing_fault_is_repeated_at_once(
    gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable, name: str
) -> None:
    gemini.reply(answer_memo(), answer_memo())
    gemini.script.plan(FAULTS[name][0])
    with fault_table.expect_success(service=SERVICE, fault=f"{name}, once", how="repeated"):
        assert make_coach(gemini, tries=3).understand_memo(ask_memo(fried_rice)).emotional_state == "calm"
    assert len(gemini.log) == 2


SLOW: dict[str, Fault] = {
    "silence": Fault(delay_seconds=LONG_SECONDS),
    "drip": Fault(drip_seconds=0.05),
}


@pytest.mark.parametrize("name", SLOW)
def test_the_deadline_holds_however_the_answer_is_drawn_out(
    coach: GeminiCoach, gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable, name: str
) -> None:
    """The drip would take half a minute, and each of its bytes comes soon enough for a limit of single reads."""
    gemini.reply(answer_memo())
    gemini.script.plan(SLOW[name])
    began = time.monotonic()
    with fault_table.expect(ProviderUnavailable, service=SERVICE, fault=f"{name} beyond the deadline") as raised:
        coach.understand_memo(ask_memo(fried_rice, deadline_seconds=0.7))
    assert time.monotonic() - began < LONG_SECONDS / 2
    check_words(raised[0], call="memo")


def test_a_call_that_timed_out_uses_up_no_reply(
    coach: GeminiCoach, gemini: GeminiEmulator, fried_rice: DishText
) -> None:
    gemini.reply(answer_memo())
    gemini.script.plan(Fault(delay_seconds=1.0))
    with pytest.raises(ProviderUnavailable):
        coach.understand_memo(ask_memo(fried_rice, deadline_seconds=0.3))
    assert gemini.replies_left == 1


def test_a_deadline_that_is_over_asks_nobody(coach: GeminiCoach, gemini: GeminiEmulator, fried_rice: DishText) -> None:
    with pytest.raises(ProviderUnavailable):
        coach.understand_memo(ask_memo(fried_rice, deadline_seconds=0))
    assert gemini.log == []


# --- streams ---------------------------------------------------------------------------------------------------------

STREAMS: dict[str, tuple[Reply, type[MomentCloneError]]] = {
    "stream: error in the middle": (Reply(text=answer_question().text, breaks="error"), ProviderUnavailable),
    "stream: hang-up in the middle": (Reply(text=answer_question().text, breaks="drop"), ProviderUnavailable),
    "stream: silence in the middle": (Reply(text=answer_question().text, breaks="stall"), ProviderUnavailable),
    "stream: ends without a reason": (Reply(text=answer_question().text, breaks="ends"), MalformedAnswer),
    "stream: out of tokens": (Reply(text=answer_question().text[:80], finish_reason="MAX_TOKENS"), TruncatedAnswer),
    "stream: blocked at the end": (Reply(text=answer_question().text, finish_reason="SAFETY"), ContentBlocked),
    "stream: no JSON": (Reply(text="卵は後です。" * 20), MalformedAnswer),
    "stream: empty": (Reply(), EmptyAnswer),
    "stream: prompt blocked": (Reply(raw={"promptFeedback": {"blockReason": "SAFETY"}}), ContentBlocked),
    "stream: no text in the answer": (answer_question(text=""), MalformedAnswer),
}


@pytest.mark.parametrize("name", STREAMS)
def test_what_a_stream_does(
    coach: GeminiCoach, gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable, name: str
) -> None:
    reply, error = STREAMS[name]
    gemini.reply(reply)
    request = ask_question(fried_rice, deadline_seconds=1.0 if reply.breaks == "stall" else 30)
    with fault_table.expect(error, service=SERVICE, fault=name) as raised:
        read_whole(coach, request)
    check_words(raised[0], call="answer")
    assert len(raised[0].usage) == (0 if reply.breaks in {"error", "drop", "stall"} or reply.raw else 1)


@pytest.mark.parametrize("name", ["503", "hang-up"])
def test_a_stream_of_which_nothing_came_is_begun_again(
    gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable, name: str
) -> None:
    gemini.reply(answer_question())
    gemini.script.plan(FAULTS[name][0])
    with fault_table.expect_success(service=SERVICE, fault=f"stream: {name}, once", how="repeated"):
        assert read_whole(make_coach(gemini, tries=3), ask_question(fried_rice)).startswith("花子さん")


def read_whole(coach: GeminiCoach, request: QuestionRequest) -> str:
    return "".join(piece.text for piece in coach.answer(request))


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "raw.mp4"
    path.write_bytes(b"x" * 300_000)
    return path


FILES: dict[str, tuple[Callable[[GeminiEmulator], object], type[MomentCloneError], str]] = {
    "file FAILED": (lambda g: setattr(g.files, "fail_next", "unsupported codec"), ProviderRefused, "file state"),
    "file start 503": (
        lambda g: g.script.plan(Fault(match="POST /upload/v1beta/files$", status=503)),
        ProviderUnavailable,
        "file upload",
    ),
    "file start 403": (
        lambda g: g.script.plan(Fault(match="POST /upload/v1beta/files$", status=403)),
        Misconfigured,
        "file upload",
    ),
    "file chunk 503": (
        lambda g: g.script.plan(Fault(match="upload_id", status=503), times=99),
        ProviderUnavailable,
        "file upload",
    ),
    "file chunk hang-up": (
        lambda g: g.script.plan(Fault(match="upload_id", drop=True)),
        ProviderUnavailable,
        "file upload",
    ),
    "file state 500": (
        lambda g: g.script.plan(Fault(match="GET /v1beta/files", status=500)),
        ProviderUnavailable,
        "file state",
    ),
    "file never ready": (
        lambda g: setattr(g.files, "looks_until_active", 10**9),
        ProviderUnavailable,
        "",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_what_the_files_api_does(
    *,
    developer_coach: GeminiCoach,
    gemini: GeminiEmulator,
    fried_rice: DishText,
    fault_table: FaultTable,
    film: Path,
    name: str,
) -> None:
    order, error, call = FILES[name]
    order(gemini)
    gemini.reply(answer_analysis())
    began = time.monotonic()
    with fault_table.expect(error, service=f"{SERVICE} files", fault=name) as raised:
        developer_coach.analyse(ask_for_analysis(fried_rice, source=film, deadline_seconds=2.5))
    assert time.monotonic() - began < LONG_SECONDS / 2
    check_words(raised[0], call=call)


# --- settings --------------------------------------------------------------------------------------------------------

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "wrong project": ({"project": "somebody-elses"}, "GOOGLE_CLOUD_PROJECT is somebody-elses"),
    "wrong location": ({"location": "asia-northeast1"}, "GEMINI_LOCATION is asia-northeast1"),
    "the document's model id": ({"model": "gemini-3-flash"}, "serves as gemini-3-flash-preview"),
    "unknown model id": ({"model": "gemini-17-flash"}, "GEMINI_MODEL is gemini-17-flash"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_wrong_setting_is_named_with_its_fix(
    gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable, name: str
) -> None:
    options, said = SETTINGS[name]
    with fault_table.expect(Misconfigured, service=SERVICE, fault=name) as raised:
        make_coach(gemini, **options).understand_memo(ask_memo(fried_rice))
    assert said in str(raised[0])


def test_a_thinking_level_that_the_model_has_not_is_named(
    gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable
) -> None:
    coach = make_coach(gemini, model="gemini-3.8-flash", quick_thinking_level="MINIMAL")
    with fault_table.expect(Misconfigured, service=SERVICE, fault="unknown thinking level") as raised:
        coach.understand_memo(ask_memo(fried_rice))
    assert "GEMINI_QUICK_THINKING_LEVEL" in str(raised[0])


def test_a_key_that_is_wrong_is_named_and_not_shown(
    gemini: GeminiEmulator, fried_rice: DishText, fault_table: FaultTable
) -> None:
    coach = make_developer_coach(gemini, api_key="AIza-stolen")
    with fault_table.expect(Misconfigured, service=SERVICE, fault="wrong API key") as raised:
        coach.understand_memo(ask_memo(fried_rice))
    assert "GEMINI_API_KEY" in str(raised[0])
    assert "AIza-stolen" not in str(raised[0]) + repr(coach.__dict__)


def test_withdrawn_credentials_are_named(
    *,
    request: pytest.FixtureRequest,
    coach: GeminiCoach,
    gemini: GeminiEmulator,
    google_world: GoogleWorld,
    fried_rice: DishText,
    fault_table: FaultTable,
) -> None:
    gemini.reply(answer_memo())
    coach.understand_memo(ask_memo(fried_rice))
    google_world.identity.withdraw_tokens()
    request.addfinalizer(lambda: load_credentials().refresh(Request()))  # they are the process's
    with fault_table.expect(Misconfigured, service=SERVICE, fault="expired credentials") as raised:
        coach.understand_memo(ask_memo(fried_rice))
    assert "roles/aiplatform.user" in str(raised[0])


@pytest.mark.parametrize("options", [{"project": "", "api_key": ""}, {"endpoint": "https://gemini.evil.example:443"}])
def test_a_coach_without_credentials_or_with_a_strange_endpoint_is_not_made(
    gemini: GeminiEmulator, options: dict[str, Any]
) -> None:
    with pytest.raises(Misconfigured):
        make_coach(gemini, **options)
