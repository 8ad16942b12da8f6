"""Workers that die, sleep and are told to stop, each with workers of its own."""

import signal
import threading
from collections.abc import Callable

import pytest

from coaching.models import OutboxMail, RunState, SessionStatus, Stage, StageState
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
Saw = Callable[[str], None]
OpenCluster = Callable[..., Cluster]


@pytest.mark.fault("2", "SIGKILL of the whole worker", "done by another; attempt 2, one effect")
def test_a_killed_worker_is_made_up_for_by_another(cluster: Cluster, saw: Saw) -> None:
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
    row = read_stage(run, Stage.COMPOSE)
    assert (row.attempt, row.evictions, row.errors) == (2, 1, 0)
    saw("attempt 2, 1 eviction, 0 errors, each effect once")


@pytest.mark.long
def test_a_worker_killed_in_every_stage_still_gives_one_effect_each(open_test_cluster: OpenCluster) -> None:
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


@pytest.mark.long
@pytest.mark.fault("4", "visibility timeout shorter than the stage", "one effect; later copies dropped")
def test_a_visibility_timeout_shorter_than_the_stage_gives_one_effect(open_test_cluster: OpenCluster, saw: Saw) -> None:
    cluster = open_test_cluster(VISIBILITY_TIMEOUT_SECONDS="1")
    cluster.order(Stage.COMPOSE, "wait")
    cluster.start_worker("w1")
    cluster.start_worker("w2")
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    for _ in range(3):
        pipeline.publish(run.id, Stage.COMPOSE)
    wait_until(lambda: upkeep.count_broker_messages() <= 1, what="copies consumed")
    cluster.release()
    wait_for_state(run, RunState.COMPLETED)
    assert count_effects(session) == each_effect_once()
    saw(f"{cluster.count_executions(Stage.COMPOSE)} execution, each effect once")


@pytest.mark.long
@pytest.mark.fault("5", "a worker that sleeps for 2 L and wakes up", "the stale commit changes 0 rows")
def test_a_worker_that_wakes_up_late_commits_nothing(cluster: Cluster, saw: Saw) -> None:
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
    saw("SIGSTOP, SIGCONT: 'is not the newest', fence 2's output stays")


@pytest.mark.long
@pytest.mark.fault("10", "out of memory every time", "`failed` after the cap; never loops; the tail never runs")
def test_a_stage_that_kills_every_worker_fails_at_its_cap(open_test_cluster: OpenCluster, saw: Saw) -> None:
    cluster = open_test_cluster(STAGE_MAX_EVICTIONS="2", STAGE_LEASE_SECONDS="1.5")
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
    saw("failed after 2 of 2 evictions, retrieve never ran, one mail")


@pytest.mark.long
@pytest.mark.fault("11", "SIGTERM, stage shorter than the soft timeout", "finishes, attempt 1")
def test_a_short_stage_survives_a_soft_shutdown_in_its_first_attempt(cluster: Cluster, saw: Saw) -> None:
    cluster.order(Stage.COMPOSE, "wait")
    cluster.start_worker(REMAP_SIGTERM="SIGQUIT", WORKER_SOFT_SHUTDOWN_SECONDS="60")
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    stopping = threading.Thread(target=cluster.terminate, args=("w1",))
    stopping.start()
    wait_until(lambda: "soft shutdown" in cluster.read_log("w1").lower(), what="the shutdown heard")
    cluster.release()
    stopping.join(180)
    row = read_stage(run, Stage.COMPOSE)
    assert (row.state, row.attempt) == (StageState.DONE, 1)
    saw("done in attempt 1, the worker ended by itself")


@pytest.mark.long
@pytest.mark.fault("12", "SIGTERM, stage longer than the soft timeout", "requeued; again within L + W; one effect")
def test_a_long_stage_is_taken_up_by_another_after_a_soft_shutdown(cluster: Cluster, saw: Saw) -> None:
    cluster.order(Stage.COMPOSE, "ffmpeg", "succeed")
    cluster.start_worker("w1", REMAP_SIGTERM="SIGQUIT", WORKER_SOFT_SHUTDOWN_SECONDS="2")
    cluster.start_beat()
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    children = cluster.list_children("w1")
    cluster.terminate("w1", signal.SIGTERM)
    assert not [child for child in children if child.is_running()]
    cluster.start_worker("w2")
    wait_for_state(run, RunState.COMPLETED)
    row = read_stage(run, Stage.COMPOSE)
    assert (row.attempt, row.errors) == (2, 0)
    assert row.history[0]["outcome"] == "evicted"
    assert count_effects(session) == each_effect_once()
    saw(f"attempt 2 after at most L + W = {LEASE_SECONDS + 0.5:g} s, one effect, FFmpeg dead")


@pytest.mark.long
def test_a_bug_that_stays_ends_at_the_cap(open_test_cluster: OpenCluster) -> None:
    cluster = open_test_cluster(STAGE_MAX_ATTEMPTS="2")
    cluster.order(Stage.RETRIEVE, "bug")
    cluster.start_worker()
    cluster.start_beat()
    run = start(make_session())
    wait_for_state(run, RunState.FAILED)
    row = read_stage(run, Stage.RETRIEVE)
    assert (row.attempt, row.errors, row.error_class) == (2, 2, "RuntimeError")


@pytest.mark.fault("6", "FLUSHALL with 50 queued", "all 50 done, 0 doubled")
@pytest.mark.parametrize("count", [8, pytest.param(50, marks=pytest.mark.long)])
def test_a_wiped_broker_loses_nothing(cluster: Cluster, saw: Saw, count: int) -> None:
    sessions = [make_session() for _ in range(count)]
    started = [start(session) for session in sessions]
    cluster.connect_broker().flushall()
    cluster.start_worker(concurrency=2)
    cluster.start_beat()
    for run in started:
        wait_for_state(run, RunState.COMPLETED, seconds=180)
    assert all(count_effects(session) == each_effect_once() for session in sessions)
    saw(f"{count} of {count} done, each effect once")
