"""What the page of one session shows: the run that was chosen (else the newest), and everything around it."""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from coaching.admin.base import format_seconds
from coaching.admin.gantt import draw_gantt
from coaching.models import (
    AuditEntry,
    Message,
    OutboxMail,
    PipelineRun,
    RunState,
    Session,
    SessionStatus,
    Stage,
    StageState,
)
from coaching.queries.run_history import Doing, RunHistory, StageHistory, get_run_history, list_runs
from coaching.queries.run_media import sign_run_media
from coaching.queries.task_results import list_results_of_run, read_answer
from coaching.services import steering
from coaching.services.steering import Plan, Steering

NEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLine:
    """One row of the table under the timeline. `output` is JSON, to be read."""

    history: StageHistory
    queued: str
    retry_wait: str
    running: str
    output: str
    has_error: bool
    task_result_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """`reason`: why an operator asked for it; `took`: until its end, or until now."""

    run: PipelineRun
    reason: str
    took: str
    is_shown: bool
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """`refusal` says why it cannot be pressed now."""

    steering: Steering
    label: str
    refusal: str


def describe_session(session: Session, *, wanted_run: str) -> dict[str, Any]:
    """The context of the page; an unknown `wanted_run` shows the newest."""
    runs = list(list_runs(session)[:NEWEST])
    entries = list(_list_audit(session))
    shown = next((run for run in runs if str(run.pk) == wanted_run), runs[0] if runs else None)
    context: dict[str, Any] = {
        "session": session,
        "is_draft": session.status == SessionStatus.DRAFT,
        "audit_entries": entries,
        "mails": OutboxMail.objects.filter(session=session).order_by("created_at")[:NEWEST],
        "chat_messages": Message.objects.filter(session=session).order_by("created_at", "pk")[:NEWEST],
        "buttons": _describe_buttons(session),
        "ratings": sorted(session.self_ratings.items()),
    }
    if shown is None:
        return context
    history = get_run_history(shown.pk)
    return context | {
        "history": history,
        "run": history.run,
        "is_newest": shown.pk == runs[0].pk,
        "is_live": history.run.state == RunState.RUNNING,
        "took": format_seconds((history.ends_at - history.begins_at).total_seconds()),
        "run_lines": _describe_runs(runs, entries, session, shown),
        "gantt": draw_gantt(history),
        "stage_lines": _describe_stages(history),
        "total": _sum_usage(history),
        "media": sign_run_media(session, history),
        "lease_seconds": settings.STAGE_LEASE_SECONDS,
    }


def _list_audit(session: Session) -> Any:
    return AuditEntry.objects.filter(target=f"session:{session.pk}").select_related("actor")[: NEWEST * 2]


def _describe_runs(
    runs: list[PipelineRun], entries: list[AuditEntry], session: Session, shown: PipelineRun
) -> list[RunLine]:
    reasons = {entry.details.get("run"): entry.reason for entry in entries if entry.action != f"run.{Steering.CANCEL}"}
    return [
        RunLine(
            run=run,
            reason=reasons.get(str(run.pk), ""),
            took=format_seconds((run.finished_at - run.created_at).total_seconds()) if run.finished_at else "running",
            is_shown=run.pk == shown.pk,
            is_current=run.pk == session.pipeline_job_id,
        )
        for run in runs
    ]


def _describe_stages(history: RunHistory) -> list[StageLine]:
    results: dict[str, list[int]] = {}
    for result in list_results_of_run(history.run):
        answer = read_answer(result)
        if answer is not None and answer.run_id == history.run.pk:
            results.setdefault(answer.stage, []).append(result.pk)
    return [
        StageLine(
            history=stage,
            queued=_format(stage, Doing.QUEUED),
            retry_wait=_format(stage, Doing.RETRY_WAIT),
            running=_format(stage, Doing.RUNNING),
            output=_format_json(stage.row.output) if stage.row.state == StageState.DONE else "",
            has_error=bool(stage.row.error_class),
            task_result_ids=tuple(results.get(stage.stage.value, ())),
        )
        for stage in history.stages
    ]


def _format(stage: StageHistory, doing: Doing) -> str:
    seconds = stage.count_seconds(doing)
    return format_seconds(seconds) if any(stretch.doing == doing for stretch in stage.stretches) else "–"


def _format_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) if value else ""


def _sum_usage(history: RunHistory) -> dict[str, Any]:
    """Of the run itself; what it kept was paid for by an earlier one, and is told apart."""
    fields = ("input_tokens", "output_tokens", "characters", "audio_seconds")
    own = [entry for stage in history.stages if not stage.is_kept for entry in stage.row.usage]
    return {
        **{name: sum(entry.get(name) or 0 for entry in own) for name in fields},
        "cost_usd": history.cost_usd,
        "kept_cost_usd": sum(stage.cost_usd for stage in history.stages if stage.is_kept),
        "calls": len(own),
    }


def _describe_buttons(session: Session) -> list[Button]:
    ids = [session.pk]
    (retry,) = steering.plan_retry(session_ids=ids)
    (cancel,) = steering.plan_cancel(session_ids=ids)
    return [
        Button(steering=Steering.RERUN, label="Re-run from a stage…", refusal=_refuse_every_rerun(ids)),
        Button(steering=Steering.RETRY, label=_label_retry(retry), refusal=retry.refusal),
        Button(steering=Steering.CANCEL, label="Cancel the run…", refusal=cancel.refusal),
    ]


def _refuse_every_rerun(ids: list[int]) -> str:
    """Why no stage at all can be chosen: the first one needs no earlier outputs, the last one no video."""
    (whole,) = steering.plan_rerun(session_ids=ids, first_stage=Stage.INSPECT, supersede=True)
    if not whole.refusal:
        return ""
    (last,) = steering.plan_rerun(session_ids=ids, first_stage=Stage.DELIVER, supersede=True)
    return whole.refusal if last.refusal else ""


def _label_retry(plan: Plan) -> str:
    return f"Retry {plan.first_stage}…" if plan.first_stage else "Retry the failed stage…"
