"""Run one stage once: claim it, hold its lease, do the work, keep the result or the reason why not.

The work gets a `StageJob` and answers with a `StageResult`; it knows nothing of claims. Its files go under
`job.output_path(...)`, which holds the fence: a copy that lost its lease writes beside the winner, never over it.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from coaching.errors import LeaseLost, MomentCloneError, StageCancelled, StageTimedOut
from coaching.log_context import bind_ids, note_ids
from coaching.models import Session, Stage, StageRun, StageState
from coaching.providers.ports import Usage
from coaching.services import runs
from coaching.services.budget import PAID_STAGES, require_budget
from coaching.services.leases import Lease, hold_lease
from coaching.services.work_folders import make_work_folder
from media_tools.errors import MediaCancelled

logger = logging.getLogger(__name__)

PROGRESS_PERIOD_SECONDS = 1.0
DATABASE_RETRY_SECONDS = 0.5


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


def execute_stage(*, run_id: UUID, stage: Stage, worker: str, work: Work) -> StageState | None:
    """Claim `stage`, run `work` and record how it ended.

    Answers the state that the stage is in now: `done`; `queued` (it failed and is tried again later); `failed`;
    or None when there was nothing to do, because this copy of the message lost the claim or the lease.
    """
    with bind_ids(run_id=run_id, stage=stage):
        claim = runs.claim_stage(run_id=run_id, stage=stage, worker=worker)
        if claim is None:
            reason = runs.explain_refusal(run_id=run_id, stage=stage)
            logger.info("%s of run %s: not mine to run: %s", stage, run_id, reason)
            return None
        note_ids(session_id=claim.session_id, attempt=claim.attempt)
        logger.info("%s of run %s: attempt %d, fence %d", stage, run_id, claim.attempt, claim.fence)
        return _run_claimed(claim, work)


def _run_claimed(claim: runs.Claim, work: Work) -> StageState | None:
    try:
        with hold_lease(claim, on_overrun=_record_overrun) as lease, make_work_folder(claim) as folder:
            try:
                job = _make_job(claim, folder, lease)
                if claim.stage in PAID_STAGES:
                    require_budget(job.session.user)
                result = work(job)
            except (StageCancelled, MediaCancelled) as error:
                if lease.timed_out:
                    raise _describe_overrun(claim) from error
                raise LeaseLost(f"{claim.stage} of run {claim.run_id}: stopped, the stage was taken away") from error
            _commit(claim, result, lease)
    except LeaseLost as error:
        logger.warning("%s", error)
        return None
    # Whatever a stage raises, a bug included, is recorded and tried again: left alone, the row would stay
    # `running` until its lease expires and the operator would read nothing.
    except Exception as error:  # noqa: BLE001
        return _record_failure(claim, error)
    logger.info("%s of run %s: done", claim.stage, claim.run_id)
    return StageState.DONE


def _commit(claim: runs.Claim, result: StageResult, lease: Lease) -> None:
    """Keep the result; through an outage of the database for as long as the lease may live.

    A film that took minutes is not thrown away for a restart of PostgreSQL. The fence makes the repetition safe: had
    the first commit succeeded unheard, the second finds the stage done and raises `LeaseLost`.
    """
    usage = [asdict(entry) for entry in result.usage]
    while True:
        try:
            runs.commit_stage(claim, output=result.output, usage=usage, effect=result.effect)
        except (OperationalError, InterfaceError) as error:
            logger.warning("%s of run %s: cannot commit yet: %s", claim.stage, claim.run_id, error)
            connection.close()
            if lease.lost.wait(DATABASE_RETRY_SECONDS):
                raise LeaseLost(f"{claim.stage} of run {claim.run_id}: the database came back too late") from error
        else:
            return


def _record_failure(claim: runs.Claim, error: Exception) -> StageState | None:
    if isinstance(error, MomentCloneError):
        logger.warning("%s of run %s: %s: %s", claim.stage, claim.run_id, type(error).__name__, error)
    else:
        logger.error("%s of run %s broke", claim.stage, claim.run_id, exc_info=error)
    give_up_at = time.monotonic() + settings.STAGE_LEASE_SECONDS  # by then the watchdog may take the stage back
    while True:
        try:
            return runs.fail_stage(claim, error)
        except LeaseLost as lost:
            logger.warning("%s", lost)
            return None
        except (OperationalError, InterfaceError) as unreachable:
            logger.warning("%s of run %s: cannot record that: %s", claim.stage, claim.run_id, unreachable)
            connection.close()
            if time.monotonic() >= give_up_at:
                return None
            time.sleep(DATABASE_RETRY_SECONDS)


def _describe_overrun(claim: runs.Claim) -> StageTimedOut:
    limit = settings.STAGE_TIME_LIMITS_SECONDS[claim.stage]
    return StageTimedOut(f"{claim.stage} ran longer than its limit of {limit:g} s and was stopped")


def _record_overrun(claim: runs.Claim) -> None:
    """For work that does not stop when asked: the row goes on, and the fence keeps out whatever still comes of it."""
    logger.error("%s of run %s does not stop: its slot stays taken until it does", claim.stage, claim.run_id)
    _record_failure(claim, _describe_overrun(claim))


def _make_job(claim: runs.Claim, folder: Path, lease: Lease) -> StageJob:
    # Without an order: the usual one would join the runs.
    done = StageRun.objects.filter(run_id=claim.run_id, state=StageState.DONE).order_by()
    return StageJob(
        claim=claim,
        session=Session.objects.select_related("user", "dish").get(pk=claim.session_id),
        outputs={Stage(stage): output for stage, output in done.values_list("stage", "output")},
        work_folder=folder,
        cancel=lease.lost,
        report_progress=_limit_rate(lambda percent: runs.report_progress(claim, percent)),
    )


def _limit_rate(report: Callable[[int], None]) -> Callable[[int], None]:
    """FFmpeg speaks twice a second and more; a row need not be written that often, nor at any price."""
    last = [-1, 0.0]

    def report_sometimes(percent: int) -> None:
        now = time.monotonic()
        if percent == last[0] or now - last[1] < PROGRESS_PERIOD_SECONDS:
            return
        last[:] = [percent, now]
        try:
            report(percent)
        except DatabaseError as error:
            logger.warning("progress is not recorded: %s", error)
            connection.close()

    return report_sometimes
