"""The durable chain under faults, with real workers, beat, PostgreSQL and Valkey. Numbers: the fault table.

L is the lease, W the watchdog's period. A condition is polled, never slept for.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from coaching.errors import Conflict, LeaseLost
from coaching.models import OutboxMail, PipelineRun, RunState, Session, SessionStatus, Stage, StageRun, StageState
from coaching.services import runs
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

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_goes_through_all_stages_in_order(cluster: Cluster) -> None:
    cluster.start_worker()
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


def test_01_a_killed_child_leads_to_a_second_attempt_and_one_effect(cluster: Cluster) -> None:
    cluster.order(Stage.ANALYSE, "kill_itself", "succeed")
    cluster.start_worker()
    cluster.start_beat()
    session = make_session()
    run = start(session)
    wait_for_state(run, RunState.COMPLETED)
    assert count_effects(session) == each_effect_once()
    row = read_stage(run, Stage.ANALYSE)
    assert (row.attempt, row.evictions, row.errors) == (2, 1, 0)
    assert [entry["outcome"] for entry in row.history] == ["evicted", "done"]


def test_02_a_killed_worker_is_made_up_for_by_another(cluster: Cluster) -> None:
    cluster.order(Stage.COMPOSE, "wait")
    cluster.start_worker("w1")
    cluster.start_beat()
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    cluster.kill("w1")
    cluster.release()
    cluster.start_worker("w2")
    wait_for_state(run, RunState.COMPLETED)
    assert count_effects(session) == each_effect_once()
    assert read_stage(run, Stage.COMPOSE).attempt == 2


def test_a_worker_killed_in_every_stage_still_gives_one_effect_each(open_test_cluster: Callable[..., Cluster]) -> None:
    cluster = open_test_cluster(STAGE_LEASE_SECONDS="1", REPUBLISH_AFTER_SECONDS="1")
    for stage in Stage:
        cluster.order(stage, "kill_itself", "succeed")
    cluster.start_worker(concurrency=2)
    cluster.start_beat()
    session = make_session()
    run = start(session)
    wait_for_state(run, RunState.COMPLETED, seconds=90)
    assert count_effects(session) == each_effect_once()
    assert {row.attempt for row in run.stages.all()} == {2}


def test_03_the_same_message_ten_times_is_one_execution(cluster: Cluster) -> None:
    session = make_session()
    run = start(session, publish=False)
    for _ in range(10):
        pipeline.publish(run.id, Stage.INSPECT)
    cluster.start_worker()
    wait_for_state(run, RunState.COMPLETED)
    wait_until(lambda: upkeep.count_broker_messages() == 0, what="all copies consumed")
    assert count_effects(session) == each_effect_once()
    assert {stage: cluster.count_executions(stage) for stage in Stage} == dict.fromkeys(Stage, 1)
    assert cluster.read_log("w1").count("not mine to run") >= 9


def test_04_a_visibility_timeout_shorter_than_the_stage_gives_one_effect(
    open_test_cluster: Callable[..., Cluster],
) -> None:
    cluster = open_test_cluster(VISIBILITY_TIMEOUT_SECONDS="1")
    cluster.order(Stage.COMPOSE, "wait")
    cluster.start_worker("w1")
    cluster.start_worker("w2")
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    with runs_published_again(run, Stage.COMPOSE, copies=3):
        cluster.release()
    wait_for_state(run, RunState.COMPLETED)
    assert count_effects(session) == each_effect_once()


class runs_published_again:  # noqa: N801  # reads as a sentence in a with statement
    """Duplicates of a running stage's message, all consumed before the block is entered."""

    def __init__(self, run: PipelineRun, stage: Stage, *, copies: int) -> None:
        for _ in range(copies):
            pipeline.publish(run.id, stage)

    def __enter__(self) -> None:
        wait_until(lambda: upkeep.count_broker_messages() <= 1, what="copies consumed")

    def __exit__(self, *_: object) -> None:
        pass


def test_05_a_worker_that_wakes_up_late_commits_nothing(cluster: Cluster) -> None:
    cluster.order(Stage.SCRIPT, "wait_deaf", "succeed")
    cluster.start_worker("sleeper")
    cluster.start_beat()
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.SCRIPT)
    sleeping = cluster.list_children("sleeper")
    for process in sleeping:
        process.suspend()
    cluster.start_worker("awake")
    wait_for_state(run, RunState.COMPLETED)
    winner = read_stage(run, Stage.SCRIPT)
    cluster.release()
    for process in sleeping:
        process.resume()
    wait_until(lambda: "is not the newest" in cluster.read_log("sleeper"), what="the stale commit refused")
    assert count_effects(session) == each_effect_once()
    assert read_stage(run, Stage.SCRIPT).output == winner.output == {"fence": 2}


