"""Durable runs: every transition of a PipelineRun and its StageRuns, each guarded by state and fence.

The database is the truth and the outbox: a row in `queued` means that a message ought to exist, and messages carry
ids only. A worker owns a stage while its lease lives and its fence is the newest; what it made counts only when
`commit_stage` finds both still true, in the same transaction as the effect. So a message delivered twice, a worker
killed, woken late or cut off from the database, and a broker that forgets everything change nothing that counts.

Locks are always taken in the order session, run, stages. Times are the database's clock, never a worker's.
"""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from coaching.errors import AttemptsExhausted, Conflict, LeaseLost, MomentCloneError, RetryableError, RetryLater
from coaching.models import PipelineRun, RunState, Session, SessionStatus, Stage, StageRun, StageState, User
from coaching.models.run import RunCause
from coaching.services.mail import queue_failure_mail

logger = logging.getLogger(__name__)

STAGES: tuple[Stage, ...] = tuple(Stage)
STDERR_TAIL_CHARACTERS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to run one stage once: valid while the row's fence is this one and its lease lives."""

    run_id: UUID
    session_id: int
    stage: Stage
    fence: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePointer:
    """What a message is about: publishing it starts the chain from this stage on."""

    run_id: UUID
    stage: Stage


def _seconds(seconds: float) -> Value:
    return Value(timedelta(seconds=seconds))


# --- starting -------------------------------------------------------------------------------------------------------


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
    _queue_stage(run.id, first_stage)
    return run


def _take_over(run: PipelineRun, kept: StageRun) -> StageRun:
    """A copy of a done stage for a new run: its output stands, and the timeline shows when it was made."""
    if kept.state != StageState.DONE:
        raise Conflict(f"{kept.stage} of run {kept.run_id} is {kept.state}: a re-run must begin there or before")
    copied = {field.attname: getattr(kept, field.attname) for field in StageRun._meta.concrete_fields}
    return StageRun(**{**copied, "id": None, "run_id": run.id})


def _queue_stage(run_id: UUID, stage: Stage) -> None:
    """The one way into `queued` from `pending`: whoever calls this publishes next, or crashes and is made up for."""
    StageRun.objects.filter(run_id=run_id, stage=stage, state=StageState.PENDING).update(
        state=StageState.QUEUED,
        queued_at=Now(),
        publications=1,
        due_at=Now() + _seconds(settings.REPUBLISH_AFTER_SECONDS),
    )


# --- owning ---------------------------------------------------------------------------------------------------------


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
            lease_until=Now() + _seconds(settings.STAGE_LEASE_SECONDS),
            started_at=Now(),
            finished_at=None,
            progress_percent=0,
        )
    )
    if not won:
        return None
    # Only the winner reads here, and a newer fence would mean that this claim is already lost: both are safe.
    row = StageRun.objects.select_related("run").get(run_id=run_id, stage=stage)
    return Claim(run_id=run_id, session_id=row.run.session_id, stage=stage, fence=row.fence, attempt=row.attempt)


def _lock_run(*, session_id: int, run_id: UUID) -> PipelineRun:
    """The run with its session, both locked in the one order that everybody keeps."""
    session = Session.objects.select_for_update().get(pk=session_id)
    run = PipelineRun.objects.select_for_update().get(pk=run_id)
    run.session = session
    return run


def _held(claim: Claim) -> Q:
    return Q(run_id=claim.run_id, stage=claim.stage, fence=claim.fence, state=StageState.RUNNING)


def renew_lease(claim: Claim) -> bool:
    """False: the stage was taken away (expired, cancelled, re-run), and its work must stop at once."""
    lease = Now() + _seconds(settings.STAGE_LEASE_SECONDS)
    return StageRun.objects.filter(_held(claim)).update(lease_until=lease) == 1


def report_progress(claim: Claim, percent: int) -> None:
    StageRun.objects.filter(_held(claim)).update(progress_percent=max(0, min(100, percent)))


# --- ending a stage -------------------------------------------------------------------------------------------------


def commit_stage(
    claim: Claim,
    *,
    output: dict[str, Any],
    usage: Sequence[dict[str, Any]] = (),
    effect: Callable[[], None] | None = None,
) -> None:
    """Keep the stage's output, do its `effect` and queue the next stage, all in one transaction.

    Raises `LeaseLost`, having changed nothing, when the claim is no longer the newest.
    """
    with transaction.atomic():
        run = _lock_run(session_id=claim.session_id, run_id=claim.run_id)
        kept = StageRun.objects.filter(_held(claim)).update(
            state=StageState.DONE,
            lease_until=None,
            due_at=None,
            finished_at=Now(),
            progress_percent=100,
            output=output,
            usage=list(usage),
            error_class="",
            error_message="",
            error_stderr="",
            learner_message="",
            history=_append_history("done"),
        )
        if not kept:
            raise LeaseLost(f"{claim.stage} of run {claim.run_id}: fence {claim.fence} is not the newest")
        if effect is not None:
            effect()
        following = STAGES.index(claim.stage) + 1
        if following < len(STAGES):
            _queue_stage(claim.run_id, STAGES[following])
        else:
            run.state = RunState.COMPLETED
            run.save(update_fields=["state"])
            PipelineRun.objects.filter(pk=run.pk).update(finished_at=Now())


