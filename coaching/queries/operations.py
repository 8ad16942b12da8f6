"""What operators watch: how much waits and runs, how often it fails, how long it takes and what it costs.

Everything is read from PostgreSQL, which is the truth about runs: however many web processes answer and whenever they
were started, they say the same. "Recent" figures are of the last `window`; the number of queries is constant.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Extract, Greatest, Now

from coaching.models import Heartbeat, OutboxMail, PipelineRun, RunState, Stage, StageRun, StageState

DEFAULT_WINDOW = timedelta(hours=1)
STATEMENT_TIMEOUT_MS = 5_000
ATTEMPT_OUTCOMES = ("done", "retry", "failed", "evicted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """None where nothing was measured."""

    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """One stage on its queue.

    `waiting` has a message or is due one; `delayed` waits for the time of its next attempt. The oldest age counts from
    when the stage was queued, for `waiting` ones. Attempts, durations and pauses are those that ended within the
    window; `republished` counts messages that were sent again for stages queued or ended within it.
    """

    stage: Stage
    queue: str
    waiting: int = 0
    delayed: int = 0
    running: int = 0
    oldest_waiting_seconds: float = 0.0
    longest_running_seconds: float = 0.0
    republished: int = 0
    attempts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ATTEMPT_OUTCOMES, 0))
    duration_seconds: Quantiles = Quantiles()
    wait_seconds: Quantiles = Quantiles()

    @property
    def failure_rate(self) -> float | None:
        """The share of attempts that ended in an error. Evictions are the workers' doing and count apart."""
        errors = self.attempts["retry"] + self.attempts["failed"]
        ended = errors + self.attempts["done"]
        return errors / ended if ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """`running` and `stuck` are of now, the others ended within the window."""

    running: int = 0
    stuck: int = 0
    oldest_running_seconds: float = 0.0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFigures:
    """Estimated cost of the runs completed within the window; what a re-run took over counts in its film too.

    `spent_usd` is what was really spent within the window, by stages of runs of any state.
    """

    completed: int = 0
    cost_usd: Quantiles = Quantiles()
    spent_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFigures:
    waiting: int = 0
    oldest_waiting_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFigures:
    """`pending` is of now, the others ended within the window. Seconds count from the question."""

    pending: int = 0
    oldest_pending_seconds: float = 0.0
    answered: int = 0
    failed: int = 0
    first_words_seconds: Quantiles = Quantiles()
    whole_answer_seconds: Quantiles = Quantiles()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Every stage is there, in the order of the chain, whether or not it has work.

    `beat_ages_seconds` says how long ago each of what beat has done again and again was last begun: watchdog, mail,
    sweep. One that has never been is not there.
    """

    window_seconds: float
    stages: tuple[StageFigures, ...]
    runs: RunFigures
    films: FilmFigures
    mail: MailFigures
    chat: ChatFigures
    beat_ages_seconds: dict[str, float]


def read_operations(*, window: timedelta = DEFAULT_WINDOW) -> Operations:
    """All figures, as of one moment. Raises `OperationalError` when the database takes too long over one of them."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [STATEMENT_TIMEOUT_MS])
        return Operations(
            window_seconds=window.total_seconds(),
            stages=_read_stages(window),
            runs=_read_runs(window),
            films=_read_films(window),
            mail=_read_mail(),
            chat=_read_chat(window),
            beat_ages_seconds=_read_beats(),
        )


def filter_stuck_runs(candidates: QuerySet[PipelineRun]) -> QuerySet[PipelineRun]:
    """Running runs in which nothing began or ended for `STUCK_RUN_SECONDS`, a wait in the queue included."""
    quiet_since = Now() - Value(timedelta(seconds=settings.STUCK_RUN_SECONDS))
    return (
        candidates.filter(state=RunState.RUNNING)
        .annotate(changed_at=Max(Greatest("stages__queued_at", "stages__started_at", "stages__finished_at")))
        .filter(Q(changed_at__lt=quiet_since) | Q(changed_at__isnull=True, created_at__lt=quiet_since))
    )


def _age_seconds(moment: Any) -> Extract:
    return Extract(Now() - moment, "epoch")


def _read_stages(window: timedelta) -> tuple[StageFigures, ...]:
    by_default = {(stage.value, settings.STAGE_QUEUES[stage]): dict[str, Any]() for stage in Stage}
    figures = by_default | _read_load(window)
    for key, ended in _read_attempts(window).items():
        figures[key] = figures.get(key, {}) | ended
    return tuple(
        StageFigures(stage=Stage(stage), queue=queue, **figures[stage, queue])
        for stage, queue in sorted(figures, key=lambda key: (list(Stage).index(Stage(key[0])), key[1]))
    )


def _read_load(window: timedelta) -> dict[tuple[str, str], dict[str, Any]]:
    is_open = Q(run__state=RunState.RUNNING, state__in=[StageState.QUEUED, StageState.RUNNING])
    delayed = Q(state=StageState.QUEUED, publications=0, due_at__gt=Now())
    waiting = Q(state=StageState.QUEUED) & ~delayed
    running = Q(state=StageState.RUNNING)
    rows = (
        StageRun.objects.filter(is_open | Q(finished_at__gte=Now() - Value(window)))
        .order_by()
        .values("stage", "queue")
        .annotate(
            waiting=Count("id", filter=waiting & is_open),
            delayed=Count("id", filter=delayed & is_open),
            running=Count("id", filter=running & is_open),
            oldest_waiting_seconds=_age_seconds(Min("queued_at", filter=waiting & is_open)),
            longest_running_seconds=_age_seconds(Min("started_at", filter=running & is_open)),
            republished=Sum(F("publications") - 1, filter=Q(publications__gt=1), default=0),
        )
    )
    return {(row.pop("stage"), row.pop("queue")): {name: value or 0 for name, value in row.items()} for row in rows}


