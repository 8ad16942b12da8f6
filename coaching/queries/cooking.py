"""What the pages of a cook ask: what may be taken up again, what came before, how long the making takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.core.cache import cache
from django.db.models import Aggregate, Count, ExpressionWrapper, F, FloatField
from django.db.models.functions import Extract

from coaching.models import RunState, Session, SessionStatus, Stage, StageRun, StageState, Upload, User
from coaching.models.run import RunCause
from coaching.providers.registry import get_object_store
from coaching.queries.sessions import RunProgress, list_sessions

RECENT_STAGES = 1600  # 200 runs of 8 stages: a habit, at a constant cost
ENOUGH_CASES = 3
MEDIANS_KEY = "stage-medians"
MEDIANS_LIVE_SECONDS = 60
LATE_FROM = 1.5  # of the median
LEARNER_RETRIES = 2
# Another try of the same video ends the same way: only another video, or an operator, helps.
HOPELESS_ERRORS = frozenset({"UnusableMedia", "ProviderRefused", "Misconfigured", "StageNotBuilt"})


# --- before ---------------------------------------------------------------------------------------------------------


def find_unfinished_session(user: User, dish_slug: str) -> Session | None:
    """The learner's newest draft of the dish: a page that begins a cook goes on with it."""
    return list_sessions(user).filter(dish__slug=dish_slug, status=SessionStatus.DRAFT).first()


def find_other_draft(user: User, dish_slug: str) -> Session | None:
    """A draft of another dish: for a free learner it holds the one session that there is."""
    return list_sessions(user).filter(status=SessionStatus.DRAFT).exclude(dish__slug=dish_slug).first()


def find_whole_upload(session: Session) -> Upload | None:
    """The session's upload, where all of it has arrived and only the submit is missing."""
    upload = session.uploads.filter(closed_at__isnull=True).first()
    return upload if upload and get_object_store().find(upload.object_path) else None


def find_previous_cook(session: Session) -> Session | None:
    """The completed cook of the same dish before this one, if it has a moment to be compared with."""
    earlier = list_sessions(session.user).filter(
        dish=session.dish, status=SessionStatus.COMPLETED, created_at__lt=session.created_at
    )
    return next((cook for cook in earlier[:3] if cook.video_analysis.get("key_moment_seconds") is not None), None)


# --- after a failure ------------------------------------------------------------------------------------------------


def may_try_again(session: Session) -> bool:
    """Whether the learner may have the failed work taken up once more with the same video."""
    if session.status != SessionStatus.FAILED:
        return False
    tried = session.runs.filter(cause__in=[RunCause.RERUN, RunCause.RETRY], requested_by=session.user).count()
    failed = StageRun.objects.filter(
        run_id=session.pipeline_job_id, run__state=RunState.FAILED, state=StageState.FAILED
    ).first()
    return failed is not None and failed.error_class not in HOPELESS_ERRORS and tried < LEARNER_RETRIES


# --- how long -------------------------------------------------------------------------------------------------------


class _Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field: ClassVar[FloatField] = FloatField()  # type: ignore[type-arg]  # generic in the stubs only


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """`remaining_seconds` of work, waiting in queues not counted; None where too few runs tell.

    `is_late`: the stage at work takes clearly longer than it usually does.
    """

    remaining_seconds: float | None
    is_late: bool


def list_median_seconds() -> dict[Stage, float]:
    """How long each stage took in recent runs, at the median; a stage with fewer than three cases is left out."""
    known: dict[Stage, float] | None = cache.get(MEDIANS_KEY)
    if known is None:
        known = _read_medians()
        cache.set(MEDIANS_KEY, known, MEDIANS_LIVE_SECONDS)
    return known


def _read_medians() -> dict[Stage, float]:
    recent = StageRun.objects.order_by("-pk").values("pk")[:RECENT_STAGES]
    took = ExpressionWrapper(Extract(F("finished_at") - F("started_at"), "epoch"), output_field=FloatField())
    # A re-run carries copies of the stages before it: they began before it was made.
    rows = (
        StageRun.objects.filter(pk__in=recent, state=StageState.DONE, started_at__gte=F("run__created_at"))
        .values("stage")
        .annotate(cases=Count("pk"), median=_Median(took))
        .filter(cases__gte=ENOUGH_CASES)
    )
    return {Stage(row["stage"]): row["median"] for row in rows}


def estimate_remaining(progress: RunProgress, medians: Mapping[Stage, float], now: datetime) -> Estimate:
    """What is left of the run if every stage takes as long as it usually does."""
    remaining: float | None = 0.0
    is_late = False
    for stage in progress.stages:
        if stage.state == StageState.DONE:
            continue
        median = medians.get(stage.stage)
        elapsed = 0.0
        if stage.state == StageState.RUNNING and stage.started_at is not None:
            elapsed = max(0.0, (now - stage.started_at).total_seconds())
        if median is None:
            remaining = None
            continue
        is_late = is_late or elapsed > median * LATE_FROM
        if remaining is not None:
            remaining += max(0.0, median - elapsed)
    return Estimate(remaining_seconds=remaining, is_late=is_late)
