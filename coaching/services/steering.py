"""What an operator does to the runs of a session: re-run from a stage, retry the failed one, cancel.

Each is judged twice by the same rules: when it is planned, so that the operator reads beforehand what will be kept,
what replaced, or why not; and again under the session's lock when it is done, since the world may have moved on. Each
is written to the audit log in the transaction that does it: no change without an entry, no entry without a change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction

from coaching.errors import Conflict, NotFound
from coaching.models import AuditEntry, PipelineRun, RunState, Session, SessionStatus, Stage, StageState, User
from coaching.models.run import RunCause
from coaching.providers.registry import get_object_store
from coaching.queries.run_history import Steerable, list_steerable
from coaching.services import runs

REASON_MAX_LENGTH = 500


class Steering(StrEnum):
    RERUN = "rerun"
    RETRY = "retry"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would happen to one session. `refusal` says why nothing can; it is empty where it can.

    `first_stage` is where the work would begin (None for a cancellation), `ended_run` the run in progress that ends.
    """

    session: Session
    newest_run: PipelineRun | None
    first_stage: Stage | None
    kept: tuple[Stage, ...]
    replaced: tuple[Stage, ...]
    ended_run: PipelineRun | None
    refusal: str


# --- planning -------------------------------------------------------------------------------------------------------


def plan_rerun(*, session_ids: Sequence[int], first_stage: Stage, supersede: bool = False) -> list[Plan]:
    return [_plan_rerun(found, first_stage, supersede) for found in list_steerable(session_ids)]


def plan_retry(*, session_ids: Sequence[int]) -> list[Plan]:
    return [_plan_retry(found) for found in list_steerable(session_ids)]


def plan_cancel(*, session_ids: Sequence[int]) -> list[Plan]:
    return [_plan_cancel(found) for found in list_steerable(session_ids)]


def _plan_rerun(found: Steerable, first_stage: Stage, supersede: bool) -> Plan:
    first = runs.STAGES.index(first_stage)
    run = found.newest_run
    is_running = run is not None and run.state == RunState.RUNNING
    return Plan(
        session=found.session,
        newest_run=run,
        first_stage=first_stage,
        kept=runs.STAGES[:first],
        replaced=runs.STAGES[first:],
        ended_run=run if is_running and supersede else None,
        refusal=_refuse_rerun(found, first_stage, supersede),
    )


def _refuse_rerun(found: Steerable, first_stage: Stage, supersede: bool) -> str:
    if refusal := _refuse_state(found):
        return refusal
    run = found.newest_run
    if run is not None and run.state == RunState.RUNNING and not supersede:
        return "its run is in progress: wait for it, cancel it, or choose to supersede it"
    return _refuse_missing(found, first_stage)


def _refuse_state(found: Steerable) -> str:
    """Why no run can be started now, whatever the stage."""
    if found.newest_run is None:
        return "it was never submitted: there is no run to build on"
    if found.session.status == SessionStatus.DRAFT:
        return "it waits for another video from its learner, who will submit it"
    if found.is_number_taken:
        return f"its number {found.session.session_number} was given to a later cook of the same dish"
    return ""


def _refuse_missing(found: Steerable, first_stage: Stage) -> str:
    """Why the stages before cannot be kept, or the ones to come not be fed."""
    first = runs.STAGES.index(first_stage)
    for row in found.stages[:first]:
        if row.state != StageState.DONE:
            return f"nothing of {row.stage} can be kept, it is {row.state}: re-run from {row.stage} or before"
    session, store = found.session, get_object_store()
    needs_video = first <= runs.STAGES.index(Stage.COMPOSE)
    if needs_video and (not session.raw_video_path or store.find(session.raw_video_path) is None):
        return "its video is no longer kept: only deliver can be re-run"
    needs_memo = first <= runs.STAGES.index(Stage.LISTEN) and session.voice_memo_path
    if needs_memo and store.find(session.voice_memo_path) is None:
        return f"its voice memo is no longer kept: re-run from {Stage.ANALYSE} or later"
    return ""


