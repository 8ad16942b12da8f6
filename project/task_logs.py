"""Celery's logs are the project's, and a task's lines carry the id of the request that asked for it.

Imported by `project.celery` for its signals.
"""

import logging
from typing import Any

from celery import Task
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun

from coaching.log_context import REQUEST_ID_FORM, read_ids, replace_ids

HEADER = "request_id"


@setup_logging.connect
def keep_the_settings_logging(**_: Any) -> None:
    """With a receiver Celery configures nothing itself: Django's LOGGING stands in every process."""
    logging.captureWarnings(True)


@before_task_publish.connect
def hand_over_the_request(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None and (request_id := read_ids().get("request_id")):
        headers[HEADER] = request_id


@task_prerun.connect
def take_up_the_request(task_id: str, task: "Task[..., Any]", **_: Any) -> None:
    """What came over the queue is not trusted with more than its form."""
    ids = {"task_id": task_id}
    request_id = getattr(task.request, HEADER, None)
    if isinstance(request_id, str) and REQUEST_ID_FORM.fullmatch(request_id):
        ids["request_id"] = request_id
    replace_ids(**ids)


@task_postrun.connect
def forget_the_request(**_: Any) -> None:
    replace_ids()
