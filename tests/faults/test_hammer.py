"""Everything at once, and an honest backlog beside it; the figures of `make faults`."""

from collections.abc import Callable

import pytest

from coaching.models import Stage, StageRun
from tests.faults.cluster import Cluster, make_session, start, wait_until
from tests.faults.hammer import Hammer, count_outcome, wait_for_the_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

SESSIONS = 500
WORKERS = ("w1", "w2", "w3")


@pytest.mark.timeout(2400)
@pytest.mark.fault(
    "hammer", "500 sessions under kills, stops, wipes, losses, doubles", "4000 effects, 0 twice, 0 missing"
)
def test_the_hammer_doubles_nothing_and_loses_nothing(
    open_test_cluster: Callable[..., Cluster], saw: Callable[[str], None], measured: Callable[..., None]
) -> None:
    cluster = open_test_cluster(
        VISIBILITY_TIMEOUT_SECONDS="3",
        STAGE_MAX_EVICTIONS="100",
        STAGE_MAX_ATTEMPTS="100",
        REPUBLISH_HARD_AGE_SECONDS="60",
        STAGE_RETRY_CAP_SECONDS="2",
    )
    for stage in Stage:
        cluster.order(stage, "sometimes")
    for name in WORKERS:
        cluster.start_worker(name, concurrency=3)
    cluster.start_beat("beat1")
    cluster.start_beat("beat2")
    hammer = Hammer(cluster=cluster, workers=WORKERS, concurrency=3, seed=20261122)
    hammer.start()
    try:
        started = hammer.submit(SESSIONS)
        wait_for_the_end(started, seconds=1800)
    finally:
        hammer.stop()
    wait_for_the_end(started, seconds=120)
    assert not hammer.broken
    outcome = count_outcome(cluster, started)
    saw(", ".join(f"{count} {what}" for what, count in sorted(hammer.blows.items())))
    measured("hammer: effects", outcome.effects, "effects", SESSIONS * len(Stage), "equal")
    measured("hammer: duplicated effects", outcome.duplicated, "effects", 0)
    measured("hammer: missing effects", outcome.missing, "effects", 0)
    measured("hammer: effects out of order", outcome.out_of_order, "sessions", 0)
    measured("hammer: runs that did not complete", outcome.not_completed, "runs", 0)
    measured("hammer: executions per effect", outcome.executions_per_effect, "executions", 1.25)
    # Most of them are due: a wipe alone loses the message of every run that waits.
    measured("hammer: publications by the watchdog per effect", outcome.republications / outcome.effects, "messages", 1)
    assert sum(hammer.blows.values()) > SESSIONS * 0.4


@pytest.mark.timeout(1200)
@pytest.mark.fault("18", "honest backlog of 500 sessions", "re-publications about 0")
def test_an_honest_backlog_drains_without_republications(
    open_test_cluster: Callable[..., Cluster], saw: Callable[[str], None], measured: Callable[..., None]
) -> None:
    """500 sessions wait for one process, each message far older than the time after which one counts as lost."""
    cluster = open_test_cluster(REPUBLISH_AFTER_SECONDS="2", REPUBLISH_HARD_AGE_SECONDS="900")
    started = [start(make_session()) for _ in range(SESSIONS)]
    cluster.start_beat()
    cluster.start_worker(concurrency=2)
    first_stage = StageRun.objects.filter(run__in=started, stage=Stage.INSPECT, attempt=0)
    wait_until(lambda: not first_stage.exists(), seconds=600, what="the backlog drained")
    rows = StageRun.objects.filter(run__in=started)
    republished = sum(max(0, publications - 1) for publications in rows.values_list("publications", flat=True))
    saw(f"{republished} re-publications while {SESSIONS} sessions waited")
    measured("honest backlog of 500: re-publications", republished, "messages", SESSIONS * 0.01)
