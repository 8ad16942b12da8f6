"""A stage ends: kept with its effect, put back for another attempt, or failed for good."""

import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from coaching.errors import AttemptsExhausted, LeaseLost, MomentCloneError, RetryableError, RetryLater
from coaching.models import PipelineRun, RunState, SessionStatus, StageRun, StageState
from coaching.services.mail import queue_failure_mail
from coaching.services.runs.owning import Claim, held
from coaching.services.runs.rows import (
    STAGES,
    append_history,
    describe_error,
    in_seconds,
    lock_run,
    queue_stage,
    settle_session,
)
from coaching.services.usage_entries import append_usage, list_usage

logger = logging.getLogger(__name__)


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
        run = lock_run(session_id=claim.session_id, run_id=claim.run_id)
        kept = StageRun.objects.filter(held(claim)).update(
            state=StageState.DONE,
            lease_until=None,
            due_at=None,
            finished_at=Now(),
            progress_percent=100,
            output=output,
            usage=append_usage(usage),
            error_class="",
            error_message="",
            error_stderr="",
            learner_message="",
            history=append_history("done"),
        )
        if not kept:
            raise LeaseLost(f"{claim.stage} of run {claim.run_id}: fence {claim.fence} is not the newest")
        if effect is not None:
            effect()
        following = STAGES.index(claim.stage) + 1
        if following < len(STAGES):
            queue_stage(claim.run_id, STAGES[following])
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
        run = lock_run(session_id=claim.session_id, run_id=claim.run_id)
        row = StageRun.objects.select_for_update().filter(held(claim)).first()
        if row is None:
            raise LeaseLost(f"{claim.stage} of run {claim.run_id}: fence {claim.fence} is not the newest")
        counts = 0 if isinstance(error, RetryLater) else 1
        permanent = isinstance(error, MomentCloneError) and not isinstance(error, RetryableError)
        if not permanent and row.errors + counts < settings.STAGE_MAX_ATTEMPTS:
            _put_back(row, error=error, errors=row.errors + counts, due_at=_find_due_time(error, row.errors))
            return StageState.QUEUED
        final = error if permanent else AttemptsExhausted(f"gave up after {row.errors + counts} errors: {error}")
        fail_for_good(run, row, error=error, final=final, errors=row.errors + counts)
        return StageState.FAILED


def _find_due_time(error: Exception, errors_before: int) -> datetime | Any:
    """When to try again: the other side's word with a little jitter, else a doubling pause with full jitter."""
    if isinstance(error, RetryLater):
        return error.due_at
    asked = error.retry_after_seconds if isinstance(error, RetryableError) else None
    if asked is not None:
        return Now() + in_seconds(asked * random.uniform(1.0, 1.2))
    ceiling = min(settings.STAGE_RETRY_CAP_SECONDS, settings.STAGE_RETRY_BASE_SECONDS * 2**errors_before)
    return Now() + in_seconds(random.uniform(ceiling / 2, ceiling))


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
        history=append_history("retry", error),
        usage=append_usage(list_usage(error)),
        **describe_error(error),
    )


def fail_for_good(
    run: PipelineRun, row: StageRun, *, error: Exception, final: Exception, errors: int, evictions: int | None = None
) -> None:
    """Running -> failed, with its run and session; the learner gets one mail that says what to do."""
    described = describe_error(error)
    described["learner_message"] = getattr(final, "learner_message", MomentCloneError.learner_message)
    StageRun.objects.filter(pk=row.pk).update(
        state=StageState.FAILED,
        lease_until=None,
        due_at=None,
        finished_at=Now(),
        errors=errors,
        evictions=row.evictions if evictions is None else evictions,
        history=append_history("failed", error),
        usage=append_usage(list_usage(error)),
        **described,
    )
    run.state = RunState.FAILED
    run.error = f"{row.stage}: {final}"
    run.learner_message = described["learner_message"]
    run.save(update_fields=["state", "error", "learner_message"])
    PipelineRun.objects.filter(pk=run.pk).update(finished_at=Now())
    settle_session(run, otherwise=SessionStatus.FAILED)
    queue_failure_mail(run)
    logger.error("run %s failed in %s: %s", run.id, row.stage, final)
