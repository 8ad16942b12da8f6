"""Faults of single stages, all sent through one worker of three processes and one beat that stand for the module."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from coaching.errors import Conflict
from coaching.models import PipelineRun, RunState, Session, SessionStatus, Stage, StageState
from coaching.services.steering import Order
from tasks import pipeline, upkeep
from tests.faults.cluster import (
    LEASE_SECONDS,
    Cluster,
    count_effects,
    each_effect_once,
    make_session,
    read_stage,
    start,
    wait_for_state,
    wait_until,
)

Saw = Callable[[str], None]


def test_a_run_goes_through_all_stages_in_order(standing: Cluster) -> None:
    session = make_session()
    run = start(session)
    wait_for_state(run, RunState.COMPLETED)
    assert count_effects(session) == each_effect_once()
    stages = list(run.stages.order_by("position"))
    assert [row.state for row in stages] == [StageState.DONE] * 8
    ends = [row.finished_at for row in stages if row.finished_at]
    assert len(ends) == 8
    assert ends == sorted(ends)
    assert all(row.attempt == 1 and row.lease_until is None for row in stages)


@pytest.mark.fault("1", "SIGKILL of the pool's child in mid-stage", "done; attempt 2, one effect")
def test_a_killed_child_leads_to_a_second_attempt_and_one_effect(standing: Cluster, saw: Saw) -> None:
    session = make_session()
    standing.order(Stage.ANALYSE, "kill_itself", "succeed", session=session)
    run = start(session)
    wait_for_state(run, RunState.COMPLETED)
    assert count_effects(session) == each_effect_once()
    row = read_stage(run, Stage.ANALYSE)
    assert (row.attempt, row.evictions, row.errors) == (2, 1, 0)
    assert [entry["outcome"] for entry in row.history] == ["evicted", "done"]
    saw(f"attempt {row.attempt}, {row.evictions} eviction, {row.errors} errors, each effect once")


@pytest.mark.fault("3", "the same message ten times", "one execution, nine ignored")
def test_the_same_message_ten_times_is_one_execution(standing: Cluster, saw: Saw) -> None:
    session = make_session()
    run = start(session, publish=False)
    for _ in range(10):
        pipeline.publish(run.id, Stage.INSPECT)
    wait_for_state(run, RunState.COMPLETED)
    wait_until(lambda: upkeep.count_broker_messages() == 0, what="every copy was taken and acknowledged")
    assert count_effects(session) == each_effect_once()
    assert {stage: standing.count_executions(stage, session) for stage in Stage} == dict.fromkeys(Stage, 1)
    refused = standing.read_log("w1").count(f"inspect of run {run.id}: not mine to run")
    saw(f"1 execution, {refused} ignored")


@pytest.mark.fault("9", "crash between commit and publication", "the stage starts once the gate fires")
def test_a_crash_between_commit_and_publication_is_made_up_for(standing: Cluster, saw: Saw) -> None:
    session = make_session()
    run = start(session, publish=False)
    wait_for_state(run, RunState.COMPLETED)
    assert count_effects(session) == each_effect_once()
    saw("published by the watchdog, each effect once")


@pytest.mark.fault("13", "429 with Retry-After", "due_at at least that far ahead; the slot free; then done")
def test_a_429_waits_as_long_as_it_was_asked_to(standing: Cluster, saw: Saw) -> None:
    session = make_session()
    standing.order(Stage.ANALYSE, "429", "succeed", session=session)
    run = start(session)
    wait_until(lambda: read_stage(run, Stage.ANALYSE).errors == 1, what="the 429 recorded")
    waiting = read_stage(run, Stage.ANALYSE)
    assert waiting.finished_at is not None
    assert waiting.state == StageState.QUEUED
    wait_for_state(run, RunState.COMPLETED)
    done = read_stage(run, Stage.ANALYSE)
    assert done.started_at is not None
    pause = done.started_at - waiting.finished_at
    assert pause >= timedelta(seconds=2)
    assert count_effects(session) == each_effect_once()
    saw(f"asked for 2 s, waited {pause.total_seconds():.1f} s in the database, then done")


@pytest.mark.fault("14", "cancel in mid-FFmpeg", "process dead within L/3 + 1 s; no effect, no next stage")
def test_a_cancelled_run_ends_ffmpeg_and_starts_nothing_more(standing: Cluster, saw: Saw) -> None:
    session = make_session()
    standing.order(Stage.COMPOSE, "ffmpeg", session=session)
    run = start(session)

    wait_until(lambda: standing.list_ffmpegs("w1"), what="ffmpeg running")
    pipeline.cancel(session_id=session.pk, order=Order(actor=None, reason="a test"))
    cancelled_at = time.monotonic()
    wait_until(lambda: not standing.list_ffmpegs("w1"), seconds=30, what="ffmpeg dead")
    seconds = time.monotonic() - cancelled_at
    assert seconds <= LEASE_SECONDS / 3 + 1 + 1  # one second more for this test's own polling
    wait_until(lambda: f"compose of run {run.id}: stopped" in standing.read_log("w1"), what="the stage stopped")
    assert count_effects(session)["compose"] == 0
    assert standing.count_executions(Stage.DELIVER, session) == 0
    row = read_stage(run, Stage.COMPOSE)
    assert row.state == StageState.CANCELLED
    assert [entry["outcome"] for entry in row.history] == ["cancelled"]
    assert read_stage(run, Stage.DELIVER).history == []
    saw(f"dead after {seconds:.1f} s (L = {LEASE_SECONDS:g} s), no effect, deliver never ran")


@pytest.mark.fault("15", "re-run of stage k while k runs", "the old copy is fenced out; one current result")
def test_a_rerun_fences_out_the_copy_that_runs(standing: Cluster, saw: Saw) -> None:
    session = make_session()
    standing.order(Stage.COMPOSE, "wait_deaf", "wait_deaf", session=session)
    first = start(session)
    standing.wait_for_execution(Stage.COMPOSE, session=session)
    with pytest.raises(Conflict):
        pipeline.rerun(session_id=session.pk, first_stage=Stage.COMPOSE, order=Order(actor=None))
    second = pipeline.rerun(session_id=session.pk, first_stage=Stage.COMPOSE, order=Order(actor=None), supersede=True)
    standing.wait_for_execution(Stage.COMPOSE, 2, session=session)
    standing.release(session)
    wait_for_state(second, RunState.COMPLETED)
    fenced_out = f"compose of run {first.id}: fence 1 is not the newest"
    wait_until(lambda: fenced_out in standing.read_log("w1"), what="the old copy fenced out")
    assert count_effects(session) == each_effect_once()
    assert PipelineRun.objects.get(pk=first.pk).state == RunState.CANCELLED
    assert standing.count_executions(Stage.NARRATE, session) == 1
    saw("the old commit changed 0 rows, the new run completed, each effect once")


def test_a_permanent_error_fails_at_once_with_words_for_both_readers(standing: Cluster) -> None:
    session = make_session()
    standing.order(Stage.INSPECT, "refuse", session=session)
    run = start(session)
    wait_for_state(run, RunState.FAILED)
    row = read_stage(run, Stage.INSPECT)
    assert (row.attempt, row.errors, row.error_class) == (1, 1, "PermanentError")
    assert row.error_message == "a permanent fault"
    session.refresh_from_db()
    assert session.pipeline_error == "別の動画でお試しください。"


def test_a_bug_is_recorded_and_retried(standing: Cluster) -> None:
    session = make_session()
    standing.order(Stage.RETRIEVE, "bug", "succeed", session=session)
    run = start(session)
    wait_for_state(run, RunState.COMPLETED)
    row = read_stage(run, Stage.RETRIEVE)
    assert (row.attempt, row.errors) == (2, 1)
    assert row.history[0]["error"] == "RuntimeError: a bug"
    assert "a bug" in standing.read_log("w1")


@pytest.mark.fault("limit", "a stage past its time limit", "stopped, a counted error that says so; tried again")
def test_a_stage_past_its_time_limit_is_stopped_and_tried_again(standing: Cluster, saw: Saw) -> None:
    session = make_session()
    standing.order(Stage.NARRATE, "ffmpeg", "succeed", session=session)
    run = start(session)
    wait_for_state(run, RunState.COMPLETED)
    row = read_stage(run, Stage.NARRATE)
    assert (row.attempt, row.errors, row.evictions) == (2, 1, 0)
    assert row.history[0]["error"] == "StageTimedOut: narrate ran longer than its limit of 2 s and was stopped"
    assert not standing.list_ffmpegs("w1")
    assert count_effects(session) == each_effect_once()
    saw("FFmpeg dead, StageTimedOut in the history, attempt 2 done")


@pytest.mark.fault("limit", "a stage past its time limit", "stopped, a counted error that says so; tried again")
def test_work_that_does_not_stop_at_its_limit_is_given_up(standing: Cluster, saw: Saw) -> None:
    session = make_session()
    standing.order(Stage.SCRIPT, "wait_deaf", "succeed", session=session)
    run = start(session)
    wait_until(lambda: read_stage(run, Stage.SCRIPT).errors == 1, what="the overrun recorded")
    standing.release(session)  # before Celery's own limit, the last resort, kills the process
    wait_for_state(run, RunState.COMPLETED)
    row = read_stage(run, Stage.SCRIPT)
    assert (row.attempt, row.errors, row.evictions, row.output) == (2, 1, 0, {"fence": 2})
    refused = f"script of run {run.id}: fence 1 is not the newest"
    wait_until(lambda: refused in standing.read_log("w1"), what="the late commit refused")
    assert count_effects(session) == each_effect_once()
    saw("deaf work: the row went on, its late commit changed 0 rows")


@pytest.mark.fault("disk", "disk full in compose", "a counted error with FFmpeg's words; done once there is space")
@pytest.mark.parametrize(
    ("order", "words"),
    [
        pytest.param("disk_full", "No space left on device", id="ffmpeg"),
        pytest.param("python_disk_full", "No space left on device", id="python"),
    ],
)
def test_a_full_disk_fails_the_attempt_and_leaves_nothing(standing: Cluster, saw: Saw, order: str, words: str) -> None:
    session = make_session()
    standing.order(Stage.COMPOSE, order, "succeed", session=session)
    run = start(session)
    wait_until(lambda: read_stage(run, Stage.COMPOSE).errors == 1, what="the full disk recorded")
    failed = read_stage(run, Stage.COMPOSE)
    assert words in failed.error_message + failed.error_stderr
    wait_for_state(run, RunState.COMPLETED)
    assert read_stage(run, Stage.COMPOSE).attempt == 2
    assert count_effects(session) == each_effect_once()
    work = standing.folder / "var" / "work"
    assert not [folder for folder in work.iterdir() if str(run.id) in folder.name]
    saw(f"{order}: {failed.error_class}, '{words}' kept for the operator, attempt 2 done")


def test_a_rerun_keeps_the_learners_film_until_the_new_one_is_whole(standing: Cluster) -> None:
    session = make_session()
    run = start(session)
    wait_for_state(run, RunState.COMPLETED)
    Session.objects.filter(pk=session.pk).update(
        coaching_video_gcs_path="films/first.mp4", status=SessionStatus.COMPLETED
    )
    before = {row.stage: row.finished_at for row in run.stages.all()}
    standing.order(Stage.COMPOSE, "refuse", session=session)
    standing.order(Stage.SCRIPT, "wait", session=session)
    second = pipeline.rerun(session_id=session.pk, first_stage=Stage.SCRIPT, order=Order(actor=None))
    standing.wait_for_execution(Stage.SCRIPT, 2, session=session)
    session.refresh_from_db()
    assert (session.status, session.coaching_video_gcs_path) == (SessionStatus.PROCESSING, "films/first.mp4")
    standing.release(session)
    wait_for_state(second, RunState.FAILED)
    session.refresh_from_db()
    assert (session.status, session.coaching_video_gcs_path) == (SessionStatus.COMPLETED, "films/first.mp4")
    kept = [read_stage(second, stage) for stage in (Stage.INSPECT, Stage.LISTEN, Stage.ANALYSE, Stage.RETRIEVE)]
    assert all(row.state == StageState.DONE and row.finished_at == before[row.stage] for row in kept)
    assert standing.count_executions(Stage.ANALYSE, session) == 1
    assert standing.count_executions(Stage.SCRIPT, session) == 2
