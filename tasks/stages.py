"""One short task per stage. A message carries the run's id; `services.execution` does the rest."""

import logging
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Ignore
from django.conf import settings

from coaching.models import Stage, StageState
from coaching.services import analysis, composition, delivery, inspection, listening, narration, retrieval, script
from coaching.services.execution import Work, execute_stage
from tasks.messages import UnusableMessage, read_run_id, require_queue

logger = logging.getLogger(__name__)

WORK: dict[Stage, Work] = {
    Stage.INSPECT: inspection.inspect_upload,
    Stage.LISTEN: listening.listen_to_memo,
    Stage.ANALYSE: analysis.analyse_video,
    Stage.RETRIEVE: retrieval.retrieve_principles,
    Stage.SCRIPT: script.write_script,
    Stage.NARRATE: narration.narrate_script,
    Stage.COMPOSE: composition.compose_film,
    Stage.DELIVER: delivery.deliver_film,
}

StageTask = Task[[str], dict[str, str]]


def _make_task(stage: Stage) -> StageTask:
    # Celery's own limit, which kills a process of the prefork pool, is the last resort: the stage's lease knows the
    # limit and ends the work before.
    last_resort_seconds = int(settings.STAGE_TIME_LIMITS_SECONDS[stage] + 2 * settings.STAGE_LEASE_SECONDS)

    @shared_task(
        bind=True, name=f"tasks.stages.{stage.value}", ignore_result=False, time_limit=last_resort_seconds, typing=False
    )
    def run(self: StageTask, *args: Any, **kwargs: Any) -> dict[str, str]:
        try:
            require_queue(
                arrived_on=(self.request.delivery_info or {}).get("routing_key"),
                expected=settings.STAGE_QUEUES[stage],
            )
            run_id = read_run_id(args, kwargs)
        except UnusableMessage as error:
            logger.warning("a message for %s is ignored: %s", stage, error)
            raise Ignore from error
        state = execute_stage(run_id=run_id, stage=stage, worker=str(self.request.hostname), work=WORK[stage])
        if state != StageState.DONE:
            raise Ignore  # acknowledged, and this copy's chain ends here: the row says what happens next
        return {"run": str(run_id), "stage": stage.value}

    task: StageTask = run
    return task


inspect = _make_task(Stage.INSPECT)
listen = _make_task(Stage.LISTEN)
analyse = _make_task(Stage.ANALYSE)
retrieve = _make_task(Stage.RETRIEVE)
write_script = _make_task(Stage.SCRIPT)
narrate = _make_task(Stage.NARRATE)
compose = _make_task(Stage.COMPOSE)
deliver = _make_task(Stage.DELIVER)
