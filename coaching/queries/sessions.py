"""Sessions and how far their runs have come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from coaching.errors import NotFound
from coaching.models import PipelineRun, Session, SessionStatus, Stage, StageRun, StageState, Upload, User

STAGE_NAMES_JA: dict[Stage, str] = {
    Stage.INSPECT: "動画の確認",
    Stage.LISTEN: "音声メモの聞き取り",
    Stage.ANALYSE: "調理の見立て",
    Stage.RETRIEVE: "料理の原理との照らし合わせ",
    Stage.SCRIPT: "コーチングの言葉づくり",
    Stage.NARRATE: "ナレーションの収録",
    Stage.COMPOSE: "コーチング動画の編集",
    Stage.DELIVER: "お届け",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """`ahead_in_queue` says how many stages of others are served first, while this one waits for a worker."""

    stage: Stage
    name_ja: str
    state: StageState
    percent: int
    attempt: int
    queue: str
    ahead_in_queue: int | None
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """`found_by_inspect` is that stage's output once it is done: only then may the upload be shown."""

    run: PipelineRun
    percent: int
    stages: tuple[StageProgress, ...]
    found_by_inspect: dict[str, Any] | None


def list_sessions(user: User) -> QuerySet[Session]:
    return Session.objects.filter(user=user).select_related("dish").order_by("-created_at", "-id")


def get_session(user: User, session_id: int) -> Session:
    """Raises `NotFound`, for another learner's session as well: who does not own it learns nothing of it."""
    session = list_sessions(user).filter(pk=session_id).first()
    if session is None:
        raise NotFound(f"user {user.pk} has no session {session_id}")
    return session


def get_open_upload(session: Session) -> Upload | None:
    """The upload that has neither been closed nor expired."""
    return session.uploads.filter(closed_at__isnull=True, expires_at__gt=timezone.now()).first()


def is_listening_claimed(session: Session) -> bool:
    """Whether a worker has begun with the memo of the session's current run: from then on its inputs are fixed."""
    return _list_listen_rows(session).filter(attempt__gt=0).exists()


def is_input_open(session: Session) -> bool:
    """Whether memo and ratings may still change."""
    if session.status == SessionStatus.DRAFT:
        return True
    return session.status == SessionStatus.PROCESSING and not is_listening_claimed(session)


def _list_listen_rows(session: Session) -> QuerySet[StageRun]:
    return StageRun.objects.filter(run_id=session.pipeline_job_id, stage=Stage.LISTEN)


def lock_listen_row(session: Session) -> StageRun | None:
    """The row of the current run's `listen`, locked: no worker can claim it before the transaction ends."""
    return _list_listen_rows(session).select_for_update().first()


def get_run_progress(session: Session) -> RunProgress | None:
    """How far the session's current run is; None for a draft, also one whose earlier run came to nothing."""
    if session.pipeline_job_id is None or session.status == SessionStatus.DRAFT:
        return None
    rows = list(
        StageRun.objects.filter(run_id=session.pipeline_job_id)
        .select_related("run")
        .defer("usage", "history", "error_message", "error_stderr")
        .order_by("position")
    )
    if not rows:
        return None
    inspected = next((row for row in rows if row.stage == Stage.INSPECT and row.state == StageState.DONE), None)
    return RunProgress(
        run=rows[0].run,
        percent=sum(_count_percent(row) for row in rows) // len(rows),
        stages=tuple(_describe_stage(row) for row in rows),
        found_by_inspect=inspected.output if inspected else None,
    )


def _count_percent(row: StageRun) -> int:
    return 100 if row.state == StageState.DONE else row.progress_percent


def _describe_stage(row: StageRun) -> StageProgress:
    stage = Stage(row.stage)
    return StageProgress(
        stage=stage,
        name_ja=STAGE_NAMES_JA[stage],
        state=StageState(row.state),
        percent=_count_percent(row),
        attempt=row.attempt,
        queue=row.queue,
        ahead_in_queue=_count_ahead(row) if row.state == StageState.QUEUED else None,
        queued_at=row.queued_at,
        started_at=row.started_at,
        finished_at=row.finished_at if row.state in {StageState.DONE, StageState.FAILED} else None,
    )


def _count_ahead(row: StageRun) -> int:
    """Stages of the same queue that are being served or came first. At most one stage of a run is queued."""
    served = Q(state=StageState.RUNNING) | Q(state=StageState.QUEUED, queued_at__lt=row.queued_at)
    return StageRun.objects.filter(served, queue=row.queue).count()
