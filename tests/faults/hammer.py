"""The hammer: many sessions at once while workers are killed and stopped, the broker is wiped, and chains doubled."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil
from django.db import connection, transaction
from django.db.models import Count

from coaching.models import AuditEntry, PipelineRun, RunState, Stage, StageRun, StageState
from coaching.services import runs
from tasks import pipeline
from tests.faults.cluster import LEASE_SECONDS, Cluster, make_session

LOST_PUBLICATION_SHARE = 0.1
DOUBLED_SHARE = 0.3
LONGEST_PAUSE_SECONDS = 3.0
WIPES = 4


@dataclass(slots=True)
class Hammer:
    """Blows against `cluster`'s workers, from threads of this process, until `stop`."""

    cluster: Cluster
    workers: Sequence[str]
    concurrency: int
    seed: int
    blows: Counter[str] = field(default_factory=Counter)
    broken: list[BaseException] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for work in (self._hurt_processes, self._double_chains):
            thread = threading.Thread(target=self._guard, args=(work,), name=work.__name__)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Ends the blows; every worker runs again when it returns."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._revive()

    def submit(self, count: int) -> list[PipelineRun]:
        """Start `count` runs; of some the publication is lost, of others it happens twice."""
        chance = random.Random(self.seed)
        started = []
        for _ in range(count):
            with transaction.atomic():
                run = runs.start_run(session=make_session())
            started.append(run)
            if chance.random() < LOST_PUBLICATION_SHARE:
                self.blows["publications lost"] += 1
            else:
                pipeline.publish(run.id, Stage.INSPECT)
            if chance.random() < DOUBLED_SHARE:
                pipeline.publish(run.id, Stage.INSPECT)
                self.blows["chains doubled"] += 1
        return started

    def _guard(self, work: Callable[[random.Random], None]) -> None:
        try:
            work(random.Random(f"{self.seed}{work.__name__}"))
        except BaseException as error:  # noqa: BLE001 - told by the test, in its own thread
            self.broken.append(error)
        finally:
            connection.close()

    def _double_chains(self, chance: random.Random) -> None:
        while not self._over.wait(0.25):
            rows = StageRun.objects.filter(state__in=[StageState.QUEUED, StageState.RUNNING, StageState.DONE])
            for row in rows.order_by("?")[:2]:
                pipeline.publish(row.run_id, Stage(row.stage))
                self.blows["chains doubled"] += 1

    def _hurt_processes(self, chance: random.Random) -> None:
        while not self._over.wait(chance.uniform(1.0, LONGEST_PAUSE_SECONDS)):
            self._revive()
            name, blow = chance.choice(self.workers), chance.random()
            if blow < 0.2:
                self.cluster.kill(name)
                self.blows["workers killed"] += 1
                self._revive()
            elif blow < 0.95:
                self._hurt_child(chance, name, "kill" if blow < 0.7 else "stop")
            elif self.blows["broker wiped"] < WIPES:
                self.cluster.connect_broker().flushall()
                self.blows["broker wiped"] += 1

    def _hurt_child(self, chance: random.Random, name: str, how: str) -> None:
        try:
            child = chance.choice(self.cluster.list_children(name))
            if how == "kill":
                child.kill()
                self.blows["children killed"] += 1
                return
            child.suspend()
        except (psutil.NoSuchProcess, IndexError):
            return
        self.blows["children stopped"] += 1
        waker = threading.Timer(2 * LEASE_SECONDS, _wake, [child])  # wakes as a stale owner, and tries to commit
        self._threads.append(waker)
        waker.start()

    def _revive(self) -> None:
        for name in self.workers:
            if name not in self.cluster.processes or not self.cluster.is_alive(name):
                if name in self.cluster.processes:
                    self.cluster.kill(name)
                    self.blows["workers that ended by themselves"] += 1
                self.cluster.start_worker(name, concurrency=self.concurrency)


def _wake(child: psutil.Process) -> None:
    try:
        child.resume()
    except psutil.NoSuchProcess:
        return  # its worker was killed meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the rows say when all is over."""

    effects: int
    duplicated: int
    missing: int
    out_of_order: int
    not_completed: int
    executions: int
    republications: int

    @property
    def executions_per_effect(self) -> float:
        return self.executions / max(1, self.effects)


def wait_for_the_end(started: Sequence[PipelineRun], *, seconds: float) -> None:
    """Until no run is in progress, or `seconds` have passed: what is missing then is counted."""
    deadline = time.monotonic() + seconds
    ids = [run.pk for run in started]
    while PipelineRun.objects.filter(pk__in=ids, state=RunState.RUNNING).exists() and time.monotonic() < deadline:
        time.sleep(1)


def count_outcome(cluster: Cluster, started: Sequence[PipelineRun]) -> Outcome:
    effects = AuditEntry.objects.filter(action__startswith="effect:")
    distinct = effects.values("target", "action").annotate(n=Count("pk"))
    places = {f"effect:{stage}": position for position, stage in enumerate(Stage)}
    order: dict[str, list[int]] = {}
    for target, action in effects.order_by("pk").values_list("target", "action"):
        order.setdefault(target, []).append(places[action])
    logs = [cluster.read_log(path.stem) for path in cluster.folder.glob("*.log")]
    return Outcome(
        effects=effects.count(),
        duplicated=sum(row["n"] - 1 for row in distinct),
        missing=len(started) * len(Stage) - distinct.count(),
        out_of_order=sum(positions != sorted(positions) for positions in order.values()),
        not_completed=PipelineRun.objects.filter(pk__in=[run.pk for run in started])
        .exclude(state=RunState.COMPLETED)
        .count(),
        executions=sum(cluster.count_executions(stage) for stage in Stage),
        republications=sum(log.count(" is published") for log in logs),
    )