def test_06_a_wiped_broker_loses_nothing(cluster: Cluster) -> None:
    sessions = [make_session() for _ in range(50)]
    started = [start(session) for session in sessions]
    cluster.connect_broker().flushdb()
    cluster.start_worker(concurrency=2)
    cluster.start_beat()
    for run in started:
        wait_for_state(run, RunState.COMPLETED, seconds=90)
    assert all(count_effects(session) == each_effect_once() for session in sessions)


def test_09_a_crash_between_commit_and_publication_is_made_up_for(cluster: Cluster) -> None:
    session = make_session()
    run = start(session, publish=False)
    cluster.start_worker()
    cluster.start_beat()
    wait_for_state(run, RunState.COMPLETED)
    assert count_effects(session) == each_effect_once()


def test_10_a_stage_that_kills_every_worker_fails_at_its_cap(open_test_cluster: Callable[..., Cluster]) -> None:
    cluster = open_test_cluster(STAGE_MAX_EVICTIONS="2", STAGE_LEASE_SECONDS="1")
    cluster.order(Stage.ANALYSE, "kill_itself")
    cluster.start_worker()
    cluster.start_beat()
    session = make_session()
    run = start(session)
    wait_for_state(run, RunState.FAILED)
    session.refresh_from_db()
    assert session.status == SessionStatus.FAILED
    assert session.pipeline_error
    assert cluster.count_executions(Stage.ANALYSE) == 2
    assert cluster.count_executions(Stage.RETRIEVE) == 0
    assert OutboxMail.objects.filter(session=session, kind="film_failed").count() == 1


def test_11_a_short_stage_survives_a_soft_shutdown_in_its_first_attempt(cluster: Cluster) -> None:
    cluster.order(Stage.COMPOSE, "wait")
    cluster.start_worker()
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    stopping = threading.Thread(target=cluster.terminate, args=("w1",))
    stopping.start()
    wait_until(lambda: "warm shutdown" in cluster.read_log("w1").lower(), what="the shutdown heard")
    cluster.release()
    stopping.join(60)
    assert read_stage(run, Stage.COMPOSE).state == StageState.DONE
    assert read_stage(run, Stage.COMPOSE).attempt == 1


def test_13_a_429_waits_as_long_as_it_was_asked_to(cluster: Cluster) -> None:
    cluster.order(Stage.ANALYSE, "429", "succeed")
    cluster.start_worker()
    cluster.start_beat()
    session = make_session()
    run = start(session)
    wait_until(lambda: read_stage(run, Stage.ANALYSE).errors == 1, what="the 429 recorded")
    waiting = read_stage(run, Stage.ANALYSE)
    assert waiting.finished_at is not None
    wait_for_state(run, RunState.COMPLETED)
    done = read_stage(run, Stage.ANALYSE)
    assert done.started_at is not None
    assert done.started_at - waiting.finished_at >= timedelta(seconds=2)
    assert count_effects(session) == each_effect_once()


def test_14_a_cancelled_run_ends_ffmpeg_and_starts_nothing_more(cluster: Cluster) -> None:
    cluster.order(Stage.COMPOSE, "ffmpeg")
    cluster.start_worker()
    session = make_session()
    run = start(session)

    def find_ffmpeg() -> list[psutil.Process]:
        return [p for p in cluster.list_children("w1") if "testsrc2" in " ".join(p.cmdline())]

    wait_until(find_ffmpeg, what="ffmpeg running")
    processes = find_ffmpeg()
    pipeline.cancel(session_id=session.pk, order=Order(actor=None, reason="a test"))
    cancelled_at = time.monotonic()
    wait_until(lambda: not any(p.is_running() for p in processes), seconds=30, what="ffmpeg dead")
    assert time.monotonic() - cancelled_at <= LEASE_SECONDS / 3 + 1 + 1  # one second more for this test's own polling
    wait_until(lambda: "taken away" in cluster.read_log("w1"))
    assert count_effects(session)["compose"] == 0
    assert cluster.count_executions(Stage.DELIVER) == 0
    assert read_stage(run, Stage.COMPOSE).state == StageState.CANCELLED


def test_15_a_rerun_fences_out_the_copy_that_runs(cluster: Cluster) -> None:
    cluster.order(Stage.COMPOSE, "wait_deaf", "wait_deaf")
    cluster.start_worker("w1", concurrency=2)
    session = make_session()
    first = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    with pytest.raises(Conflict):
        pipeline.rerun(session_id=session.pk, first_stage=Stage.COMPOSE, order=Order(actor=None))
    second = pipeline.rerun(session_id=session.pk, first_stage=Stage.COMPOSE, order=Order(actor=None), supersede=True)
    cluster.wait_for_execution(Stage.COMPOSE, 2)
    cluster.release()
    wait_for_state(second, RunState.COMPLETED)
    wait_until(lambda: "is not the newest" in cluster.read_log("w1"), what="the old copy fenced out")
    assert count_effects(session) == each_effect_once()
    assert PipelineRun.objects.get(pk=first.pk).state == RunState.CANCELLED
    assert cluster.count_executions(Stage.NARRATE) == 1


