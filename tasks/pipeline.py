"""The chain, as one readable list, and the ways to start, resume, re-run and end it.

Each way calls one service and publishes when its transaction has committed. A publication that is lost on the way is
made again by the watchdog (tasks.upkeep), so nothing here waits for the broker or fails without it.
"""

import logging
from uuid import UUID

from celery import chain
from django.db import transaction
from kombu.exceptions import OperationalError

from coaching.log_context import bind_ids
from coaching.models import PipelineRun, Stage, User
from coaching.services import runs, second_try, sessions, steering
from coaching.services.steering import Order
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
        with bind_ids(run_id=run_id):
            logger.info("%s of run %s is published", first_stage, run_id)
    except OperationalError as error:
        logger.warning("%s of run %s is not published, the watchdog will: %s", first_stage, run_id, error)


def submit(*, session_id: int, user_id: int) -> PipelineRun:
    """Start the pipeline of a session whose video is complete. Raises what `sessions.submit_session` raises."""
    with transaction.atomic():
        run = sessions.submit_session(session_id=session_id, user_id=user_id)
        _publish_on_commit(run)
    return run


def rerun(*, session_id: int, first_stage: Stage, order: Order, supersede: bool = False) -> PipelineRun:
    """Run a session again from a stage on, on an operator's order. Raises what `steering.rerun` raises."""
    with transaction.atomic():
        run = steering.rerun(session_id=session_id, first_stage=first_stage, order=order, supersede=supersede)
        _publish_on_commit(run)
    return run


def retry(*, session_id: int, order: Order) -> PipelineRun:
    """Run the failed stage again, and what follows. Raises what `steering.retry` raises."""
    with transaction.atomic():
        run = steering.retry(session_id=session_id, order=order)
        _publish_on_commit(run)
    return run


def try_again(*, session_id: int, user: User) -> PipelineRun:
    """The learner's own second try of a failed session. Raises what `second_try.try_again` raises."""
    with transaction.atomic():
        run = second_try.try_again(user=user, session_id=session_id)
        _publish_on_commit(run)
    return run


def cancel(*, session_id: int, order: Order) -> PipelineRun:
    """End the run in progress. Raises what `steering.cancel` raises."""
    return steering.cancel(session_id=session_id, order=order)


def _publish_on_commit(run: PipelineRun) -> None:
    transaction.on_commit(lambda: publish(run.id, Stage(run.first_stage)))
