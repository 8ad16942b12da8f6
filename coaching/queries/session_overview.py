"""Sessions as operators list them: where each one's run stands, for how long, and which are in trouble."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject, Now

from coaching.models import PipelineRun, RunState, Session, Stage, StageRun, StageState
from coaching.queries.operations import filter_stuck_runs

LONG_LEASES = 10  # a stage that is worked on, or waits, for so many leases deserves a look


class Trouble(StrEnum):
    FAILED = "failed"
    STUCK = "stuck"  # any of those below
    RUNNING_LONG = "running long"
    QUEUED_LONG = "queued long"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a session's current run stands: at its first stage that is not done. Empty strings where there is none."""

    run_state: str
    run_finished_at: datetime | None
    run_count: int
    stage: str
    stage_state: str
    stage_since: datetime | None
    percent: int
    attempt: int
    errors: int
    evictions: int


def list_overview(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """With what `read_standing` reads; two subqueries and a count, however many sessions."""
    current = StageRun.objects.filter(run_id=OuterRef("pipeline_job_id")).exclude(state=StageState.DONE)
    fields = ("stage", "state", "queued_at", "started_at", "finished_at", "progress_percent", "attempt", "errors")
    run = PipelineRun.objects.filter(pk=OuterRef("pipeline_job_id"))
    counts = PipelineRun.objects.filter(session=OuterRef("pk")).order_by().values("session").annotate(n=Count("pk"))
    return sessions.annotate(
        current_stage=Subquery(
            current.order_by("position").values(json=JSONObject(evictions="evictions", **{f: f for f in fields}))[:1]
        ),
        current_run=Subquery(run.values(json=JSONObject(state="state", finished_at="finished_at"))[:1]),
        run_count=Subquery(counts.values("n")),
    ).select_related("user", "dish")


def read_standing(session: Session) -> Standing:
    """Of a session from `list_overview`."""
    annotated = vars(session)
    run: dict[str, Any] = annotated["current_run"] or {}
    stage: dict[str, Any] = annotated["current_stage"] or {}
    return Standing(
        run_state=run.get("state", ""),
        run_finished_at=_read_time(run.get("finished_at")),
        run_count=annotated["run_count"] or 0,
        stage=stage.get("stage", ""),
        stage_state=stage.get("state", ""),
        stage_since=_read_time(stage.get(_SINCE.get(stage.get("state", ""), ""))),
        percent=stage.get("progress_percent", 0),
        attempt=stage.get("attempt", 0),
        errors=stage.get("errors", 0),
        evictions=stage.get("evictions", 0),
    )


_SINCE: dict[str, str] = {
    StageState.QUEUED: "queued_at",
    StageState.RUNNING: "started_at",
    StageState.FAILED: "finished_at",
    StageState.CANCELLED: "finished_at",
}


def _read_time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def filter_current_stage(sessions: QuerySet[Session], stage: Stage) -> QuerySet[Session]:
    """Of sessions from `list_overview`: those whose run stands at this stage."""
    return sessions.filter(Q(("current_stage__stage", stage.value)))  # an annotation, which mypy cannot resolve


def filter_trouble(sessions: QuerySet[Session], trouble: Trouble) -> QuerySet[Session]:
    """Sessions whose current run failed, or is stuck.

    RUNNING_LONG: a stage has been worked on for `LONG_LEASES` leases. QUEUED_LONG: one has waited for a worker for as
    long. SILENT: nothing happens to the run at all: a lease has run out and nobody took the stage back (is the
    watchdog alive?), or nothing began or ended for `STUCK_RUN_SECONDS`.
    """
    runs = PipelineRun.objects.filter(pk=OuterRef("pipeline_job_id"))
    if trouble == Trouble.FAILED:
        return sessions.filter(Exists(runs.filter(state=RunState.FAILED)))
    running = StageRun.objects.filter(run_id=OuterRef("pipeline_job_id"), run__state=RunState.RUNNING)
    long_ago = Now() - Value(timedelta(seconds=LONG_LEASES * settings.STAGE_LEASE_SECONDS))
    conditions: dict[Trouble, Q] = {
        Trouble.RUNNING_LONG: Q(Exists(running.filter(state=StageState.RUNNING, started_at__lt=long_ago))),
        # A row without a message counts from when it was due one: before that it waits for its next try.
        Trouble.QUEUED_LONG: Q(
            Exists(
                running.filter(state=StageState.QUEUED).filter(
                    Q(publications__gt=0, queued_at__lt=long_ago) | Q(publications=0, due_at__lt=long_ago)
                )
            )
        ),
        Trouble.SILENT: Q(
            Exists(
                running.filter(
                    state=StageState.RUNNING,
                    lease_until__lt=Now() - Value(timedelta(seconds=settings.STAGE_LEASE_SECONDS)),
                )
            )
        )
        | Q(pipeline_job_id__in=filter_stuck_runs(PipelineRun.objects.order_by()).values("pk")),
    }
    conditions[Trouble.STUCK] = (
        conditions[Trouble.RUNNING_LONG] | conditions[Trouble.QUEUED_LONG] | conditions[Trouble.SILENT]
    )
    return sessions.filter(conditions[trouble])


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Counts for an operator's first look. `waiting` and `working` are sessions, by what their current stage does."""

    working: int
    waiting: int
    failed: int
    stuck: int
    completed_today: int


def count_at_a_glance(*, day_begins_at: datetime) -> Glance:
    """Sessions by how they fare now; completed ones since `day_begins_at`."""
    sessions = Session.objects.order_by()
    rows = StageRun.objects.filter(run__state=RunState.RUNNING)
    completed = PipelineRun.objects.filter(state=RunState.COMPLETED, finished_at__gte=day_begins_at)
    return Glance(
        working=rows.filter(state=StageState.RUNNING).count(),
        waiting=rows.filter(state=StageState.QUEUED).count(),
        failed=filter_trouble(sessions, Trouble.FAILED).count(),
        stuck=filter_trouble(sessions, Trouble.STUCK).count(),
        completed_today=completed.count(),
    )