def _plan_retry(found: Steerable) -> Plan:
    run = found.newest_run
    failed = next((Stage(row.stage) for row in found.stages if row.state == StageState.FAILED), None)
    if run is None or run.state != RunState.FAILED or failed is None:
        refusal = _refuse_state(found) or f"its newest run is {run.state if run else 'missing'}: nothing to retry"
        return Plan(
            session=found.session,
            newest_run=run,
            first_stage=None,
            kept=(),
            replaced=(),
            ended_run=None,
            refusal=refusal,
        )
    return _plan_rerun(found, failed, supersede=False)


def _plan_cancel(found: Steerable) -> Plan:
    run = found.newest_run
    refusal = ""
    if run is None:
        refusal = "it was never submitted: there is no run to cancel"
    elif run.state != RunState.RUNNING:
        refusal = f"its newest run is {run.state}: nothing is in progress"
    done = tuple(Stage(row.stage) for row in found.stages if row.state == StageState.DONE)
    return Plan(
        session=found.session,
        newest_run=run,
        first_stage=None,
        kept=done,
        replaced=(),
        ended_run=None if refusal else run,
        refusal=refusal,
    )


# --- doing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who wants it and why. `seen_run_id`: the newest run that they were shown; another one by now is a `Conflict`."""

    actor: User | None
    reason: str = ""
    seen_run_id: UUID | None = None


def rerun(*, session_id: int, first_stage: Stage, order: Order, supersede: bool = False) -> PipelineRun:
    """A new run from `first_stage` on; the caller publishes it after commit. Raises `Conflict`, `NotFound`."""
    with transaction.atomic():
        found = _lock_steerable(session_id, order)
        plan = _plan_rerun(found, first_stage, supersede)
        return _start(Steering.RERUN, plan, order)


def retry(*, session_id: int, order: Order) -> PipelineRun:
    """A new run from the failed stage on; the caller publishes it after commit. Raises `Conflict`, `NotFound`."""
    with transaction.atomic():
        found = _lock_steerable(session_id, order)
        return _start(Steering.RETRY, _plan_retry(found), order)


def cancel(*, session_id: int, order: Order) -> PipelineRun:
    """End the run in progress; its workers stop within a third of a lease. Raises `Conflict`, `NotFound`."""
    with transaction.atomic():
        found = _lock_steerable(session_id, order)
        plan = _plan_cancel(found)
        if plan.ended_run is None:
            raise Conflict(f"session {session_id}: {plan.refusal}")
        runs.cancel_run(run_id=plan.ended_run.id, reason=order.reason)
        _record(Steering.CANCEL, plan, order, details={"run": str(plan.ended_run.id)})
        return plan.ended_run


def _start(steering: Steering, plan: Plan, order: Order) -> PipelineRun:
    if plan.refusal or plan.first_stage is None:
        raise Conflict(f"session {plan.session.pk}: {plan.refusal}")
    run = runs.rerun_session(
        session_id=plan.session.pk,
        first_stage=plan.first_stage,
        requested_by=order.actor,
        supersede=plan.ended_run is not None,
        cause=RunCause.RETRY if steering is Steering.RETRY else RunCause.RERUN,
    )
    details = {
        "run": str(run.id),
        "previous_run": str(run.previous_id),
        "first_stage": plan.first_stage.value,
        "superseded": plan.ended_run is not None,
    }
    _record(steering, plan, order, details=details)
    return run


def _lock_steerable(session_id: int, order: Order) -> Steerable:
    """The session as it is now, its row locked: what is judged cannot change before it is done."""
    if not Session.objects.select_for_update().filter(pk=session_id).exists():
        raise NotFound(f"no session {session_id}")
    (found,) = list_steerable([session_id])
    run = found.newest_run
    if order.seen_run_id is not None and run is not None and run.id != order.seen_run_id:
        who = f" by {run.requested_by.email}" if run.requested_by else ""
        raise Conflict(
            f"session {session_id} has moved on since you looked: "
            f"run {run.id} (from {run.first_stage}{who}, {run.state}) is its newest now"
        )
    return found


def _record(steering: Steering, plan: Plan, order: Order, *, details: dict[str, Any]) -> None:
    AuditEntry.objects.create(
        actor=order.actor,
        action=f"run.{steering}",
        target=f"session:{plan.session.pk}",
        reason=order.reason[:REASON_MAX_LENGTH],
        details=details,
    )
