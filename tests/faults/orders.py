"""Stages that do as they are told, loaded by the workers of `celery -A tests.faults.celery_app`.

Everything but the eight functions of `tasks.stages.WORK` is the product's: tasks, claims, leases, commits, beat.
What a stage does in each of its attempts is read from `$FAULT_FOLDER/<stage>.json`, a list of orders, the last of
which holds for all later attempts; without a file it succeeds at once. Every execution leaves a line in
`$FAULT_FOLDER/executions`, every committed effect a row in AuditEntry (which has no unique constraint: a doubled
effect shows).
"""

import json
import os
import signal
import time
from pathlib import Path

from coaching.errors import PermanentError, ProviderRateLimited, StageCancelled
from coaching.models import AuditEntry, Stage
from coaching.services.execution import StageJob, StageResult
from media_tools import ffmpeg
from tasks import stages

FOLDER = Path(os.environ["FAULT_FOLDER"])


def obey(job: StageJob) -> StageResult:
    claim = job.claim
    with (FOLDER / "executions").open("a") as log:
        log.write(f"{claim.run_id} {claim.stage} {claim.fence} {os.getpid()}\n")
    ORDERS[_read_order(claim.stage, claim.attempt)](job)

    def leave_effect() -> None:
        AuditEntry.objects.create(
            action=f"effect:{claim.stage}", target=f"session:{claim.session_id}", details={"fence": claim.fence}
        )

    return StageResult(output={"fence": claim.fence}, effect=leave_effect)


def _read_order(stage: Stage, attempt: int) -> str:
    try:
        orders: list[str] = json.loads((FOLDER / f"{stage}.json").read_text())
    except FileNotFoundError:
        return "succeed"
    return orders[min(attempt, len(orders)) - 1]


def succeed(_: StageJob) -> None:
    pass


def wait_for_release(job: StageJob) -> None:
    """Work that goes on until the test lets it end, or the stage is taken away."""
    while not (FOLDER / "release").exists():
        if job.cancel.wait(0.02):
            raise StageCancelled


def wait_deaf(_: StageJob) -> None:
    """Work that never looks at `cancel`: only the fence at its commit can stop it."""
    while not (FOLDER / "release").exists():
        time.sleep(0.02)


def kill_itself(_: StageJob) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def ask_for_patience(_: StageJob) -> None:
    raise ProviderRateLimited("429 from a test", retry_after_seconds=2)


def refuse(_: StageJob) -> None:
    raise PermanentError("a permanent fault", learner_message="別の動画でお試しください。")


def break_down(_: StageJob) -> None:
    raise RuntimeError("a bug")


def encode_forever(job: StageJob) -> None:
    """A real FFmpeg that would run for an hour."""
    arguments = ["-re", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=3600", "-f", "null", "-"]
    ffmpeg.run(arguments, total_frames=36_000, on_progress=job.report_progress, cancel=job.cancel)


ORDERS = {
    "succeed": succeed,
    "wait": wait_for_release,
    "wait_deaf": wait_deaf,
    "kill_itself": kill_itself,
    "429": ask_for_patience,
    "refuse": refuse,
    "bug": break_down,
    "ffmpeg": encode_forever,
}

for stage in Stage:
    stages.WORK[stage] = obey
