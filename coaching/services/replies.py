"""Every transition of a Reply, each guarded by state and fence, as `services.runs` does it for stages.

A room's questions are answered in their order: a reply can be claimed only when no earlier one of its room is pending.
A worker that is killed loses its lease within seconds, and the watchdog publishes the reply again; a copy that wakes
late finds a newer fence and changes nothing. Times are the database's clock.
"""

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from coaching.errors import (
    AttemptsExhausted,
    Conflict,
    LeaseLost,
    MomentCloneError,
    NotFound,
    RetryableError,
    RetryLater,
)
from coaching.models import Message, Reply, ReplyState, User
from coaching.services.usage_entries import append_usage, list_usage

logger = logging.getLogger(__name__)

PUBLISH_AGAIN_SECONDS = 10.0  # doubled with each publication: in an honest backlog few copies of a message are made
PUBLISH_AGAIN_CAP_SECONDS = 600.0
RETRY_BASE_SECONDS = 1.0
SILENT_WORKER = "the worker went silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyClaim:
    """The right to write one answer: valid while the row's fence is this one and its lease lives."""

    reply_id: int
    room_id: int
    fence: int
    attempt: int


def _seconds(seconds: float) -> Value:
    return Value(timedelta(seconds=seconds))


def _is_free() -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lt=Now())


def _list_first_in_rooms() -> QuerySet[Reply]:
    """Pending replies with no earlier pending one in their room."""
    earlier = Reply.objects.filter(room=OuterRef("room"), state=ReplyState.PENDING, pk__lt=OuterRef("pk"))
    return Reply.objects.filter(~Exists(earlier), state=ReplyState.PENDING)


# --- owning ---------------------------------------------------------------------------------------------------------


def claim_reply(*, reply_id: int, worker: str) -> ReplyClaim | None:
    """Take the reply in one conditional UPDATE: of all copies of a message, one gets a claim, the others None."""
    won = (
        _list_first_in_rooms()
        .filter(_is_free(), pk=reply_id, attempt__lt=settings.CHAT_MAX_ATTEMPTS)
        .update(
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            worker=worker[:200],
            lease_until=Now() + _seconds(settings.CHAT_LEASE_SECONDS),
            started_at=Now(),
        )
    )
    if not won:
        return None
    row = Reply.objects.get(pk=reply_id)
    return ReplyClaim(reply_id=row.pk, room_id=row.room_id, fence=row.fence, attempt=row.attempt)


def _held(claim: ReplyClaim) -> QuerySet[Reply]:
    return Reply.objects.filter(
        pk=claim.reply_id, fence=claim.fence, state=ReplyState.PENDING, lease_until__isnull=False
    )


def renew_lease(claim: ReplyClaim) -> bool:
    """False: the reply was taken away, and its work must stop."""
    return _held(claim).update(lease_until=Now() + _seconds(settings.CHAT_LEASE_SECONDS)) == 1


def note_first_words(claim: ReplyClaim) -> None:
    """The first words that the learner can read, over all attempts."""
    _held(claim).filter(first_words_at__isnull=True).update(first_words_at=Now())


# --- ending ---------------------------------------------------------------------------------------------------------


def commit_answer(
    claim: ReplyClaim, *, text: str, metadata: dict[str, Any], usage: Sequence[dict[str, Any]] = ()
) -> None:
    """Keep the whole answer. Raises `LeaseLost`, having changed nothing, when the claim is no longer the newest."""
    with transaction.atomic():
        kept = _held(claim).update(
            state=ReplyState.ANSWERED,
            lease_until=None,
            due_at=None,
            finished_at=Now(),
            usage=append_usage(usage),
            error_class="",
            error_message="",
            learner_message="",
        )
        if not kept:
            raise LeaseLost(f"reply {claim.reply_id}: fence {claim.fence} is not the newest")
        Message.objects.filter(reply_of__pk=claim.reply_id).update(text=text, metadata=metadata)


