"""Celery's own result rows (django-celery-results), tied to the runs that they are of.

Such a row holds what a stage's task answered, `{"run": …, "stage": …}`; there is no column for it. The rows are few
and expire, and their dates are indexed: a run's are looked for among those of its own time.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_celery_results.models import TaskResult

from coaching.models import PipelineRun

MARGIN = timedelta(minutes=5)  # a result is written after its stage's commit, by another clock


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAnswer:
    run_id: UUID
    stage: str


def list_results_of_run(run: PipelineRun) -> "QuerySet[TaskResult]":
    """Newest last; empty for a run whose results have expired."""
    until = (run.finished_at or timezone.now()) + MARGIN
    found: QuerySet[TaskResult] = TaskResult.objects.filter(
        date_done__gte=run.created_at - MARGIN, date_done__lte=until, result__contains=str(run.pk)
    ).order_by("date_done")
    return found


def read_answer(result: TaskResult) -> StageAnswer | None:
    """Which stage of which run a result is of; None for every other task's."""
    try:
        answer = json.loads(result.result or "null")
        return StageAnswer(run_id=UUID(answer["run"]), stage=str(answer["stage"]))
    except (ValueError, TypeError, KeyError):
        return None
