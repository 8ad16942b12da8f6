"""Holds a stage's lease from a thread while it is worked on, and says when the work must stop."""

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
    """`lost` is set when the stage was taken away, may have been, or (`timed_out`) has run past its limit."""

    lost: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    timed_out: bool = False


@contextlib.contextmanager
def hold_lease(claim: Claim, *, on_overrun: Callable[[Claim], None]) -> Iterator[Lease]:
    """Renew the lease every third of it until the block ends.

    Pools of threads know no time limits, so the stage's own is kept here: past it the lease is lost, and work that
    still goes on a third of a lease later is given up by `on_overrun`, called from this thread.
    """
    lease = Lease()
    # In a copy of our context: its log lines carry the same ids.
    keep = partial(contextvars.copy_context().run, _keep_lease, claim, lease, on_overrun)
    keeper = threading.Thread(target=keep, name=f"lease-{claim.stage}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.over.set()
        keeper.join()


def _keep_lease(claim: Claim, lease: Lease, on_overrun: Callable[[Claim], None]) -> None:
    period_seconds = settings.STAGE_LEASE_SECONDS / 3
    renewed_at = time.monotonic()
    ends_at = renewed_at + settings.STAGE_TIME_LIMITS_SECONDS[claim.stage]
    try:
        while not lease.over.wait(max(0.0, min(period_seconds, ends_at - time.monotonic()))):
            if time.monotonic() >= ends_at:
                lease.timed_out = True
                lease.lost.set()
                if not lease.over.wait(period_seconds):
                    on_overrun(claim)
                return
            try:
                held = renew_lease(claim)
            except DatabaseError as error:
                # Out of touch with the database, the lease runs out there unseen: by then this copy must have stopped.
                logger.warning("%s of run %s: cannot renew the lease: %s", claim.stage, claim.run_id, error)
                connection.close()
                held = time.monotonic() - renewed_at < settings.STAGE_LEASE_SECONDS
            else:
                renewed_at = time.monotonic()
            if not held:
                lease.lost.set()
                return
    finally:
        connection.close()
