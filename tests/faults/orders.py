"""Stages that do as they are told, loaded by the workers of `celery -A tests.faults.celery_app`.

Everything but the eight functions of `tasks.stages.WORK` is the product's: tasks, claims, leases, commits, beat.
What a stage does in each of its attempts is read from `$FAULT_FOLDER/<session>-<stage>.json`, or `<stage>.json` for
all sessions: a list of orders, the last of which holds for all later attempts; without a file it succeeds at once.
Every execution leaves a line in `$FAULT_FOLDER/executions`, every committed effect a row in AuditEntry (which has no
unique constraint: a doubled effect shows).
"""

import contextlib
import json
import os
import random
import signal
import time
from pathlib import Path

from coaching.errors import PermanentError, ProviderRateLimited, ProviderUnavailable, StageCancelled
from coaching.models import AuditEntry, Stage
from coaching.providers.registry import get_object_store
from coaching.services.execution import StageJob, StageResult
from coaching.services.media_faults import translate_media_errors
from coaching.services.runs import Claim
from media_tools import ffmpeg
from tasks import stages

FOLDER = Path(os.environ["FAULT_FOLDER"])


def obey(job: StageJob) -> StageResult:
    claim = job.claim
    with (FOLDER / "executions").open("a") as log:
        log.write(f"{claim.session_id} {claim.stage} {claim.fence} {os.getpid()}\n")
    ORDERS[_read_order(claim)](job)

    def leave_effect() -> None:
        AuditEntry.objects.create(
            action=f"effect:{claim.stage}", target=f"session:{claim.session_id}", details={"fence": claim.fence}
        )

    return StageResult(output={"fence": claim.fence}, effect=leave_effect)


def _read_order(claim: Claim) -> str:
    for name in (f"{claim.session_id}-{claim.stage}.json", f"{claim.stage}.json"):
        with contextlib.suppress(FileNotFoundError):
            orders: list[str] = json.loads((FOLDER / name).read_text())
            return orders[min(claim.attempt, len(orders)) - 1]
    return "succeed"


def _is_released(job: StageJob) -> bool:
    return (FOLDER / "release").exists() or (FOLDER / f"{job.claim.session_id}-release").exists()


def succeed(_: StageJob) -> None:
    pass


def wait_for_release(job: StageJob) -> None:
    """Work that goes on until the test lets it end, or the stage is taken away."""
    while not _is_released(job):
        if job.cancel.wait(0.02):
            raise StageCancelled


def wait_deaf(job: StageJob) -> None:
    """Work that never looks at `cancel`: only the fence at its commit can stop it."""
    while not _is_released(job):
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


def encode_onto_a_full_disk(job: StageJob) -> None:
    """A real FFmpeg whose output file lies on a device without space."""
    film = job.work_folder / "film.mkv"
    film.symlink_to("/dev/full")
    arguments = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=20", "-c:v", "libx264", "-qp", "1", str(film)]
    with translate_media_errors():
        ffmpeg.run(arguments, cancel=job.cancel)


def write_onto_a_full_disk(job: StageJob) -> None:
    with Path("/dev/full").open("wb") as film:
        film.write(b"x" * 100_000)


def keep_an_object(job: StageJob) -> None:
    made = job.work_folder / "note.txt"
    made.write_text("kept")
    get_object_store().write_file(object_path=job.output_path("note.txt"), source=made, content_type="text/plain")


def fail_sometimes(_: StageJob) -> None:
    if random.random() < 0.03:
        raise ProviderUnavailable("a passing fault of the hammer")


ORDERS = {
    "succeed": succeed,
    "wait": wait_for_release,
    "wait_deaf": wait_deaf,
    "kill_itself": kill_itself,
    "429": ask_for_patience,
    "refuse": refuse,
    "bug": break_down,
    "ffmpeg": encode_forever,
    "disk_full": encode_onto_a_full_disk,
    "python_disk_full": write_onto_a_full_disk,
    "keep_object": keep_an_object,
    "sometimes": fail_sometimes,
}

for stage in Stage:
    stages.WORK[stage] = obey
