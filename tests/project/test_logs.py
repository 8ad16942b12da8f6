"""Log lines: one run's can be found by its id in every process, and none opens a door."""

import io
import json
import logging
import logging.config
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django_celery_results.models import TaskResult
from pytest_django import Settings

from coaching.errors import StageCancelled
from coaching.log_context import bind_ids, note_ids, read_ids, replace_ids
from coaching.models import RunState, Session, Stage, StageState
from coaching.services import runs
from coaching.services.execution import StageJob, StageResult, execute_stage
from media_tools import ffmpeg
from media_tools.errors import MediaToolFailed
from project.logs import LogFormat, describe_logging
from tasks import pipeline
from tests.faults.cluster import make_session, open_cluster, wait_for_state

logger = logging.getLogger("tests.logs")
SIGNED = "https://storage.googleapis.com/b/raw.mp4?X-Goog-Expires=60&X-Goog-Signature=5f2aab"


@contextmanager
def written(log_format: LogFormat) -> Iterator[io.StringIO]:
    """What the project's configuration writes, with its own handler on the root logger."""
    stream = io.StringIO()
    described = describe_logging(level="DEBUG", log_format=log_format)
    described["handlers"]["stderr"]["stream"] = stream
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging.config.dictConfig(described)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def parse(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# --- the form of a line ---


def test_a_readable_line_says_for_whom_it_is() -> None:
    with written("line") as stream, bind_ids(run_id="r-1", stage="inspect", attempt=2):
        logger.info("hello")
    assert stream.getvalue().endswith("INFO tests.logs [run_id=r-1 stage=inspect attempt=2] hello\n")


def test_a_json_line_has_the_ids_as_fields_and_says_where_it_broke() -> None:
    with written("json") as stream, bind_ids(run_id="r-1"):
        try:
            raise ValueError("卵")
        except ValueError:
            logger.exception("it broke at %s", "卵")
    (line,) = parse(stream.getvalue())
    assert (line["severity"], line["logger"], line["run_id"]) == ("ERROR", "tests.logs", "r-1")
    assert line["message"] == "it broke at 卵"
    assert "ValueError: 卵" in line["exception"]
    assert line["time"].startswith("20")


@pytest.mark.parametrize("log_format", ["line", "json"])
def test_signatures_and_passwords_are_cut_from_messages_tracebacks_and_fields(log_format: LogFormat) -> None:
    with written(log_format) as stream:
        try:
            raise OSError(f"403 for {SIGNED}")
        except OSError:
            logger.exception("reading %s", SIGNED, extra={"url": SIGNED})
        logger.warning("cannot reach %s", "rediss://:hunter22@cache:6379/0")
    text = stream.getvalue()
    assert text.count("raw.mp4") >= 2
    assert "5f2aab" not in text
    assert "hunter22" not in text
    if log_format == "json":
        assert len(parse(text)) == 2


def test_ids_end_with_what_they_are_of_and_threads_take_them_along_only_when_asked() -> None:
    seen: list[dict[str, str]] = []
    with bind_ids(request_id="abcdefgh"):
        note_ids(session_id=7)
        for run in (lambda work: work(), copy_context().run):
            thread = threading.Thread(target=run, args=(lambda: seen.append(dict(read_ids())),))
            thread.start()
            thread.join()
    assert seen == [{}, {"request_id": "abcdefgh", "session_id": "7"}]
    assert dict(read_ids()) == {}
    with pytest.raises(ValueError, match="colour"):
        note_ids(colour="red")


def test_a_thread_that_begins_anew_keeps_nothing_of_before() -> None:
    def work() -> dict[str, str]:
        replace_ids(task_id="t")
        return dict(read_ids())

    with bind_ids(run_id="r-1"):
        assert copy_context().run(work) == {"task_id": "t"}


# --- requests ---


def test_a_request_has_an_id_that_its_line_and_its_answer_carry() -> None:
    with written("json") as stream:
        response = Client().get("/media/sessions/1/film.mp4?expires=1&signature=Zm9vYmFy")
    (line,) = [line for line in parse(stream.getvalue()) if line["logger"] == "coaching.web.request_log"]
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert line["message"].startswith(f"GET /media/sessions/1/film.mp4 {response.status_code} in ")
    assert "Zm9vYmFy" not in stream.getvalue()


@pytest.mark.parametrize(("given", "is_taken"), [("trace-0123456789", True), ("short", False), ("a\nb" * 9, False)])
def test_a_proxys_id_is_taken_where_it_has_the_form_of_one(given: str, is_taken: bool) -> None:
    answered = Client().get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert (answered == given) is is_taken
    assert len(answered) >= 8


def test_a_path_cannot_begin_a_line_of_its_own() -> None:
    with written("line") as stream:
        Client().put("/uploads/x%0A2026-11-22%20CRITICAL%20forged", data=b"")
    assert not [line for line in stream.getvalue().splitlines() if line.startswith("2026-11-22 CRITICAL")]


def test_the_token_of_an_upload_is_not_written_down() -> None:
    with written("line") as stream:
        Client().put("/uploads/9hX2_kQ-77aBcDeFgHiJkLmNoPqRsTuV", data=b"x")
    assert "/uploads/[redacted]" in stream.getvalue()
    assert "9hX2_kQ" not in stream.getvalue()


@pytest.mark.django_db
def test_what_a_learner_sends_is_in_no_line() -> None:
    secret = "tamago-no-himitsu"  # in Latin letters: percent-encoded it would be overlooked
    with written("json") as stream:
        Client().post("/api/auth/login/", {"email": f"{secret}@example.test", "password": secret}, "application/json")
        Client().post("/api/sessions/", {"dish": secret}, "application/json")
        Client().get(f"/api/dishes/?q={secret}")
    assert parse(stream.getvalue())
    assert secret not in stream.getvalue()


# --- stages, their threads and FFmpeg ---


def encode(job: StageJob) -> StageResult:
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=0.2", "-f", "null", "-"], cancel=job.cancel)
    with pytest.raises(MediaToolFailed) as raised:
        ffmpeg.run(["-i", f"{SIGNED.replace('https', 'nothing')}", "-f", "null", "-"], cancel=job.cancel)
    assert "5f2aab" not in raised.value.stderr_tail
    return StageResult(output={})


@pytest.mark.django_db(transaction=True)
def test_ffmpegs_lines_carry_the_run(settings: Settings, tmp_path: Path) -> None:
    settings.WORK_DIR = tmp_path
    run = runs.start_run(session=make_session())
    with written("json") as stream:
        assert execute_stage(run_id=run.id, stage=Stage.INSPECT, worker="w", work=encode) == StageState.DONE
    lines = parse(stream.getvalue())
    spoken = [line for line in lines if line["logger"].startswith("media_tools.ffmpeg")]
    assert next(line["message"].partition(" after ")[0].split()[1:] for line in spoken) == ["ended", "with", "0"]
    expected = (str(run.id), str(run.session_id), "inspect", "1")
    assert {(line["run_id"], line["session_id"], line["stage"], line["attempt"]) for line in lines} == {expected}
    assert len(spoken) == 2
    assert "5f2aab" not in stream.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_line_of_a_lease_that_is_lost_carries_the_run(settings: Settings, tmp_path: Path) -> None:
    settings.WORK_DIR, settings.STAGE_LEASE_SECONDS = tmp_path, 0.3
    run = runs.start_run(session=make_session())

    def wait_for_the_end(job: StageJob) -> StageResult:
        runs.cancel_run(run_id=run.id, reason="a test")
        assert job.cancel.wait(20)
        raise StageCancelled

    with written("json") as stream:
        assert execute_stage(run_id=run.id, stage=Stage.INSPECT, worker="w", work=wait_for_the_end) is None
    assert {line["run_id"] for line in parse(stream.getvalue())} == {str(run.id)}


@pytest.mark.django_db(transaction=True)
def test_one_string_leads_from_the_request_through_the_worker_to_small_rows_of_results(
    settings: Settings, tmp_path: Path
) -> None:
    with open_cluster(tmp_path, broker_url=settings.REDIS_URL, LOG_FORMAT="json") as cluster:
        cluster.start_worker(pool="threads")
        session: Session = make_session()
        run = runs.start_run(session=session)
        with written("json") as stream, bind_ids(request_id="asked-by-alice"):
            pipeline.publish(run.id, Stage.INSPECT)
        wait_for_state(run, RunState.COMPLETED)
        cluster.terminate("w1")
        # Celery greets in plain text, before any logging.
        lines = parse("\n".join(line for line in cluster.read_log("w1").splitlines() if line.startswith("{")))
    (asked,) = [line for line in parse(stream.getvalue()) if line["logger"] == "tasks.pipeline"]
    assert (asked["run_id"], asked["request_id"]) == (str(run.id), "asked-by-alice")
    told = [line for line in lines if line.get("run_id") == str(run.id)]
    assert [line["stage"] for line in told if line["message"].endswith(": done")] == [stage.value for stage in Stage]
    assert {line["request_id"] for line in told} == {"asked-by-alice"}
    assert len({line["task_id"] for line in told}) == len(Stage)
    rows = list(TaskResult.objects.all())
    results = [json.loads(row.result) for row in rows]
    assert sorted(result["stage"] for result in results) == sorted(Stage)
    assert {result["run"] for result in results} == {str(run.id)}
    assert {row.task_id for row in rows} == {line["task_id"] for line in told}
    assert not [row for row in rows if row.task_args or row.task_kwargs or row.traceback]
    assert max(len(row.result) + len(row.meta or "") for row in rows) < 300
