"""What every transition of a run needs: its locks in their order, the database's clock, what is kept of an error."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from coaching.errors import MomentCloneError
from coaching.models import PipelineRun, Session, SessionStatus, Stage, StageRun, StageState

STAGES: tuple[Stage, ...] = tuple(Stage)
STDERR_TAIL_CHARACTERS = 4000


def in_seconds(seconds: float) -> Value:
    return Value(timedelta(seconds=seconds))


def lock_run(*, session_id: int, run_id: UUID) -> PipelineRun:
    """The run with its session, both locked in the one order that everybody keeps.

    Of the session only what `settle_session` looks at is read at once: its other columns are the coach's whole output.
    """
    columns = ("status", "pipeline_job_id", "pipeline_error", "coaching_video_gcs_path")
    session = Session.objects.select_for_update().only(*columns).get(pk=session_id)
    run = PipelineRun.objects.select_for_update().get(pk=run_id)
    run.session = session
    return run


def queue_stage(run_id: UUID, stage: Stage) -> None:
    """The one way into `queued` from `pending`: whoever calls this publishes next, or crashes and is made up for."""
    StageRun.objects.filter(run_id=run_id, stage=stage, state=StageState.PENDING).update(
        state=StageState.QUEUED,
        queued_at=Now(),
        publications=1,
        due_at=Now() + in_seconds(settings.REPUBLISH_AFTER_SECONDS),
    )


def settle_session(run: PipelineRun, *, otherwise: SessionStatus) -> None:
    """A learner who has a film keeps it, and reads of no fault, whatever became of a later run."""
    session = run.session
    if session.pipeline_job_id != run.id:
        return
    has_film = bool(session.coaching_video_gcs_path)
    session.status = SessionStatus.COMPLETED if has_film else otherwise
    session.pipeline_error = "" if has_film else run.learner_message
    session.save(update_fields=["status", "pipeline_error", "updated_at"])


def describe_error(error: Exception) -> dict[str, str]:
    return {
        "error_class": type(error).__name__,
        "error_message": str(error)[:2000],
        "error_stderr": getattr(error, "stderr_tail", "")[-STDERR_TAIL_CHARACTERS:],
        "learner_message": getattr(error, "learner_message", MomentCloneError.learner_message),
    }


def append_history(outcome: str, error: Exception | None = None) -> RawSQL:
    """One more ended attempt for the timeline: queued, started and ended at, by whom, with what outcome."""
    return RawSQL(
        "history || jsonb_build_array(jsonb_build_object('attempt', attempt, 'worker', worker, 'queued_at', queued_at,"
        " 'started_at', started_at, 'ended_at', statement_timestamp(), 'outcome', %s::text, 'error', %s::text))",
        [outcome, f"{type(error).__name__}: {error}"[:500] if error else ""],
    )
