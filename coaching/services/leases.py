"""Holds a lease from a thread while its work is done, and says when the work must stop."""

import contextlib
import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.db import DatabaseError, connection

from coaching.services.runs import Claim, renew_lease

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Lease:
    """`lost` is set when the work was taken away, may have been, or (`timed_out`) has run past its limit."""

    lost: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    timed_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTerms:
    """`renew` answers whether the lease is still ours; `work` names what it is held for, in logs."""

    work: str
    lease_seconds: float
    limit_seconds: float
    renew: Callable[[], bool]
    on_overrun: Callable[[], None]


def hold_lease(claim: Claim, *, on_overrun: Callable[[Claim], None]) -> contextlib.AbstractContextManager[Lease]:
    """Hold a stage's lease; `on_overrun` gives up a stage that goes on after its limit, as `keep_renewing` says."""
    return keep_renewing(
        LeaseTerms(
            work=f"{claim.stage} of run {claim.run_id}",
            lease_seconds=settings.STAGE_LEASE_SECONDS,
            limit_seconds=settings.STAGE_TIME_LIMITS_SECONDS[claim.stage],
            renew=partial(renew_lease, claim),
            on_overrun=partial(on_overrun, claim),
        )
    )


@contextlib.contextmanager
def keep_renewing(terms: LeaseTerms) -> Iterator[Lease]:
    """Renew the lease every third of it until the block ends.

    Pools of threads know no time limits, so the work's own is kept here: past it the lease is lost, and work that
    still goes on a third of a lease later is given up by `on_overrun`, called from this thread.
    """
    lease = Lease()
    # In a copy of our context: its log lines carry the same ids.
    keep = partial(contextvars.copy_context().run, _keep_lease, terms, lease)
    keeper = threading.Thread(target=keep, name=f"lease of {terms.work}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.over.set()
        keeper.join()


def _keep_lease(terms: LeaseTerms, lease: Lease) -> None:
    period_seconds = terms.lease_seconds / 3
    renewed_at = time.monotonic()
    ends_at = renewed_at + terms.limit_seconds
    try:
        while not lease.over.wait(max(0.0, min(period_seconds, ends_at - time.monotonic()))):
            if time.monotonic() >= ends_at:
                lease.timed_out = True
                lease.lost.set()
                if not lease.over.wait(period_seconds):
                    terms.on_overrun()
                return
            try:
                held = terms.renew()
            except DatabaseError as error:
                # Out of touch with the database, the lease runs out there unseen: by then this copy must have stopped.
                logger.warning("%s: cannot renew the lease: %s", terms.work, error)
                connection.close()
                held = time.monotonic() - renewed_at < terms.lease_seconds
            else:
                renewed_at = time.monotonic()
            if not held:
                lease.lost.set()
                return
    finally:
        connection.close()
