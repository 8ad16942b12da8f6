"""The project's own Celery application, whose engines answer at once, and tasks that do nothing, for comparison.

`celery -A tests.benchmarks.workers.instant worker`. Everything but the eight functions of `tasks.stages.WORK` is the
product's: messages, claims, leases, commits, results. Each stage keeps an output and does an effect in its commit.
"""

from typing import Any

from celery.signals import import_modules

from project.celery import app

__all__ = ["app", "do_nothing"]


@app.task(name="bench.do_nothing", ignore_result=False)
def do_nothing(run_id: str) -> dict[str, str]:
    return {"run": run_id, "stage": "nothing"}


@import_modules.connect(weak=False)
def make_engines_instant(**_: Any) -> None:
    """Only now are Django's models there to be imported."""
    from coaching.models import AuditEntry, Stage
    from coaching.services.execution import StageJob, StageResult
    from tasks import stages

    def answer_at_once(job: StageJob) -> StageResult:
        target = f"session:{job.claim.session_id}"

        def leave_effect() -> None:
            AuditEntry.objects.create(action=f"effect:{job.claim.stage}", target=target)

        return StageResult(output={"text": "x" * 2000}, effect=leave_effect)

    for stage in Stage:
        stages.WORK[stage] = answer_at_once