def fail_stage(claim: Claim, error: Exception) -> StageState:
    """Record an attempt that raised: queue the next one after a pause, or fail the run for good.

    A `RetryLater` counts as no error; any other error that is not permanent is retried up to
    `STAGE_MAX_ATTEMPTS`, after the pause that the other side asked for or one that doubles. Raises `LeaseLost`.
    """
    with transaction.atomic():
        run = _lock_run(session_id=claim.session_id, run_id=claim.run_id)
        row = StageRun.objects.select_for_update().filter(_held(claim)).first()
        if row is None:
            raise LeaseLost(f"{claim.stage} of run {claim.run_id}: fence {claim.fence} is not the newest")
        counts = 0 if isinstance(error, RetryLater) else 1
        permanent = isinstance(error, MomentCloneError) and not isinstance(error, RetryableError)
        if not permanent and row.errors + counts < settings.STAGE_MAX_ATTEMPTS:
            _put_back(row, error=error, errors=row.errors + counts, due_at=_find_due_time(error, row.errors))
            return StageState.QUEUED
        final = error if permanent else AttemptsExhausted(f"gave up after {row.errors + counts} errors: {error}")
        _fail_for_good(run, row, error=error, final=final, errors=row.errors + counts)
        return StageState.FAILED


def _find_due_time(error: Exception, errors_before: int) -> datetime | Any:
    """When to try again: the other side's word with a little jitter, else a doubling pause with full jitter."""
    if isinstance(error, RetryLater):
        return error.due_at
    asked = error.retry_after_seconds if isinstance(error, RetryableError) else None
    if asked is not None:
        return Now() + _seconds(asked * random.uniform(1.0, 1.2))
    ceiling = min(settings.STAGE_RETRY_CAP_SECONDS, settings.STAGE_RETRY_BASE_SECONDS * 2**errors_before)
    return Now() + _seconds(random.uniform(ceiling / 2, ceiling))


def _put_back(row: StageRun, *, error: Exception, errors: int, due_at: datetime | Any) -> None:
    """Running -> queued, unpublished: the watchdog publishes it when it is due."""
    StageRun.objects.filter(pk=row.pk).update(
        state=StageState.QUEUED,
        lease_until=None,
        queued_at=Now(),
        finished_at=Now(),
        due_at=due_at,
        publications=0,
        errors=errors,
        history=_append_history("retry", error),
        **_describe_error(error),
    )


def _fail_for_good(
    run: PipelineRun, row: StageRun, *, error: Exception, final: Exception, errors: int, evictions: int | None = None
) -> None:
    """Running -> failed, with its run and session; the learner gets one mail that says what to do."""
    described = _describe_error(error)
    described["learner_message"] = getattr(final, "learner_message", MomentCloneError.learner_message)
    StageRun.objects.filter(pk=row.pk).update(
        state=StageState.FAILED,
        lease_until=None,
        due_at=None,
        finished_at=Now(),
        errors=errors,
        evictions=row.evictions if evictions is None else evictions,
        history=_append_history("failed", error),
        **described,
    )
    run.state = RunState.FAILED
    run.error = f"{row.stage}: {final}"
    run.learner_message = described["learner_message"]
    run.save(update_fields=["state", "error", "learner_message"])
    PipelineRun.objects.filter(pk=run.pk).update(finished_at=Now())
    _settle_session(run, otherwise=SessionStatus.FAILED)
    queue_failure_mail(run)
    logger.error("run %s failed in %s: %s", run.id, row.stage, final)


def _settle_session(run: PipelineRun, *, otherwise: SessionStatus) -> None:
    """A learner who has a film keeps it, whatever became of a later run."""
    session = run.session
    if session.pipeline_job_id != run.id:
        return
    session.status = SessionStatus.COMPLETED if session.coaching_video_gcs_path else otherwise
    session.pipeline_error = run.learner_message
    session.save(update_fields=["status", "pipeline_error", "updated_at"])


def _describe_error(error: Exception) -> dict[str, str]:
    return {
        "error_class": type(error).__name__,
        "error_message": str(error)[:2000],
        "error_stderr": getattr(error, "stderr_tail", "")[-STDERR_TAIL_CHARACTERS:],
        "learner_message": getattr(error, "learner_message", MomentCloneError.learner_message),
    }


def _append_history(outcome: str, error: Exception | None = None) -> RawSQL:
    """One more ended attempt for the timeline: queued, started and ended at, by whom, with what outcome."""
    return RawSQL(
        "history || jsonb_build_array(jsonb_build_object('attempt', attempt, 'worker', worker, 'queued_at', queued_at,"
        " 'started_at', started_at, 'ended_at', statement_timestamp(), 'outcome', %s::text, 'error', %s::text))",
        [outcome, f"{type(error).__name__}: {error}"[:500] if error else ""],
    )