def fail_reply(claim: ReplyClaim, error: Exception) -> ReplyState:
    """Record an attempt that raised: come back after a pause, or fail for good. Raises `LeaseLost`."""
    with transaction.atomic():
        row = _held(claim).select_for_update().first()
        if row is None:
            raise LeaseLost(f"reply {claim.reply_id}: fence {claim.fence} is not the newest")
        permanent = isinstance(error, MomentCloneError) and not isinstance(error, RetryableError)
        if permanent or row.errors + 1 >= settings.CHAT_MAX_ATTEMPTS or row.attempt >= settings.CHAT_MAX_ATTEMPTS:
            _give_up(row, error, errors=row.errors + 1)
            return ReplyState.FAILED
        Reply.objects.filter(pk=row.pk).update(
            lease_until=None,
            errors=row.errors + 1,
            due_at=_find_due_time(error, row.errors),
            usage=append_usage(list_usage(error)),
            **_describe_error(error),
        )
        return ReplyState.PENDING


def _find_due_time(error: Exception, errors_before: int) -> Any:
    """When to try again: the other side's word, else after a doubling pause; both with a little jitter."""
    if isinstance(error, RetryLater):
        return error.due_at
    asked = error.retry_after_seconds if isinstance(error, RetryableError) else None
    pause = asked if asked is not None else RETRY_BASE_SECONDS * 2**errors_before
    return Now() + _seconds(pause * random.uniform(1.0, 1.2))


def _give_up(row: Reply, error: Exception, *, errors: int) -> None:
    Reply.objects.filter(pk=row.pk).update(
        state=ReplyState.FAILED,
        lease_until=None,
        due_at=None,
        finished_at=Now(),
        errors=errors,
        usage=append_usage(list_usage(error)),
        **_describe_error(error),
    )
    logger.error("reply %s failed: %s: %s", row.pk, type(error).__name__, error)


def _describe_error(error: Exception) -> dict[str, str]:
    return {
        "error_class": type(error).__name__,
        "error_message": str(error)[:2000],
        "learner_message": getattr(error, "learner_message", MomentCloneError.learner_message),
    }


def retry_reply(*, user: User, reply_id: int) -> Reply:
    """The learner asks the same thing again. Raises `NotFound`; `Conflict` where it has not failed."""
    with transaction.atomic():
        found = Reply.objects.select_for_update().filter(pk=reply_id, room__user=user).first()
        if found is None:
            raise NotFound(f"no reply {reply_id} for user {user.pk}")
        if found.state != ReplyState.FAILED:
            raise Conflict(f"reply {reply_id} is {found.state}")
        Reply.objects.filter(pk=reply_id).update(
            state=ReplyState.PENDING,
            fence=F("fence") + 1,
            attempt=0,
            errors=0,
            publications=1,
            finished_at=None,
            first_words_at=None,
            asked_at=Now(),
            due_at=Now() + _seconds(PUBLISH_AGAIN_SECONDS),
        )
        found.refresh_from_db()
    return found


# --- watching -------------------------------------------------------------------------------------------------------


def find_next_reply(room_id: int) -> int | None:
    """The reply that is first in its room now, if nobody writes it yet."""
    waiting = _list_first_in_rooms().filter(_is_free(), room_id=room_id).filter(due_at__isnull=False)
    return waiting.filter(errors=0).values_list("pk", flat=True).first()


def take_due_replies(*, limit: int = 200) -> list[int]:
    """Replies to be published now: lost messages, silent workers, due retries. Two watchdogs share the work."""
    with transaction.atomic():
        due = list(
            _list_first_in_rooms()
            .filter(_is_free(), due_at__lte=Now())
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("due_at")[:limit]
        )
        for row in due:
            if row.attempt >= settings.CHAT_MAX_ATTEMPTS:
                _give_up(row, AttemptsExhausted(f"{SILENT_WORKER} in {row.attempt} attempts"), errors=row.errors)
        taken = [row.pk for row in due if row.attempt < settings.CHAT_MAX_ATTEMPTS]
        doubled = _publish_pauses()
        Reply.objects.filter(pk__in=taken).update(
            lease_until=None, due_at=Now() + doubled, publications=F("publications") + 1
        )
    return taken


def _publish_pauses() -> Case:
    """When to publish again what nobody takes: after a pause that doubles up to its cap."""
    pauses = [PUBLISH_AGAIN_SECONDS * 2**power for power in range(7)]
    steps = [When(publications__lte=count, then=_seconds(pause)) for count, pause in enumerate(pauses)]
    return Case(*steps, default=_seconds(PUBLISH_AGAIN_CAP_SECONDS))