def test_17_two_watchdogs_sweep_each_row_once(cluster: Cluster) -> None:
    started = [start(make_session(), publish=False) for _ in range(20)]
    StageRun.objects.filter(run__in=started, stage=Stage.INSPECT).update(publications=0, due_at=timezone.now())
    barrier, swept = threading.Barrier(2), list[runs.StagePointer]()

    def sweep() -> None:
        barrier.wait()
        swept.extend(runs.take_due_stages(count_broker_messages=upkeep.count_broker_messages))
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(due.run_id) for due in swept) == sorted(str(run.id) for run in started)


def test_18_an_honest_backlog_is_not_published_again(cluster: Cluster, settings: object) -> None:
    started = [start(make_session()) for _ in range(100)]
    StageRun.objects.filter(run__in=started, stage=Stage.INSPECT).update(due_at=timezone.now() - timedelta(seconds=60))
    assert upkeep.count_broker_messages() == 100
    assert runs.take_due_stages(count_broker_messages=upkeep.count_broker_messages) == []


def test_a_permanent_error_fails_at_once_with_words_for_both_readers(cluster: Cluster) -> None:
    cluster.order(Stage.INSPECT, "refuse")
    cluster.start_worker()
    session = make_session()
    run = start(session)
    wait_for_state(run, RunState.FAILED)
    row = read_stage(run, Stage.INSPECT)
    assert (row.attempt, row.errors, row.error_class) == (1, 1, "PermanentError")
    assert row.error_message == "a permanent fault"
    session.refresh_from_db()
    assert session.pipeline_error == "別の動画でお試しください。"


def test_a_bug_is_recorded_retried_and_ends_at_the_cap(open_test_cluster: Callable[..., Cluster]) -> None:
    cluster = open_test_cluster(STAGE_MAX_ATTEMPTS="2")
    cluster.order(Stage.RETRIEVE, "bug")
    cluster.start_worker()
    cluster.start_beat()
    run = start(make_session())
    wait_for_state(run, RunState.FAILED)
    row = read_stage(run, Stage.RETRIEVE)
    assert (row.attempt, row.errors) == (2, 2)
    assert row.error_class == "RuntimeError"
    assert "a bug" in cluster.read_log("w1")


def test_a_failed_rerun_leaves_the_learner_the_film(cluster: Cluster) -> None:
    cluster.start_worker()
    session = make_session()
    run = start(session)
    wait_for_state(run, RunState.COMPLETED)
    Session.objects.filter(pk=session.pk).update(
        coaching_video_gcs_path="films/first.mp4", status=SessionStatus.COMPLETED
    )
    before = {row.stage: row.finished_at for row in run.stages.all()}
    cluster.order(Stage.COMPOSE, "refuse")
    second = pipeline.rerun(session_id=session.pk, first_stage=Stage.SCRIPT, order=Order(actor=None))
    wait_for_state(second, RunState.FAILED)
    session.refresh_from_db()
    assert (session.status, session.coaching_video_gcs_path) == (SessionStatus.COMPLETED, "films/first.mp4")
    kept = [read_stage(second, stage) for stage in (Stage.INSPECT, Stage.LISTEN, Stage.ANALYSE, Stage.RETRIEVE)]
    assert all(row.state == StageState.DONE and row.finished_at == before[row.stage] for row in kept)
    assert cluster.count_executions(Stage.ANALYSE) == 1
    assert cluster.count_executions(Stage.SCRIPT) == 2


def test_a_stale_commit_changes_nothing(transactional_db: None) -> None:
    run = start(make_session(), publish=False)
    old = runs.claim_stage(run_id=run.id, stage=Stage.INSPECT, worker="a")
    assert old is not None
    StageRun.objects.filter(run=run, stage=Stage.INSPECT).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert runs.expire_leases() == 1
    new = runs.claim_stage(run_id=run.id, stage=Stage.INSPECT, worker="b")
    assert new is not None
    assert new.fence == old.fence + 1
    effects: list[str] = []
    with pytest.raises(LeaseLost):
        runs.commit_stage(old, output={"by": "old"}, effect=lambda: effects.append("old"))
    with pytest.raises(LeaseLost):
        runs.fail_stage(old, RuntimeError("late"))
    assert not runs.renew_lease(old)
    runs.commit_stage(new, output={"by": "new"}, effect=lambda: effects.append("new"))
    assert effects == ["new"]
    assert read_stage(run, Stage.INSPECT).output == {"by": "new"}