# --- watching -------------------------------------------------------------------------------------------------------


def expire_leases(*, limit: int = 500) -> int:
    """Take back stages whose worker went silent. An eviction is no error of the stage, but has a cap of its own."""
    expired = StageRun.objects.filter(state=StageState.RUNNING, lease_until__lt=Now()).order_by("lease_until")
    taken = 0
    for run_id, session_id in expired.values_list("run_id", "run__session_id")[:limit]:
        with transaction.atomic():
            # Another watchdog, or a commit under way, holds the session: the next sweep looks again.
            session = Session.objects.select_for_update(skip_locked=True).filter(pk=session_id).first()
            if session is None:
                continue
            run = _lock_run(session_id=session_id, run_id=run_id)
            for row in run.stages.select_for_update().filter(state=StageState.RUNNING, lease_until__lt=Now()):
                _evict(run, row)
                taken += 1
    return taken


def _evict(run: PipelineRun, row: StageRun) -> None:
    error = AttemptsExhausted(f"worker {row.worker} went silent in attempt {row.attempt}")
    evictions = row.evictions + 1
    logger.warning("%s of run %s: %s (eviction %d)", row.stage, row.run_id, error, evictions)
    if evictions >= settings.STAGE_MAX_EVICTIONS:
        _fail_for_good(run, row, error=error, final=error, errors=row.errors, evictions=evictions)
        return
    StageRun.objects.filter(pk=row.pk).update(
        state=StageState.QUEUED,
        lease_until=None,
        queued_at=Now(),
        finished_at=Now(),
        due_at=Now(),
        publications=0,
        evictions=evictions,
        history=_append_history("evicted", error),
        **_describe_error(error),
    )


def take_due_stages(*, count_broker_messages: Callable[[], int], limit: int = 500) -> list[StagePointer]:
    """Queued rows whose message is missing, marked as published again; the caller publishes them after commit.

    A row with `publications=0` has no message for sure. One that was published is published again only when the
    broker holds fewer messages than such rows and running ones need, or past `REPUBLISH_HARD_AGE_SECONDS`: a long
    honest backlog is not multiplied. The pause doubles with every publication.
    """
    published = StageRun.objects.filter(state=StageState.QUEUED, publications__gt=0, run__state=RunState.RUNNING)
    overdue = Q(publications=0) | Q(due_at__lt=Now() - _seconds(settings.REPUBLISH_HARD_AGE_SECONDS))
    if published.filter(due_at__lt=Now()).exists():
        running = StageRun.objects.filter(state=StageState.RUNNING)  # each holds its message unacknowledged
        if count_broker_messages() < published.count() + running.count():
            overdue = Q()
    with transaction.atomic():
        due = list(
            StageRun.objects.filter(overdue, state=StageState.QUEUED, due_at__lte=Now(), run__state=RunState.RUNNING)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("due_at")[:limit]
        )
        for row in due:
            pause = min(
                settings.REPUBLISH_AFTER_SECONDS * 2 ** min(row.publications, 6), settings.REPUBLISH_HARD_AGE_SECONDS
            )
            StageRun.objects.filter(pk=row.pk).update(
                publications=F("publications") + 1, due_at=Now() + _seconds(pause)
            )
    return [StagePointer(run_id=row.run_id, stage=Stage(row.stage)) for row in due]


# --- steering -------------------------------------------------------------------------------------------------------


def cancel_run(*, run_id: UUID, reason: str) -> None:
    """End a running run; whoever runs a stage of it is fenced out and stops within a third of a lease.

    Raises `Conflict` when it is not running.
    """
    session_id = PipelineRun.objects.values_list("session_id", flat=True).get(pk=run_id)
    with transaction.atomic():
        run = _lock_run(session_id=session_id, run_id=run_id)
        if run.state != RunState.RUNNING:
            raise Conflict(f"run {run.id} is {run.state}: nothing to cancel")
        _stop_run(run, reason)
        _settle_session(run, otherwise=SessionStatus.CANCELLED)


def _stop_run(run: PipelineRun, reason: str) -> None:
    open_states = [StageState.PENDING, StageState.QUEUED, StageState.RUNNING]
    run.stages.filter(state__in=open_states).update(
        state=StageState.CANCELLED,
        fence=F("fence") + 1,
        lease_until=None,
        due_at=None,
        finished_at=Now(),
        history=_append_history("cancelled"),
    )
    run.state = RunState.CANCELLED
    run.error = f"cancelled: {reason}"
    run.save(update_fields=["state", "error"])
    PipelineRun.objects.filter(pk=run.pk).update(finished_at=Now())


def rerun_session(
    *, session_id: int, first_stage: Stage, requested_by: User | None, supersede: bool = False
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
            _stop_run(previous, f"superseded by a re-run from {first_stage}")
        return start_run(
            session=session,
            cause=RunCause.RERUN,
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
    return rerun_session(session_id=session_id, first_stage=Stage(failed.stage), requested_by=requested_by)
