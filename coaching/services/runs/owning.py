"""A worker owns a stage: the claim, the lease that keeps it, and why a claim was refused."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, Q
from django.db.models.functions import Now

from coaching.models import RunState, Stage, StageRun, StageState
from coaching.services.runs.rows import STAGES, in_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to run one stage once: valid while the row's fence is this one and its lease lives."""

    run_id: UUID
    session_id: int
    stage: Stage
    fence: int
    attempt: int


def claim_stage(*, run_id: UUID, stage: Stage, worker: str) -> Claim | None:
    """Take the stage in one conditional UPDATE: of all copies of a message, one gets a claim, the others None."""
    unfinished_before = StageRun.objects.filter(run_id=run_id, position__lt=STAGES.index(stage)).exclude(
        state=StageState.DONE
    )
    won = (
        StageRun.objects.filter(run_id=run_id, stage=stage, state=StageState.QUEUED, run__state=RunState.RUNNING)
        .filter(~Exists(unfinished_before))
        .update(
            state=StageState.RUNNING,
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            worker=worker[:200],
            lease_until=Now() + in_seconds(settings.STAGE_LEASE_SECONDS),
            started_at=Now(),
            finished_at=None,
            progress_percent=0,
        )
    )
    if not won:
        return None
    # Only the winner reads here, and a newer fence would mean that this claim is already lost: both are safe.
    columns = StageRun.objects.values_list("run__session_id", "fence", "attempt")
    session_id, fence, attempt = columns.get(run_id=run_id, stage=stage)
    return Claim(run_id=run_id, session_id=session_id, stage=stage, fence=fence, attempt=attempt)


def explain_refusal(*, run_id: UUID, stage: Stage) -> str:
    """Why a message for this stage is not to be acted on, for the log. Read after the claim failed."""
    row = StageRun.objects.select_related("run").filter(run_id=run_id, stage=stage).first()
    if row is None:
        return "no such run"
    if row.run.state != RunState.RUNNING:
        return f"the run is {row.run.state}"
    if row.state != StageState.QUEUED:
        return f"the stage is {row.state}"
    return "an earlier stage is not done"


def held(claim: Claim) -> Q:
    return Q(run_id=claim.run_id, stage=claim.stage, fence=claim.fence, state=StageState.RUNNING)


def renew_lease(claim: Claim) -> bool:
    """False: the stage was taken away (expired, cancelled, re-run), and its work must stop at once."""
    lease = Now() + in_seconds(settings.STAGE_LEASE_SECONDS)
    return StageRun.objects.filter(held(claim)).update(lease_until=lease) == 1


def report_progress(claim: Claim, percent: int) -> None:
    StageRun.objects.filter(held(claim)).update(progress_percent=max(0, min(100, percent)))
