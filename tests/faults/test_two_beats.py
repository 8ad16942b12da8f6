"""Two beats, and machines whose clocks disagree, in processes of their own."""

from collections.abc import Callable

import pytest

from coaching.models import RunState, Stage
from tests.faults.cluster import (
    Cluster,
    count_effects,
    each_effect_once,
    make_session,
    read_stage,
    start,
    wait_for_state,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]


@pytest.mark.fault("two beats", "two beats tick at once", "the watchdog works once a tick")
def test_two_beats_repeat_nothing(cluster: Cluster, saw: Callable[[str], None]) -> None:
    cluster.order(Stage.ANALYSE, "kill_itself", "succeed")
    cluster.start_worker(concurrency=2)
    cluster.start_beat("beat1")
    cluster.start_beat("beat2")
    sessions = [make_session() for _ in range(10)]
    started = [start(session, publish=False) for session in sessions]
    for run in started:
        wait_for_state(run, RunState.COMPLETED, seconds=120)
    assert all(count_effects(session) == each_effect_once() for session in sessions)
    attempts = [read_stage(run, Stage.ANALYSE).attempt for run in started]
    assert set(attempts) == {2}
    saw(f"{len(started)} runs, each killed once: {sum(attempts)} attempts, each effect once")


@pytest.mark.fault("clock", "the database's clock jumps an hour", "nothing lost, nothing doubled, no hour of waiting")
@pytest.mark.parametrize("hours", [1, -1], ids=["ahead", "behind"])
def test_a_worker_whose_clock_is_an_hour_off_works_on(cluster: Cluster, saw: Callable[[str], None], hours: int) -> None:
    cluster.order(Stage.ANALYSE, "kill_itself", "succeed")
    cluster.start_beat()
    cluster.start_worker(concurrency=2, FAULT_CLOCK_AHEAD_SECONDS=str(hours * 3600))
    session = make_session()
    run = start(session, publish=False)
    wait_for_state(run, RunState.COMPLETED, seconds=120)
    assert count_effects(session) == each_effect_once()
    assert read_stage(run, Stage.ANALYSE).attempt == 2
    saw(f"a worker {hours:+d} h off took beat's ticks and each stage, each effect once")
