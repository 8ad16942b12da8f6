"""What our chain costs a stage: `python -m tests.benchmarks.orchestration [--chains N] [--rounds N]`.

The same worker, on servers of its own, runs our chain with engines that answer at once, and bare Celery chains of as
many tasks that do nothing. Both keep a row of results a task (django-celery-results). Ours also claims, leases, keeps
an output, does an effect and queues the next stage in PostgreSQL, and all of that counts. Then both without result
rows: the difference is what those cost. All chains are sent at once. Measured are the time until the last chain is over
and the CPU of worker, PostgreSQL and broker, in turns, and the least of each counts: a busy neighbour only ever adds.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
import psutil

from project import embedded
from project.processes import ProcessSpec, ReadyFile, Supervisor
from tests.benchmarks.rows import Row, record_rows

DEADLINE_SECONDS = 300
POLL_SECONDS = 0.01
STAGES = 8
WORKER_FLAGS = ("--without-gossip", "--without-mingle", "--loglevel=WARNING")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chains", type=int, default=40, help="how many chains are under way at once")
    parser.add_argument("--rounds", type=int, default=4, help="how often everything is measured")
    options = parser.parse_args()
    # The servers run under another account where we are root, which cannot reach a private TMPDIR.
    with tempfile.TemporaryDirectory(prefix="moment-clone-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with open_product(folder) as pids:
            costs = measure_rounds(options.chains, options.rounds, pids)
    for way, cost in costs.items():
        print(f"{way:16} {1000 * cost.seconds:6.1f} ms a stage, {1000 * cost.cpu_seconds:6.1f} ms of CPU", flush=True)
    ours, bare = costs["ours"], costs["bare"]
    ours_alone, bare_alone = costs["ours, no result"], costs["bare, no result"]
    record_rows(
        [
            Row("orchestration: our stage over a bare task", ours.seconds / bare.seconds, "ratio", 2.0),
            Row("orchestration: the same in CPU", ours.cpu_seconds / bare.cpu_seconds, "ratio", 2.0),
            Row("orchestration: our stage over one without result", ours.seconds / ours_alone.seconds, "ratio", 1.5),
            Row("orchestration: bare task over one without result", bare.seconds / bare_alone.seconds, "ratio", 4.0),
        ]
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one stage."""

    seconds: float
    cpu_seconds: float


@contextmanager
def open_product(folder: Path) -> Iterator[list[int]]:
    """Servers, schema and one worker of two processes, all of this benchmark's own; the processes that do the work."""
    os.environ |= {"EMBEDDED_DIR": str(folder / "servers"), "VAR_FOLDER": str(folder / "var")}
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    with embedded.ensure() as servers:
        os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
        django.setup()
        from django.core.management import call_command  # needs Django's settings

        call_command("migrate", verbosity=0)
        ready = folder / "worker.ready"
        worker = ProcessSpec(
            name="worker",
            argv=(
                *(sys.executable, "-m", "celery", "-A", "tests.benchmarks.workers.instant", "worker"),
                *("--queues=media,llm,default", "--pool=prefork", "--concurrency=2", *WORKER_FLAGS),
            ),
            env={"WORKER_READY_FILE": str(ready), "LOG_LEVEL": "WARNING"},
            is_ready=ReadyFile(ready),
        )
        with Supervisor([worker], log_folder=folder / "log") as supervisor:
            supervisor.wait_until_ready()
            pid = supervisor.pid("worker")
            yield [*servers.pids.values(), *([pid] if pid else [])]


def measure_rounds(chains: int, rounds: int, pids: Sequence[int]) -> dict[str, Cost]:
    """The least cost of each way; the first round only warms up."""
    ways: dict[str, Callable[[], float]] = {
        "bare": lambda: run_bare(chains, ignore_result=False),
        "ours": lambda: run_ours(chains, ignore_result=False),
        "bare, no result": lambda: run_bare(chains, ignore_result=True),
        "ours, no result": lambda: run_ours(chains, ignore_result=True),
    }
    measured: dict[str, list[Cost]] = defaultdict(list)
    for number in range(rounds + 1):
        for way, measure in ways.items():
            cpu_before = read_cpu_seconds(pids)
            seconds = measure()
            cpu_seconds = read_cpu_seconds(pids) - cpu_before
            if number:
                measured[way].append(Cost(seconds / chains / STAGES, cpu_seconds / chains / STAGES))
    return {
        way: Cost(min(cost.seconds for cost in costs), min(cost.cpu_seconds for cost in costs))
        for way, costs in measured.items()
    }


def read_cpu_seconds(pids: Sequence[int]) -> float:
    """Of these processes and all that they started and that still live, or were waited for."""
    total = 0.0
    for root in map(psutil.Process, pids):
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended just now: its parent has its times
                times = process.cpu_times()
                total += times.user + times.system
        times = root.cpu_times()
        total += times.children_user + times.children_system
    return total


def run_bare(chains: int, *, ignore_result: bool) -> float:
    """Seconds until the last chain is over. Its last task keeps a result in any case: it tells that it is over."""
    from celery import chain
    from django_celery_results.models import TaskResult

    from tests.benchmarks.workers.instant import do_nothing

    TaskResult.objects.all().delete()
    # Sent options reach the task's request (celery >= 5.1); the stubs know none.
    before = [do_nothing.si("0" * 36).set(ignore_result=ignore_result) for _ in range(STAGES - 1)]  # type: ignore[call-arg]
    started_at = time.monotonic()
    last = {chain(*before, do_nothing.si("0" * 36)).apply_async().id for _ in range(chains)}
    wait_until(lambda: TaskResult.objects.filter(task_id__in=last, status="SUCCESS").count() == chains)
    return time.monotonic() - started_at


def run_ours(chains: int, *, ignore_result: bool) -> float:
    """Seconds from publishing the runs to the last one's completion."""
    from celery import chain

    from coaching.models import PipelineRun, RunState
    from tasks import pipeline

    run_ids = [make_run() for _ in range(chains)]
    started_at = time.monotonic()
    for run_id in run_ids:
        chain(
            *(stage.si(run_id).set(ignore_result=ignore_result) for stage in pipeline.STAGES)  # type: ignore[call-arg]
        ).apply_async()
    wait_until(lambda: PipelineRun.objects.filter(pk__in=run_ids, state=RunState.COMPLETED).count() == chains)
    return time.monotonic() - started_at


def make_run() -> str:
    """A run whose first stage is queued, of a new learner."""
    from coaching.models import Dish, Session, User
    from coaching.services import runs

    dish, _ = Dish.objects.get_or_create(slug="fried-rice", defaults={"name_ja": "チャーハン", "order": 1})
    user = User.objects.create(email=f"learner{User.objects.count()}@example.test", first_name="春")
    session = Session.objects.create(user=user, dish=dish, session_number=1, raw_video_path="sessions/x/raw.mp4")
    return str(runs.start_run(session=session).id)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the chains are not over after {DEADLINE_SECONDS} s")
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
