"""Run one stage once: claim it, hold its lease, do the work, keep the result or the reason why not.

The work gets a `StageJob` and answers with a `StageResult`; it knows nothing of claims. Its files go under
`job.output_path(...)`, which holds the fence: a copy that lost its lease writes beside the winner, never over it.
"""

import contextlib
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from coaching.errors import LeaseLost, MomentCloneError, StageCancelled
from coaching.log_context import bind_ids
from coaching.models import Session, Stage, StageRun, StageState
from coaching.providers.ports import Usage
from coaching.services import runs
from media_tools.errors import MediaCancelled

logger = logging.getLogger(__name__)

PROGRESS_PERIOD_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StageJob:
    """What a stage works on. `cancel` is set when the stage is taken away: long work watches it."""

    claim: runs.Claim
    session: Session
    outputs: dict[Stage, dict[str, Any]]
    work_folder: Path
    cancel: threading.Event
    report_progress: Callable[[int], None]

    def output_path(self, name: str) -> str:
        """An object path for what this attempt makes; no other attempt writes there."""
        claim = self.claim
        return f"sessions/{claim.session_id}/runs/{claim.run_id}/{claim.stage}-{claim.fence}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """`output` is JSON; `effect` runs in the transaction that keeps it."""

    output: dict[str, Any]
    usage: tuple[Usage, ...] = ()
    effect: Callable[[], None] | None = None


Work = Callable[[StageJob], StageResult]


@dataclass(slots=True)
class _Lease:
    lost: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


def execute_stage(*, run_id: UUID, stage: Stage, worker: str, work: Work) -> StageState | None:
    """Claim `stage`, run `work` and record how it ended.

    Answers the state that the stage is in now: `done`; `queued` (it failed and is tried again later); `failed`;
    or None when there was nothing to do, because this copy of the message lost the claim or the lease.
    """
    claim = runs.claim_stage(run_id=run_id, stage=stage, worker=worker)
    if claim is None:
        logger.info("%s of run %s: not mine to run", stage, run_id)
        return None
    with bind_ids(run_id=run_id, session_id=claim.session_id, stage=stage.value, attempt=claim.attempt):
        return _execute_claim(claim, work)


def _execute_claim(claim: runs.Claim, work: Work) -> StageState | None:
    stage, run_id = claim.stage, claim.run_id
    logger.info("%s of run %s: attempt %d, fence %d", stage, run_id, claim.attempt, claim.fence)
    try:
        with _hold_lease(claim) as lease, _make_work_folder(claim) as folder:
            try:
                result = work(_make_job(claim, folder, lease))
            except (StageCancelled, MediaCancelled) as error:
                raise LeaseLost(f"{stage} of run {run_id}: stopped, the stage was taken away") from error
            runs.commit_stage(
                claim, output=result.output, usage=[asdict(u) for u in result.usage], effect=result.effect
            )
    except LeaseLost as error:
        logger.warning("%s", error)
        return None
    # Whatever a stage raises, a bug included, is recorded and tried again: left alone, the row would stay
    # `running` until its lease expires and the operator would read nothing.
    except Exception as error:  # noqa: BLE001
        return _record_failure(claim, error)
    logger.info("%s of run %s: done", stage, run_id)
    return StageState.DONE


def _record_failure(claim: runs.Claim, error: Exception) -> StageState | None:
    if isinstance(error, MomentCloneError):
        logger.warning("%s of run %s: %s: %s", claim.stage, claim.run_id, type(error).__name__, error)
    else:
        logger.error("%s of run %s broke", claim.stage, claim.run_id, exc_info=error)
    try:
        return runs.fail_stage(claim, error)
    except LeaseLost as lost:
        logger.warning("%s", lost)
        return None


def _make_job(claim: runs.Claim, folder: Path, lease: _Lease) -> StageJob:
    done = StageRun.objects.filter(run_id=claim.run_id, state=StageState.DONE)
    return StageJob(
        claim=claim,
        session=Session.objects.select_related("user", "dish").get(pk=claim.session_id),
        outputs={Stage(stage): output for stage, output in done.values_list("stage", "output")},
        work_folder=folder,
        cancel=lease.lost,
        report_progress=_limit_rate(lambda percent: runs.report_progress(claim, percent)),
    )


def _limit_rate(report: Callable[[int], None]) -> Callable[[int], None]:
    """FFmpeg speaks twice a second and more; a row need not be written that often."""
    last = [-1, 0.0]

    def report_sometimes(percent: int) -> None:
        now = time.monotonic()
        if percent != last[0] and now - last[1] >= PROGRESS_PERIOD_SECONDS:
            last[:] = [percent, now]
            report(percent)

    return report_sometimes


@contextlib.contextmanager
def _make_work_folder(claim: runs.Claim) -> Iterator[Path]:
    settings.WORK_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{claim.stage}-", dir=settings.WORK_DIR) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _hold_lease(claim: runs.Claim) -> Iterator[_Lease]:
    """Renew the lease every third of it from a thread; `lost` is set when it is gone, or may be."""
    lease = _Lease()
    keep = partial(copy_context().run, _keep_lease, claim, lease)  # its lines carry the ids of the stage, too
    keeper = threading.Thread(target=keep, name=f"lease-{claim.stage}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.over.set()
        keeper.join()


def _keep_lease(claim: runs.Claim, lease: _Lease) -> None:
    renewed_at = time.monotonic()
    try:
        while not lease.over.wait(settings.STAGE_LEASE_SECONDS / 3):
            try:
                held = runs.renew_lease(claim)
            except DatabaseError as error:
                # Out of touch with the database, the lease runs out there unseen: by then this copy must have stopped.
                logger.warning("%s of run %s: cannot renew the lease: %s", claim.stage, claim.run_id, error)
                connection.close()
                held = time.monotonic() - renewed_at < settings.STAGE_LEASE_SECONDS
            else:
                renewed_at = time.monotonic()
            if not held:
                lease.lost.set()
                return
    finally:
        connection.close()
