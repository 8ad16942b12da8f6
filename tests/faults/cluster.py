"""Real workers and beat over the test's own database and broker, and the means to hurt them."""

import io
import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import redis
from django.conf import settings
from django.db import connection

from coaching.models import AuditEntry, Dish, PipelineRun, RunState, Session, Stage, StageRun, User
from coaching.providers.registry import get_object_store
from coaching.services import runs
from tasks import pipeline, upkeep

LEASE_SECONDS = 3.0
WATCHDOG_SECONDS = 0.5
# What this process has to know of them, as settings.
OBEDIENT_APPLICATION = "tests.faults.celery_app"
SHORT_TIMES = {
    "STAGE_LEASE_SECONDS": LEASE_SECONDS,
    "WATCHDOG_PERIOD_SECONDS": WATCHDOG_SECONDS,
    "REPUBLISH_AFTER_SECONDS": 2,
}


def wait_until(condition: Callable[[], object], *, seconds: float = 60, what: str = "") -> None:
    """Poll until `condition` holds; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.05)


def make_database_url() -> str:
    """The URL of the database that this test uses, for children."""
    params = connection.settings_dict
    credentials = f"{quote(params['USER'])}:{quote(params['PASSWORD'])}"
    return f"postgres://{credentials}@{params['HOST']}:{params['PORT']}/{params['NAME']}"


@dataclass
class Cluster:
    """Workers by name, of a Celery `application`. Everything it starts ends with `stop_all`."""

    folder: Path
    broker_url: str
    environment: dict[str, str] = field(default_factory=dict)
    application: str = OBEDIENT_APPLICATION
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # --- processes ---

    def start_worker(
        self,
        name: str = "w1",
        *,
        pool: str = "prefork",
        concurrency: int = 1,
        queues: str = "media,llm,chat,default,upkeep",
        **env: str,
    ) -> None:
        ready = self.folder / f"{name}.ready"
        ready.unlink(missing_ok=True)
        arguments = [
            "worker",
            "-Q",
            queues,
            "-n",
            f"{name}@test",
            "-P",
            pool,
            "-c",
            str(concurrency),
        ]
        flags = ["--without-gossip", "--without-mingle", "-l", "INFO"]
        self._start(name, [*arguments, *flags], WORKER_READY_FILE=str(ready), **env)
        process = self.processes[name]
        wait_until(lambda: ready.exists() or process.poll() is not None, what=f"{name} ready")
        assert process.poll() is None, self.read_log(name)[-3000:]

    def start_beat(self, name: str = "beat") -> None:
        self._start(name, ["beat", "-l", "INFO", "-s", str(self.folder / f"{name}-schedule")])

    def _start(self, name: str, arguments: list[str], **env: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", self.application, *arguments],
                env={**self.environment, **env},
                cwd=settings.BASE_DIR,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def read_log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def list_children(self, name: str) -> list[psutil.Process]:
        return psutil.Process(self.processes[name].pid).children(recursive=True)

    def list_ffmpegs(self, name: str) -> list[psutil.Process]:
        """Those that encode for `encode_forever`, without any that is gone but for its entry."""
        found = []
        for process in self.list_children(name):
            with suppress(psutil.NoSuchProcess):  # a zombie is one
                if "testsrc2=s=160x90" in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def kill(self, name: str) -> None:
        """SIGKILL of the worker and all its children, as a node that goes away."""
        process = self.processes[name]
        if process.poll() is None:
            for victim in self.list_children(name):
                victim.kill()
            process.kill()
        process.wait()
        del self.processes[name]

    def terminate(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(180)

    def is_alive(self, name: str) -> bool:
        return self.processes[name].poll() is None

    def stop_all(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    # --- orders and what came of them ---

    def order(self, stage: Stage, *orders: str, session: Session | None = None) -> None:
        """What `stage` does in its attempts, of one session or of all."""
        prefix = f"{session.pk}-" if session else ""
        (self.folder / f"{prefix}{stage}.json").write_text(json.dumps(orders))

    def release(self, session: Session | None = None) -> None:
        (self.folder / (f"{session.pk}-release" if session else "release")).touch()

    def list_executions(self, stage: Stage, session: Session | None = None) -> list[int]:
        """The process of each execution, in their order."""
        lines = [line.split() for line in self._read_executions()]
        return [
            int(pid) for who, what, _, pid in lines if what == stage and (session is None or who == str(session.pk))
        ]

    def count_executions(self, stage: Stage, session: Session | None = None) -> int:
        return len(self.list_executions(stage, session))

    def _read_executions(self) -> list[str]:
        try:
            return (self.folder / "executions").read_text().splitlines()
        except FileNotFoundError:
            return []

    def wait_for_execution(self, stage: Stage, count: int = 1, *, session: Session | None = None) -> None:
        wait_until(lambda: self.count_executions(stage, session) >= count, what=f"{count} executions of {stage}")

    def connect_broker(self) -> "redis.Redis":
        return redis.Redis.from_url(self.broker_url)


def count_effects(session: Session) -> Counter[str]:
    """Committed effects per stage of one session."""
    rows = AuditEntry.objects.filter(target=f"session:{session.pk}", action__startswith="effect:")
    return Counter(action.removeprefix("effect:") for action in rows.values_list("action", flat=True))


def each_effect_once() -> Counter[str]:
    return Counter({stage.value: 1 for stage in Stage})


_numbers = itertools.count(1)


def make_session(number: int = 1, user: User | None = None) -> Session:
    """A session whose video has arrived and is in the store; what it holds does not matter here."""
    unique = next(_numbers)
    dish, _ = Dish.objects.get_or_create(slug="fried-rice", defaults={"name_ja": "チャーハン", "order": 1})
    if user is None:
        user = User.objects.create(email=f"learner{unique}@example.test", first_name="春")
    stored = get_object_store().write_stream(
        object_path=f"sessions/{secrets.token_hex(8)}/raw.mp4",
        stream=io.BytesIO(b"a video"),
        content_type="video/mp4",
        max_bytes=100,
    )
    return Session.objects.create(user=user, dish=dish, session_number=number, raw_video_path=stored.object_path)


def start(session: Session, *, publish: bool = True) -> PipelineRun:
    run = runs.start_run(session=session)
    if publish:
        pipeline.publish(run.id, Stage.INSPECT)
    return run


def read_stage(run: PipelineRun, stage: Stage) -> StageRun:
    return StageRun.objects.get(run=run, stage=stage)


def wait_for_state(run: PipelineRun, state: RunState, *, seconds: float = 60) -> None:
    def reached() -> bool:
        return PipelineRun.objects.get(pk=run.pk).state == state

    wait_until(reached, seconds=seconds, what=f"run {state}; now {list(run.stages.values_list('stage', 'state'))}")


@contextmanager
def open_cluster(
    folder: Path, *, broker_url: str, application: str = OBEDIENT_APPLICATION, **env: str
) -> Iterator[Cluster]:
    """A folder for orders and logs, an emptied broker, and the environment that makes leases short."""
    environment = {
        **os.environ,
        "DATABASE_URL": make_database_url(),
        "REDIS_URL": broker_url,
        "EMBEDDED": "1",
        "FAULT_FOLDER": str(folder),
        "VAR_FOLDER": str(folder / "var"),
        "STAGE_LEASE_SECONDS": str(LEASE_SECONDS),
        "WATCHDOG_PERIOD_SECONDS": str(WATCHDOG_SECONDS),
        "REPUBLISH_AFTER_SECONDS": "2",
        "STAGE_RETRY_BASE_SECONDS": "0.2",
        **env,
    }
    cluster = Cluster(folder=folder, broker_url=broker_url, environment=environment, application=application)
    cluster.connect_broker().flushdb()
    try:
        yield cluster
    finally:
        cluster.stop_all()
        cluster.connect_broker().flushdb()


__all__ = ["Cluster", "open_cluster", "upkeep", "wait_until"]
