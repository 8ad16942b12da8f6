"""What does not come from this release, or from us at all, lies on the queues: it is ignored and changes nothing."""

import json
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from coaching.models import RunState, Stage, StageRun, StageState
from project.celery import app
from tests.faults.cluster import (
    Cluster,
    count_effects,
    each_effect_once,
    make_session,
    start,
    wait_for_state,
    wait_until,
)

pytestmark = pytest.mark.fault("forged", "messages of another release, malformed or forged", "ignored with a reason")

RAW = {
    "no JSON": b"\x80\x04garbage",
    "no envelope": b'{"hello": 1}',
    "a list": b"[1, 2]",
    "null": b"null",
    "a body that is no base64": json.dumps(
        {
            "body": "%%%",
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {"task": "tasks.stages.inspect", "id": "x"},
            "properties": {
                "delivery_info": {"exchange": "", "routing_key": "media"},
                "delivery_tag": "t1",
                "body_encoding": "base64",
            },
        }
    ).encode(),
}


@pytest.mark.parametrize("what", RAW)
def test_bytes_that_are_no_message_do_not_end_the_worker(standing: Cluster, what: str) -> None:
    standing.connect_broker().lpush("media", RAW[what])
    expect_the_worker_to_work_on(standing)


def test_a_pickle_is_refused(standing: Cluster) -> None:
    app.send_task("tasks.stages.inspect", args=["x"], queue="media", serializer="pickle")
    expect_the_worker_to_work_on(standing)
    assert "Refusing to deserialize" in standing.read_log("w1")


def expect_the_worker_to_work_on(standing: Cluster) -> None:
    """The same process, not a new one, takes the next run to its end."""
    session = make_session()
    run = start(session)
    wait_for_state(run, RunState.COMPLETED)
    assert standing.is_alive("w1")
    assert count_effects(session) == each_effect_once()


@pytest.mark.parametrize(
    ("args", "kwargs", "reason"),
    [
        pytest.param([], {}, "instead of one run's id", id="no-id"),
        pytest.param(["1"], {}, "is no run's id", id="a-number"),
        pytest.param([None], {}, "instead of one run's id", id="null"),
        pytest.param([[]], {}, "instead of one run's id", id="a-list"),
        pytest.param(["RUN", "extra"], {}, "instead of one run's id", id="an-argument-more"),
        pytest.param([], {"run_id": "RUN"}, "instead of one run's id", id="by-name"),
        pytest.param(["' OR 1=1 --\n2026 INFO forged line"], {}, "is no run's id", id="an-injection"),
        pytest.param(["{RUN}"], {}, "is not how we write", id="braces"),
        pytest.param(["x" * 100_000], {}, "is no run's id", id="very-long"),
    ],
)
def test_a_message_of_another_form_is_ignored(
    standing: Cluster, args: list[Any], kwargs: dict[str, Any], reason: str
) -> None:
    run = start_waiting()
    args = [a.replace("RUN", str(run)) if isinstance(a, str) else a for a in args]
    kwargs = {key: value.replace("RUN", str(run)) for key, value in kwargs.items()}
    seen = standing.read_log("w1").count(reason)
    app.send_task("tasks.stages.inspect", args=args, kwargs=kwargs, queue="media")
    wait_until(lambda: standing.read_log("w1").count(reason) > seen, what="the reason logged")
    assert "\n2026 INFO forged line" not in standing.read_log("w1")
    expect_untouched(run)


def test_a_stage_on_another_queue_is_ignored(standing: Cluster) -> None:
    run = start_waiting()
    app.send_task("tasks.stages.inspect", args=[str(run)], queue="llm")
    reason = "it came on the queue 'llm' instead of media"
    wait_until(lambda: reason in standing.read_log("w1"), what="the reason logged")
    expect_untouched(run)


def test_an_unknown_run_and_a_stage_out_of_turn_are_ignored(standing: Cluster, saw: Callable[[str], None]) -> None:
    unknown, run = uuid.uuid4(), start_waiting()
    app.send_task("tasks.stages.compose", args=[str(unknown)], queue="media")
    app.send_task("tasks.stages.deliver", args=[str(run)], queue="default")
    for reason in (
        f"compose of run {unknown}: not mine to run: no such run",
        f"deliver of run {run}: not mine to run: the stage is pending",
    ):
        wait_until(partial(_is_logged, standing, reason), what=reason)
    expect_untouched(run)
    saw("each logged with its reason; no row changed; the worker lives")


def test_a_task_of_another_release_is_discarded(standing: Cluster) -> None:
    app.send_task("tasks.stages.stabilise", args=[str(start_waiting())], queue="media")
    wait_until(lambda: "tasks.stages.stabilise" in standing.read_log("w1"), what="the unknown task reported")
    expect_the_worker_to_work_on(standing)


def _is_logged(standing: Cluster, words: str) -> bool:
    return words in standing.read_log("w1")


def start_waiting() -> uuid.UUID:
    """A run whose first message is far from being due, so that nobody but the test sends one."""
    run = start(make_session(), publish=False)
    StageRun.objects.filter(run=run, stage=Stage.INSPECT).update(state=StageState.PENDING, due_at=None)
    return run.id


def expect_untouched(run_id: uuid.UUID) -> None:
    rows = StageRun.objects.filter(run_id=run_id)
    assert {(row.state, row.fence, row.attempt) for row in rows} == {(StageState.PENDING, 0, 0)}
