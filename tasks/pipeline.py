"""The chain, as one readable list, and the ways to start, resume, re-run and end it.

Each way calls one service and publishes when its transaction has committed. A publication that is lost on the way is
made again by the watchdog (tasks.upkeep), so nothing here waits for the broker or fails without it.
"""

import logging
from uuid import UUID

from celery import chain
from django.db import transaction
from kombu.exceptions import OperationalError

from coaching.models import PipelineRun, Stage, User
from coaching.services import runs, sessions
from tasks.stages import analyse, compose, deliver, inspect, listen, narrate, retrieve, write_script

logger = logging.getLogger(__name__)

STAGES = [
    inspect,
    listen,
    analyse,
    retrieve,
    write_script,
    narrate,
    compose,
    deliver,
]


def publish(run_id: UUID, first_stage: Stage) -> None:
    """Send the chain from `first_stage` on. Without a broker the row stays queued, and the watchdog sends it later."""
    first = runs.STAGES.index(first_stage)
    try:
        chain(*(stage.si(str(run_id)) for stage in STAGES[first:])).apply_async()
    except OperationalError as error:
        logger.warning("%s of run %s is not published, the watchdog will: %s", first_stage, run_id, error)


def submit(*, session_id: int, user_id: int) -> PipelineRun:
    """Start the pipeline of a session whose video is complete. Raises what `sessions.submit_session` raises."""
    with transaction.atomic():
        run = sessions.submit_session(session_id=session_id, user_id=user_id)
        _publish_on_commit(run)
    return run


def rerun(*, session_id: int, first_stage: Stage, requested_by: User | None, supersede: bool = False) -> PipelineRun:
    with transaction.atomic():
        run = runs.rerun_session(
            session_id=session_id, first_stage=first_stage, requested_by=requested_by, supersede=supersede
        )
        _publish_on_commit(run)
    return run


def retry(*, session_id: int, requested_by: User | None) -> PipelineRun:
    with transaction.atomic():
        run = runs.retry_session(session_id=session_id, requested_by=requested_by)
        _publish_on_commit(run)
    return run


def cancel(*, run_id: UUID, reason: str) -> None:
    runs.cancel_run(run_id=run_id, reason=reason)


def _publish_on_commit(run: PipelineRun) -> None:
    transaction.on_commit(lambda: publish(run.id, Stage(run.first_stage)))
