"""One short task per stage. A message carries the run's id; `services.execution` does the rest."""

from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import Ignore

from coaching.models import Stage, StageState
from coaching.services import analysis, composition, delivery, inspection, listening, narration, retrieval, script
from coaching.services.execution import Work, execute_stage

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
    @shared_task(bind=True, name=f"tasks.stages.{stage.value}", ignore_result=False)
    def run(self: StageTask, run_id: str) -> dict[str, str]:
        state = execute_stage(run_id=UUID(run_id), stage=stage, worker=str(self.request.hostname), work=WORK[stage])
        if state != StageState.DONE:
            raise Ignore  # acknowledged, and this copy's chain ends here: the row says what happens next
        return {"run": run_id, "stage": stage.value}

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
