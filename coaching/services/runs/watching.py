"""The watchdog's part: take back what silent workers held, find what has to be published."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from coaching.errors import AttemptsExhausted
from coaching.models import PipelineRun, RunState, Session, Stage, StageRun, StageState
from coaching.services.runs.ending import fail_for_good
from coaching.services.runs.rows import append_history, describe_error, in_seconds, lock_run

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePointer:
    """What a message is about: publishing it starts the chain from this stage on."""

    run_id: UUID
    stage: Stage


# A lease, and a wait for a message, that reach further than this were given before the database's clock was set back.
BELIEVABLE_LEASES = 10
BELIEVABLE_HARD_AGES = 2
LOOKS_FOR_MESSAGES = 5
BETWEEN_LOOKS_SECONDS = 0.1


def _is_expired() -> Q:
    too_far = Now() + in_seconds(BELIEVABLE_LEASES * settings.STAGE_LEASE_SECONDS)
    return Q(state=StageState.RUNNING) & (Q(lease_until__lt=Now()) | Q(lease_until__gt=too_far))


def expire_leases(*, limit: int = 500) -> int:
    """Take back stages whose worker went silent. An eviction is no error of the stage, but has a cap of its own.

    A worker that lives sets a lease from before a jump of the clock right at its next renewal.
    """
    expired = StageRun.objects.filter(_is_expired()).order_by("lease_until")
    taken = 0
    for run_id, session_id in expired.values_list("run_id", "run__session_id")[:limit]:
        with transaction.atomic():
            # Another watchdog, or a commit under way, holds the session: the next sweep looks again.
            session = Session.objects.select_for_update(skip_locked=True).filter(pk=session_id).first()
            if session is None:
                continue
            run = lock_run(session_id=session_id, run_id=run_id)
            for row in run.stages.select_for_update().filter(_is_expired()):
                _evict(run, row)
                taken += 1
    return taken


def _evict(run: PipelineRun, row: StageRun) -> None:
    error = AttemptsExhausted(f"worker {row.worker} went silent in attempt {row.attempt}")
    evictions = row.evictions + 1
    logger.warning("%s of run %s: %s (eviction %d)", row.stage, row.run_id, error, evictions)
    if evictions >= settings.STAGE_MAX_EVICTIONS:
        fail_for_good(run, row, error=error, final=error, errors=row.errors, evictions=evictions)
        return
    StageRun.objects.filter(pk=row.pk).update(
        state=StageState.QUEUED,
        lease_until=None,
        queued_at=Now(),
        finished_at=Now(),
        due_at=Now(),
        publications=0,
        evictions=evictions,
        history=append_history("evicted", error),
        **describe_error(error),
    )


def take_due_stages(*, count_broker_messages: Callable[[], int], limit: int = 500) -> list[StagePointer]:
    """Queued rows whose message is missing, marked as published again; the caller publishes them after commit.

    A row with `publications=0` has no message for sure. One that was published is published again only when the
    broker holds fewer messages than such rows and running ones need, or past `REPUBLISH_HARD_AGE_SECONDS`: a long
    honest backlog is not multiplied. The pause doubles with every publication.
    """
    too_far = Now() + in_seconds(BELIEVABLE_HARD_AGES * settings.REPUBLISH_HARD_AGE_SECONDS)
    is_due = Q(due_at__lte=Now()) | Q(due_at__gt=too_far, publications__gt=0)
    overdue = Q(publications=0) | Q(due_at__lt=Now() - in_seconds(settings.REPUBLISH_HARD_AGE_SECONDS))
    if StageRun.objects.filter(_is_published(), is_due).exists() and _are_messages_missing(count_broker_messages):
        overdue = Q()
    with transaction.atomic():
        due = list(
            StageRun.objects.filter(is_due, overdue, state=StageState.QUEUED, run__state=RunState.RUNNING)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("due_at")[:limit]
        )
        for row in due:
            pause = min(
                settings.REPUBLISH_AFTER_SECONDS * 2 ** min(row.publications, 6), settings.REPUBLISH_HARD_AGE_SECONDS
            )
            StageRun.objects.filter(pk=row.pk).update(
                publications=F("publications") + 1, due_at=Now() + in_seconds(pause)
            )
    return [StagePointer(run_id=row.run_id, stage=Stage(row.stage)) for row in due]


def _is_published() -> Q:
    return Q(state=StageState.QUEUED, publications__gt=0, run__state=RunState.RUNNING)


def _are_messages_missing(count_broker_messages: Callable[[], int]) -> bool:
    """Whether the broker holds fewer messages than there ought to be, at several looks.

    A message that a worker is just taking is in no list for a moment; what is lost is lost at every look.
    """
    for look in range(LOOKS_FOR_MESSAGES):
        if look:
            time.sleep(BETWEEN_LOOKS_SECONDS)
        held = count_broker_messages()
        # One statement, one snapshot: a row that is claimed meanwhile counts once. A running one's is unacknowledged.
        if held >= StageRun.objects.filter(_is_published() | Q(state=StageState.RUNNING)).count():
            return False
    return True
