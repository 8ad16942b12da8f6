"""The runs of sessions, for operators: which is the newest, what became of each, how each stage's time was spent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from coaching.errors import NotFound
from coaching.models import PipelineRun, Session, SessionStatus, Stage, StageRun, StageState

GIVEN_BACK = (SessionStatus.FAILED, SessionStatus.CANCELLED)


class Doing(StrEnum):
    """What a stretch of a stage's time was: waiting for a worker, for the time of its next try, or being worked on."""

    QUEUED = "queued"
    RETRY_WAIT = "retry wait"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """`outcome` is how a worked stretch ended (done, retry, failed, evicted, cancelled); empty while it lasts."""

    doing: Doing
    attempt: int
    begins_at: datetime
    ends_at: datetime
    outcome: str = ""
    worker: str = ""
    error: str = ""

    @property
    def seconds(self) -> float:
        return max(0.0, (self.ends_at - self.begins_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class StageHistory:
    """`is_kept`: taken over, done, from an earlier run. `cost_usd` is the sum of the stage's usage entries."""

    row: StageRun
    stage: Stage
    is_kept: bool
    stretches: tuple[Stretch, ...]
    cost_usd: float

    def count_seconds(self, doing: Doing) -> float:
        return sum(stretch.seconds for stretch in self.stretches if stretch.doing == doing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    run: PipelineRun
    stages: tuple[StageHistory, ...]
    begins_at: datetime
    ends_at: datetime

    @property
    def cost_usd(self) -> float:
        """What this run cost: a stage that was kept was paid for before."""
        return sum(stage.cost_usd for stage in self.stages if not stage.is_kept)


def list_runs(session: Session) -> QuerySet[PipelineRun]:
    """Newest first."""
    return PipelineRun.objects.filter(session=session).select_related("requested_by").order_by("-created_at")


def get_run_history(run_id: UUID, *, now: datetime | None = None) -> RunHistory:
    """How each stage of a run spent its time, up to `now`. Raises `NotFound`."""
    run = (
        PipelineRun.objects.filter(pk=run_id)
        .select_related("requested_by", "session__user", "session__dish")
        .prefetch_related("stages")
        .first()
    )
    if run is None:
        raise NotFound(f"no run {run_id}")
    ends_at = run.finished_at or now or timezone.now()
    first = list(Stage).index(Stage(run.first_stage))
    stages = tuple(
        _describe_stage(row, is_kept=row.position < first, now=ends_at)
        for row in sorted(run.stages.all(), key=lambda row: row.position)
    )
    return RunHistory(run=run, stages=stages, begins_at=run.created_at, ends_at=ends_at)


def sum_cost_usd(usage: Iterable[dict[str, Any]]) -> float:
    return sum(float(entry.get("cost_usd") or 0) for entry in usage)


def _describe_stage(row: StageRun, *, is_kept: bool, now: datetime) -> StageHistory:
    return StageHistory(
        row=row,
        stage=Stage(row.stage),
        is_kept=is_kept,
        stretches=tuple(_list_stretches(row, now)),
        cost_usd=sum_cost_usd(row.usage),
    )


def _list_stretches(row: StageRun, now: datetime) -> list[Stretch]:
    """Of every ended attempt, then of what lasts, or ended without one: a wait that was cancelled."""
    stretches: list[Stretch] = []
    before = ""
    for entry in row.history:
        stretches += _list_ended(entry, before)
        before = entry["outcome"]
    ended_at = stretches[-1].ends_at if stretches else None
    if row.queued_at is None or (ended_at is not None and row.queued_at < ended_at):
        return stretches
    wait: dict[str, Any] = {"doing": _name_wait(before), "begins_at": row.queued_at}
    if row.state == StageState.QUEUED:
        stretches.append(Stretch(**wait, attempt=row.attempt + 1, ends_at=max(now, row.queued_at)))
    elif row.state == StageState.CANCELLED and row.finished_at:
        stretches.append(Stretch(**wait, attempt=row.attempt + 1, ends_at=row.finished_at, outcome="cancelled"))
    elif row.state == StageState.RUNNING and row.started_at:
        stretches.append(Stretch(**wait, attempt=row.attempt, ends_at=row.started_at))
        work: dict[str, Any] = {"begins_at": row.started_at, "ends_at": max(now, row.started_at), "worker": row.worker}
        stretches.append(Stretch(doing=Doing.RUNNING, attempt=row.attempt, **work))
    return stretches


def _name_wait(outcome_before: str) -> Doing:
    return Doing.RETRY_WAIT if outcome_before == "retry" else Doing.QUEUED


def _list_ended(entry: dict[str, Any], outcome_before: str) -> list[Stretch]:
    """The wait and the work of one attempt; an attempt that was cancelled while it waited has no work."""
    queued_at, started_at, ended_at = (_read_time(entry[key]) for key in ("queued_at", "started_at", "ended_at"))
    if queued_at is None or ended_at is None:
        return []  # cancelled before it was ever queued
    facts = {"worker": entry["worker"], "error": entry["error"], "outcome": entry["outcome"]}
    wait = _name_wait(outcome_before)
    if started_at is None or started_at < queued_at:
        # `attempt` still counts the one before: the row was cancelled while it waited for the next.
        return [Stretch(doing=wait, attempt=entry["attempt"] + 1, begins_at=queued_at, ends_at=ended_at, **facts)]
    attempt = entry["attempt"]
    return [
        Stretch(doing=wait, attempt=attempt, begins_at=queued_at, ends_at=started_at),
        Stretch(doing=Doing.RUNNING, attempt=attempt, begins_at=started_at, ends_at=ended_at, **facts),
    ]


def _read_time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


# --- what an operator may steer -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Steerable:
    """A session with its newest run (None: never submitted) and whether another cook has its number by now."""

    session: Session
    newest_run: PipelineRun | None
    stages: tuple[StageRun, ...]
    is_number_taken: bool


def list_steerable(session_ids: Sequence[int]) -> list[Steerable]:
    """In the order of the ids, unknown ones left out; a fixed number of queries however many they are."""
    twins = (
        Session.objects.filter(
            user_id=OuterRef("user_id"), dish_id=OuterRef("dish_id"), session_number=OuterRef("session_number")
        )
        .exclude(pk=OuterRef("pk"))
        .exclude(status__in=GIVEN_BACK)
    )
    sessions = Session.objects.filter(pk__in=session_ids).select_related("user", "dish")
    found = {session.pk: session for session in sessions.annotate(is_number_taken=Q(Exists(twins)))}
    rows = StageRun.objects.defer("output", "usage", "history", "error_stderr").order_by("position")
    newest = (
        PipelineRun.objects.filter(session__in=found)
        .select_related("requested_by")
        .prefetch_related(Prefetch("stages", queryset=rows))
        .order_by("session_id", "-created_at")
        .distinct("session_id")
    )
    runs = {run.session_id: run for run in newest}
    return [
        Steerable(
            session=session,
            newest_run=(run := runs.get(pk)),
            stages=tuple(run.stages.all()) if run else (),
            is_number_taken=session.status in GIVEN_BACK and session.is_number_taken,
        )
        for pk in dict.fromkeys(session_ids)
        if (session := found.get(pk)) is not None
    ]
