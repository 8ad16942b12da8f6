"""Somebody steps in: cancel a run, run a session again from a stage, retry the stage that failed."""

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from coaching.errors import Conflict
from coaching.models import PipelineRun, RunState, Session, SessionStatus, Stage, StageRun, StageState, User
from coaching.models.run import RunCause
from coaching.services.runs.rows import append_history, lock_run, settle_session
from coaching.services.runs.starting import start_run


def cancel_run(*, run_id: UUID, reason: str) -> None:
    """End a running run; whoever runs a stage of it is fenced out and stops within a third of a lease.

    Raises `Conflict` when it is not running.
    """
    session_id = PipelineRun.objects.values_list("session_id", flat=True).get(pk=run_id)
    with transaction.atomic():
        run = lock_run(session_id=session_id, run_id=run_id)
        if run.state != RunState.RUNNING:
            raise Conflict(f"run {run.id} is {run.state}: nothing to cancel")
        stop_run(run, reason)
        settle_session(run, otherwise=SessionStatus.CANCELLED)


def stop_run(run: PipelineRun, reason: str) -> None:
    run.stages.filter(state=StageState.RUNNING).update(history=append_history("cancelled"))
    run.stages.filter(state__in=[StageState.PENDING, StageState.QUEUED, StageState.RUNNING]).update(
        state=StageState.CANCELLED, fence=F("fence") + 1, lease_until=None, due_at=None, finished_at=Now()
    )
    run.state = RunState.CANCELLED
    run.error = f"cancelled: {reason}"
    run.save(update_fields=["state", "error"])
    PipelineRun.objects.filter(pk=run.pk).update(finished_at=Now())


def rerun_session(
    *,
    session_id: int,
    first_stage: Stage,
    requested_by: User | None,
    supersede: bool = False,
    cause: RunCause = RunCause.RERUN,
) -> PipelineRun:
    """A new run from `first_stage` on; earlier outputs are kept, the learner's film stays until the new one is whole.

    `supersede` ends a run in progress first, fencing out its workers; without it that is a `Conflict`.
    Raises `Conflict` where there is no earlier run, or one whose kept stages are not all done.
    """
    with transaction.atomic():
        session = Session.objects.select_for_update().get(pk=session_id)
        previous = session.runs.select_for_update().order_by("-created_at").first()
        if previous is None:
            raise Conflict(f"session {session_id} was never submitted")
        if previous.state == RunState.RUNNING:
            if not supersede:
                raise Conflict(f"run {previous.id} is in progress: cancel it first")
            stop_run(previous, f"superseded by a re-run from {first_stage}")
        return start_run(
            session=session,
            cause=cause,
            first_stage=first_stage,
            previous=previous,
            requested_by=requested_by,
        )


def retry_session(*, session_id: int, requested_by: User | None) -> PipelineRun:
    """A new run from the failed stage on. Raises `Conflict` when the last run did not fail."""
    failed = (
        StageRun.objects.filter(run__session_id=session_id, run__state=RunState.FAILED, state=StageState.FAILED)
        .order_by("-run__created_at")
        .first()
    )
    latest = PipelineRun.objects.filter(session_id=session_id).order_by("-created_at").first()
    if failed is None or latest is None or failed.run_id != latest.pk:
        raise Conflict(f"the last run of session {session_id} did not fail")
    return rerun_session(
        session_id=session_id, first_stage=Stage(failed.stage), requested_by=requested_by, cause=RunCause.RETRY
    )
