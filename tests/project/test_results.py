"""Result rows of tasks go by themselves. What they hold is seen in `test_logs`, where a real worker writes them."""

from datetime import timedelta

import pytest
from celery.beat import Scheduler
from django.utils import timezone
from django_celery_results.models import TaskResult

from project.celery import app

CLEANUP = "celery.backend_cleanup"


def test_beat_sends_the_cleanup_once_a_day_to_the_queue_of_upkeep() -> None:
    scheduler = Scheduler(app, lazy=True)
    scheduler.install_default_entries({})
    entry = scheduler.schedule[CLEANUP]
    assert entry.task == CLEANUP
    assert entry.schedule is not None
    assert entry.schedule.is_due(timezone.now() - timedelta(days=1)).is_due
    assert app.amqp.router.route({}, CLEANUP)["queue"].name == "upkeep"
    assert CLEANUP in app.tasks


@pytest.mark.django_db
def test_the_cleanup_deletes_what_is_expired_and_nothing_else() -> None:
    for age in (timedelta(days=8), timedelta(days=6)):
        row = TaskResult.objects.create(task_id=f"of {age.days} days")
        TaskResult.objects.filter(pk=row.pk).update(date_done=timezone.now() - age)
    app.tasks[CLEANUP]()
    assert list(TaskResult.objects.values_list("task_id", flat=True)) == ["of 6 days"]
