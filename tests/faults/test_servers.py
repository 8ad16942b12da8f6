"""PostgreSQL, Valkey and the object store go away and come back, while workers run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from coaching.models import RunState, Stage, StageState
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
from tests.faults.servers import hold_down, restart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
Saw = Callable[[str], None]
OpenCluster = Callable[..., Cluster]


@pytest.mark.fault("7", "Redis restarted with its append-only file", "running stage completes once; the backlog drains")
def test_a_restarted_broker_keeps_its_backlog(cluster: Cluster, saw: Saw) -> None:
    cluster.order(Stage.COMPOSE, "wait")
    cluster.start_worker(concurrency=2)
    cluster.start_beat()
    running = make_session()
    first = start(running)
    cluster.wait_for_execution(Stage.COMPOSE, session=running)
    waiting = [make_session() for _ in range(10)]
    backlog = [start(session) for session in waiting]
    restart("valkey")
    cluster.release()
    for run in (first, *backlog):
        wait_for_state(run, RunState.COMPLETED, seconds=120)
    assert all(count_effects(session) == each_effect_once() for session in (running, *waiting))
    assert read_stage(first, Stage.COMPOSE).attempt == 1
    saw(f"the running stage: attempt 1; {len(backlog)} of {len(backlog)} of the backlog done, each effect once")


@pytest.mark.fault("8", "Redis down during an upload", "the submit succeeds, the row stays queued, published on return")
def test_a_submit_without_a_broker_is_published_when_it_returns(cluster: Cluster, saw: Saw) -> None:
    cluster.start_worker()
    cluster.start_beat()
    session = make_session()
    with hold_down("valkey"):
        run = start(session)
        assert read_stage(run, Stage.INSPECT).state == StageState.QUEUED
    wait_for_state(run, RunState.COMPLETED, seconds=120)
    assert count_effects(session) == each_effect_once()
    assert cluster.is_alive("w1")
    saw("submitted without a broker, published by the watchdog, each effect once; the same worker")


@pytest.mark.fault("16", "PostgreSQL down for longer than L", "the heartbeat fails; commit fenced; one clean re-run")
def test_a_database_away_for_longer_than_the_lease_costs_one_rerun(cluster: Cluster, saw: Saw) -> None:
    cluster.order(Stage.COMPOSE, "ffmpeg", "succeed")
    cluster.start_worker(concurrency=2)
    cluster.start_beat()
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    connection.close()
    with hold_down("postgres"):
        wait_until(lambda: "cannot renew the lease" in cluster.read_log("w1"), what="the outage noticed")
        wait_until(
            lambda: not cluster.list_ffmpegs("w1"),
            seconds=LEASE_SECONDS * 5,
            what="FFmpeg ended with its lease",
        )
    wait_for_state(run, RunState.COMPLETED, seconds=120)
    row = read_stage(run, Stage.COMPOSE)
    assert (row.attempt, row.evictions) == (2, 1)
    assert count_effects(session) == each_effect_once()
    saw("FFmpeg ended when the lease had run out unseen; attempt 2, each effect once")


@pytest.mark.fault("postgres", "PostgreSQL restarted in mid-run", "the work is kept: the commit waits; one attempt")
def test_a_restart_of_the_database_costs_no_attempt(cluster: Cluster, saw: Saw) -> None:
    cluster.order(Stage.COMPOSE, "wait")
    cluster.start_worker(concurrency=2)
    cluster.start_beat()
    session = make_session()
    run = start(session)
    cluster.wait_for_execution(Stage.COMPOSE)
    connection.close()
    with hold_down("postgres"):
        cluster.release()
        wait_until(lambda: "cannot commit yet" in cluster.read_log("w1"), what="a commit without a database")
    wait_for_state(run, RunState.COMPLETED, seconds=120)
    row = read_stage(run, Stage.COMPOSE)
    assert (row.attempt, row.errors, row.evictions) == (1, 0, 0)
    assert count_effects(session) == each_effect_once()
    saw("the commit waited for it: attempt 1, no error, each effect once")


@pytest.mark.fault("store", "object store unreachable for 60 s", "retried with the usual pauses, then done")
def test_a_store_away_for_a_minute_costs_no_run(open_test_cluster: OpenCluster, saw: Saw) -> None:
    """The product's own pauses; the store's folder is a file for a minute, which no write survives."""
    cluster = open_test_cluster(STAGE_RETRY_BASE_SECONDS="5")
    cluster.order(Stage.COMPOSE, "keep_object")
    objects = Path(cluster.environment["VAR_FOLDER"]) / "objects"
    objects.parent.mkdir(parents=True, exist_ok=True)
    objects.write_text("no folder")
    cluster.start_worker()
    cluster.start_beat()
    session = make_session()
    run = start(session)

    def is_over() -> bool:
        history = read_stage(run, Stage.COMPOSE).history
        return bool(history) and seconds_since(run, history[0]["ended_at"]) >= 60

    wait_until(is_over, seconds=120, what="a minute of outage")
    objects.unlink()
    wait_for_state(run, RunState.COMPLETED, seconds=180)
    row = read_stage(run, Stage.COMPOSE)
    assert {entry["error"].partition(":")[0] for entry in row.history[:-1]} == {"StoreUnavailable"}
    assert count_effects(session) == each_effect_once()
    saw(f"{row.errors} attempts met StoreUnavailable in 60 s, attempt {row.attempt} done")


def seconds_since(run: object, moment: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM statement_timestamp() - %s::timestamptz)", [moment])
        return float(cursor.fetchone()[0])