# Each ended attempt is an entry of its row's history. A re-run's copies of kept stages ended before the run began.
_ATTEMPTS_SQL = """
WITH attempt AS (
    SELECT stage.stage, stage.queue, entry.outcome,
           extract(epoch FROM entry.ended_at - entry.started_at) AS duration,
           extract(epoch FROM entry.started_at - entry.queued_at) AS wait
      FROM coaching_stagerun AS stage
      JOIN coaching_pipelinerun AS run ON run.id = stage.run_id
     CROSS JOIN LATERAL jsonb_to_recordset(stage.history)
           AS entry(queued_at timestamptz, started_at timestamptz, ended_at timestamptz, outcome text)
     WHERE (stage.state IN ('queued', 'running') OR stage.finished_at >= statement_timestamp() - %(window)s)
       AND entry.ended_at >= greatest(statement_timestamp() - %(window)s, run.created_at)
)
SELECT stage, queue,
       count(*) FILTER (WHERE outcome = 'done'), count(*) FILTER (WHERE outcome = 'retry'),
       count(*) FILTER (WHERE outcome = 'failed'), count(*) FILTER (WHERE outcome = 'evicted'),
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration) FILTER (WHERE outcome = 'done'),
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY wait) FILTER (WHERE wait >= 0)
  FROM attempt
 GROUP BY stage, queue
"""


def _read_attempts(window: timedelta) -> dict[tuple[str, str], dict[str, Any]]:
    rows = _fetch_all(_ATTEMPTS_SQL, window)
    return {
        (stage, queue): {
            "attempts": dict(zip(ATTEMPT_OUTCOMES, counts, strict=True)),
            "duration_seconds": _make_quantiles(durations),
            "wait_seconds": _make_quantiles(waits),
        }
        for stage, queue, *counts, durations, waits in rows
    }


def _fetch_all(statement: str, window: timedelta) -> list[tuple[Any, ...]]:
    parameters: dict[str, Any] = {"window": window}  # psycopg takes timedelta; the stubs do not know
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _make_quantiles(pair: list[float | None] | None) -> Quantiles:
    p50, p95 = pair or (None, None)
    return Quantiles(p50=p50, p95=p95)


def _read_runs(window: timedelta) -> RunFigures:
    stuck = filter_stuck_runs(PipelineRun.objects.order_by()).count()
    counts = PipelineRun.objects.filter(
        Q(state=RunState.RUNNING) | Q(finished_at__gte=Now() - Value(window))
    ).aggregate(
        **{state.value: Count("id", filter=Q(state=state)) for state in RunState},
        oldest_running_seconds=_age_seconds(Min("created_at", filter=Q(state=RunState.RUNNING))),
    )
    return RunFigures(stuck=stuck, **{name: value or 0 for name, value in counts.items()})


_FILMS_SQL = """
WITH cost AS (
    SELECT run.id, run.state = 'completed' AND run.finished_at >= statement_timestamp() - %(window)s AS is_film,
           coalesce((entry ->> 'cost_usd')::float, 0) AS usd,
           stage.finished_at >= greatest(statement_timestamp() - %(window)s, run.created_at) AS is_recent
      FROM coaching_stagerun AS stage
      JOIN coaching_pipelinerun AS run ON run.id = stage.run_id
      LEFT JOIN LATERAL jsonb_array_elements(stage.usage) AS entry ON true
     WHERE run.finished_at >= statement_timestamp() - %(window)s
        OR stage.finished_at >= statement_timestamp() - %(window)s
), film AS (
    SELECT sum(usd) AS usd FROM cost WHERE is_film GROUP BY id
)
SELECT (SELECT count(*) FROM film),
       (SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY usd) FROM film),
       (SELECT coalesce(sum(usd), 0) FROM cost WHERE is_recent)
"""


def _read_films(window: timedelta) -> FilmFigures:
    ((completed, cost, spent),) = _fetch_all(_FILMS_SQL, window)
    return FilmFigures(completed=completed, cost_usd=_make_quantiles(cost), spent_usd=spent)


def _read_mail() -> MailFigures:
    figures = OutboxMail.objects.filter(sent_at__isnull=True).aggregate(
        waiting=Count("id"), oldest_waiting_seconds=_age_seconds(Min("created_at"))
    )
    return MailFigures(waiting=figures["waiting"], oldest_waiting_seconds=figures["oldest_waiting_seconds"] or 0.0)


def _read_beats() -> dict[str, float]:
    ages = Heartbeat.objects.annotate(age=_age_seconds(F("beaten_at"))).values_list("name", "age")
    return {name: float(age) for name, age in ages}


_CHAT_SQL = """
SELECT count(*) FILTER (WHERE state = 'pending'),
       coalesce(max(extract(epoch FROM statement_timestamp() - asked_at)) FILTER (WHERE state = 'pending'), 0)::float,
       count(*) FILTER (WHERE state = 'answered'), count(*) FILTER (WHERE state = 'failed'),
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM first_words_at - asked_at))
           FILTER (WHERE state = 'answered' AND first_words_at IS NOT NULL),
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - asked_at))
           FILTER (WHERE state = 'answered')
  FROM coaching_reply
 WHERE state = 'pending' OR finished_at >= statement_timestamp() - %(window)s
"""


def _read_chat(window: timedelta) -> ChatFigures:
    ((pending, oldest_seconds, answered, failed, first_words, whole),) = _fetch_all(_CHAT_SQL, window)
    return ChatFigures(
        pending=pending,
        oldest_pending_seconds=oldest_seconds,
        answered=answered,
        failed=failed,
        first_words_seconds=_make_quantiles(first_words),
        whole_answer_seconds=_make_quantiles(whole),
    )
