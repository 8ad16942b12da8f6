"""A run begins: its stages are written, and the first one to do is queued."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from coaching.errors import Conflict
from coaching.models import PipelineRun, Session, SessionStatus, Stage, StageRun, StageState, User
from coaching.models.run import RunCause
from coaching.services.runs.rows import STAGES, queue_stage


def start_run(
    *,
    session: Session,
    cause: RunCause = RunCause.SUBMITTED,
    first_stage: Stage = Stage.INSPECT,
    previous: PipelineRun | None = None,
    requested_by: User | None = None,
) -> PipelineRun:
    """Write a run whose `first_stage` is queued. Call in the transaction that locked the session's row.

    Stages before `first_stage` are taken over from `previous`, done, with their outputs and times.
    The caller publishes after commit; should it die before that, the watchdog does.
    Raises `Conflict` when the session has a running run or its number was given to another cook.
    """
    try:
        with transaction.atomic():
            run = PipelineRun.objects.create(
                session=session, cause=cause, first_stage=first_stage, previous=previous, requested_by=requested_by
            )
            session.pipeline_job_id = run.id
            session.status = SessionStatus.PROCESSING
            session.pipeline_error = ""
            session.save(update_fields=["pipeline_job_id", "status", "pipeline_error", "updated_at"])
    except IntegrityError as error:
        raise Conflict(f"session {session.pk} cannot start a run now: {error}") from error
    Session.objects.filter(pk=session.pk).update(pipeline_started_at=Now())
    first = STAGES.index(first_stage)
    kept = {row.stage: row for row in previous.stages.all()} if previous else {}
    StageRun.objects.bulk_create(
        _take_over(run, kept[stage])
        if position < first
        else StageRun(run=run, stage=stage, position=position, queue=settings.STAGE_QUEUES[stage])
        for position, stage in enumerate(STAGES)
    )
    queue_stage(run.id, first_stage)
    return run


def _take_over(run: PipelineRun, kept: StageRun) -> StageRun:
    """A copy of a done stage for a new run: its output stands, and the timeline shows when it was made."""
    if kept.state != StageState.DONE:
        raise Conflict(f"{kept.stage} of run {kept.run_id} is {kept.state}: a re-run must begin there or before")
    copied = {field.attname: getattr(kept, field.attname) for field in StageRun._meta.concrete_fields}
    return StageRun(**{**copied, "id": None, "run_id": run.id})
