"""What holds in the rows alone: claims, commits and the watchdog, without workers."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from coaching.errors import LeaseLost
from coaching.models import Stage, StageRun, StageState
from coaching.services import runs
from tasks import upkeep
from tests.faults.cluster import Cluster, make_session, read_stage, start

pytestmark = pytest.mark.django_db(transaction=True)
Saw = Callable[[str], None]


@pytest.mark.fault("5", "a worker that sleeps for 2 L and wakes up", "the stale commit changes 0 rows")
def test_a_stale_commit_changes_nothing(saw: Saw) -> None:
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
    saw("deterministic: commit, failure and renewal of the old fence all refused")


@pytest.mark.fault("17", "two watchdogs", "each row swept once")
def test_two_watchdogs_sweep_each_row_once(cluster: Cluster, saw: Saw) -> None:
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
    saw(f"{len(started)} rows, {len(swept)} sweeps")


@pytest.mark.fault("18", "honest backlog of 500 sessions", "re-publications about 0")
def test_an_honest_backlog_is_not_published_again(cluster: Cluster) -> None:
    started = [start(make_session()) for _ in range(50)]
    StageRun.objects.filter(run__in=started, stage=Stage.INSPECT).update(due_at=timezone.now() - timedelta(seconds=60))
    assert upkeep.count_broker_messages() == 50
    assert runs.take_due_stages(count_broker_messages=upkeep.count_broker_messages) == []


def test_what_the_chat_holds_does_not_stand_in_for_a_lost_stage(cluster: Cluster) -> None:
    run = start(make_session(), publish=False)
    StageRun.objects.filter(run=run, stage=Stage.INSPECT).update(due_at=timezone.now() - timedelta(seconds=60))
    cluster.connect_broker().hset("unacked", mapping={"tag": '[{"body": ""}, "", "chat"]', "junk": "no JSON"})
    assert upkeep.count_broker_messages() == 0
    assert len(runs.take_due_stages(count_broker_messages=upkeep.count_broker_messages)) == 1


@pytest.mark.fault("clock", "the database's clock jumps an hour", "nothing lost, nothing doubled, no hour of waiting")
@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_a_dead_workers_lease_outlasts_no_jump_of_the_clock(cluster: Cluster, saw: Saw, hours: int) -> None:
    """A clock that jumps by an hour leaves every stored time an hour away from where it was."""
    run = start(make_session(), publish=False)
    claim = runs.claim_stage(run_id=run.id, stage=Stage.INSPECT, worker="dead")
    assert claim is not None
    StageRun.objects.filter(run=run, state=StageState.RUNNING).update(
        lease_until=F("lease_until") - timedelta(hours=hours)
    )
    assert runs.expire_leases() == 1
    assert runs.claim_stage(run_id=run.id, stage=Stage.INSPECT, worker="alive") is not None
    with pytest.raises(LeaseLost):
        runs.commit_stage(claim, output={})
    saw(f"{hours:+d} h: the lease is taken back at the next sweep, the old fence refused")


@pytest.mark.fault("clock", "the database's clock jumps an hour", "nothing lost, nothing doubled, no hour of waiting")
def test_a_lost_message_is_published_again_after_the_clock_went_back(cluster: Cluster) -> None:
    run = start(make_session(), publish=False)
    StageRun.objects.filter(run=run, stage=Stage.INSPECT).update(due_at=timezone.now() + timedelta(hours=1))
    assert 2 * settings.REPUBLISH_HARD_AGE_SECONDS < 3600
    assert len(runs.take_due_stages(count_broker_messages=upkeep.count_broker_messages)) == 1


def test_a_worker_that_lives_keeps_its_stage_when_the_clock_goes_back(cluster: Cluster) -> None:
    run = start(make_session(), publish=False)
    claim = runs.claim_stage(run_id=run.id, stage=Stage.INSPECT, worker="alive")
    assert claim is not None
    StageRun.objects.filter(run=run, state=StageState.RUNNING).update(lease_until=F("lease_until") + timedelta(hours=1))
    assert runs.renew_lease(claim)
    assert runs.expire_leases() == 0


@pytest.mark.fault("two beats", "two beats tick at once", "the watchdog works once a tick")
def test_of_two_ticks_at_once_one_works(cluster: Cluster, saw: Saw) -> None:
    runs_due = [start(make_session(), publish=False) for _ in range(3)]
    StageRun.objects.filter(run__in=runs_due, stage=Stage.INSPECT).update(publications=0, due_at=timezone.now())
    upkeep.watch_runs()
    upkeep.watch_runs()
    assert cluster.connect_broker().llen("media") == 3
    saw("3 rows due, 2 ticks, 3 messages")


@pytest.mark.fault(
    "previous", "a worker of the previous release finishes a stage", "its commit counts once, the chain goes on"
)
def test_a_stage_finished_by_the_statements_of_the_previous_release_goes_on(cluster: Cluster, saw: Saw) -> None:
    """The columns that the first release wrote, as it wrote them, against today's tables."""
    run = start(make_session(), publish=False)
    with connection.cursor() as cursor:
        for statement in (CLAIM, COMMIT, QUEUE_THE_NEXT):
            cursor.execute(statement, {"run": run.id})
            assert cursor.rowcount == 1
    assert read_stage(run, Stage.INSPECT).state == StageState.DONE
    late = StageRun.objects.get(run=run, stage=Stage.LISTEN)
    assert (late.state, late.publications) == (StageState.QUEUED, 1)
    claim = runs.claim_stage(run_id=run.id, stage=Stage.LISTEN, worker="new")
    assert claim is not None
    runs.commit_stage(claim, output={})
    with connection.cursor() as cursor:
        cursor.execute(COMMIT, {"run": run.id})
        assert cursor.rowcount == 0
    saw("one commit counted, a second changed 0 rows, today's worker took the next stage")


CLAIM = """
    UPDATE coaching_stagerun SET state = 'running', fence = fence + 1, attempt = attempt + 1, worker = 'old@host',
        lease_until = statement_timestamp() + interval '60 seconds', started_at = statement_timestamp(),
        finished_at = NULL, progress_percent = 0
    WHERE run_id = %(run)s AND stage = 'inspect' AND state = 'queued'"""
COMMIT = """
    UPDATE coaching_stagerun SET state = 'done', lease_until = NULL, due_at = NULL,
        finished_at = statement_timestamp(), progress_percent = 100, output = '{}', usage = '[]', error_class = '',
        error_message = '', error_stderr = '', learner_message = ''
    WHERE run_id = %(run)s AND stage = 'inspect' AND fence = 1 AND state = 'running'"""
QUEUE_THE_NEXT = """
    UPDATE coaching_stagerun SET state = 'queued', queued_at = statement_timestamp(), publications = 1,
        due_at = statement_timestamp() + interval '60 seconds'
    WHERE run_id = %(run)s AND stage = 'listen' AND state = 'pending'"""
