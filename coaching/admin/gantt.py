"""Where the bars of a run's timeline stand. The template draws them as SVG; everything here is plain geometry."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from coaching.admin.base import format_seconds
from coaching.models import StageState
from coaching.queries.run_history import Doing, RunHistory, StageHistory, Stretch

LABEL_WIDTH_PX = 150
CHART_WIDTH_PX = 760
ROW_HEIGHT_PX = 30
BAR_HEIGHT_PX = 16
TOP_PX = 8
AXIS_HEIGHT_PX = 26
RIGHT_PX = 24
MIN_BAR_PX = 2.0
MIN_TEXT_PX = 22.0
MAX_TICKS = 8
TICK_STEPS_SECONDS = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 14_400, 21_600, 43_200, 86_400),
)
WORDS = {Doing.QUEUED: "queued", Doing.RETRY_WAIT: "waiting for its retry", Doing.RUNNING: "running"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`look` is a class of the style sheet; `label` is drawn inside where there is room."""

    x_px: float
    y_px: float
    width_px: float
    look: str
    title: str
    label: str

    @property
    def label_x_px(self) -> float:
        return round(self.x_px + self.width_px / 2, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    state: str
    y_px: float
    note: str
    bars: tuple[Bar, ...]

    @property
    def text_y_px(self) -> float:
        return self.y_px + ROW_HEIGHT_PX / 2 + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    x_px: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gantt:
    """`description` says in words what the picture shows, for those who cannot see it."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    title: str
    description: str
    now_x_px: float | None
    width_px: int = LABEL_WIDTH_PX + CHART_WIDTH_PX + RIGHT_PX
    chart_x_px: int = LABEL_WIDTH_PX
    bar_height_px: int = BAR_HEIGHT_PX
    row_height_px: int = ROW_HEIGHT_PX
    legend: tuple[tuple[str, str], ...] = (
        ("queued", "queued"),
        ("retry-wait", "waiting for its retry"),
        ("work-running", "running"),
        ("work-done", "done"),
        ("work-retry", "error, tried again"),
        ("work-failed", "failed"),
        ("work-evicted", "worker went silent"),
        ("work-cancelled", "cancelled"),
    )

    @property
    def chart_height_px(self) -> int:
        return TOP_PX + len(self.rows) * ROW_HEIGHT_PX

    @property
    def height_px(self) -> int:
        return self.chart_height_px + AXIS_HEIGHT_PX

    @property
    def axis_text_y_px(self) -> int:
        return self.chart_height_px + 17


def draw_gantt(history: RunHistory) -> Gantt:
    """Time runs from the run's start to its end or to now; what was kept from an earlier run has a note, no bar."""
    scale = _Scale(history)
    is_over = history.run.finished_at is not None
    taken = format_seconds(scale.span_seconds)
    return Gantt(
        rows=tuple(_draw_row(stage, number, scale) for number, stage in enumerate(history.stages)),
        ticks=_draw_ticks(scale),
        title=f"Timeline of run {history.run.pk}",
        description=f"{history.run.state} {'after' if is_over else 'for'} {taken}. "
        + " ".join(_describe(stage) for stage in history.stages),
        now_x_px=None if is_over else scale.find_x_px(history.ends_at),
    )


class _Scale:
    def __init__(self, history: RunHistory) -> None:
        drawn = [stretch for stage in history.stages if not stage.is_kept for stretch in stage.stretches]
        self.begins_at = min([history.begins_at, *(stretch.begins_at for stretch in drawn)])
        ends_at = max([history.ends_at, *(stretch.ends_at for stretch in drawn)])
        self.span_seconds = max(0.1, (ends_at - self.begins_at).total_seconds())

    def find_x_px(self, moment: datetime) -> float:
        share = (moment - self.begins_at).total_seconds() / self.span_seconds
        return round(LABEL_WIDTH_PX + CHART_WIDTH_PX * min(1.0, max(0.0, share)), 1)


def _draw_row(stage: StageHistory, number: int, scale: _Scale) -> Row:
    y_px = TOP_PX + number * ROW_HEIGHT_PX
    row = stage.row
    note = ""
    if stage.is_kept:
        note = "kept from an earlier run"
    elif not stage.stretches:
        note = "not reached" if row.state in {StageState.PENDING, StageState.CANCELLED} else ""
    bars = () if stage.is_kept else tuple(_draw_bar(stage, stretch, y_px, scale) for stretch in stage.stretches)
    return Row(name=stage.stage.value, state=row.state, y_px=y_px, note=note, bars=bars)


def _draw_bar(stage: StageHistory, stretch: Stretch, row_y_px: float, scale: _Scale) -> Bar:
    x_px = scale.find_x_px(stretch.begins_at)
    width_px = max(MIN_BAR_PX, round(scale.find_x_px(stretch.ends_at) - x_px, 1))
    is_work = stretch.doing == Doing.RUNNING
    look = f"work-{stretch.outcome or 'running'}" if is_work else stretch.doing.replace(" ", "-")
    return Bar(
        x_px=x_px,
        y_px=row_y_px + (ROW_HEIGHT_PX - BAR_HEIGHT_PX) / 2,
        width_px=width_px,
        look=look,
        title=_describe_stretch(stage, stretch),
        label=f"{stretch.attempt}" if is_work and width_px >= MIN_TEXT_PX else "",
    )


def _describe_stretch(stage: StageHistory, stretch: Stretch) -> str:
    begins, ends = (timezone.localtime(at).strftime("%H:%M:%S") for at in (stretch.begins_at, stretch.ends_at))
    lines = [
        f"{stage.stage.value}, attempt {stretch.attempt}: {WORDS[stretch.doing]} {format_seconds(stretch.seconds)}",
        f"{begins} to {ends if stretch.outcome or stretch.doing != Doing.RUNNING else 'now'}",
    ]
    if stretch.worker and stretch.doing == Doing.RUNNING:
        lines.append(f"on {stretch.worker}")
    if stretch.outcome:
        lines.append(f"ended: {stretch.outcome}" + (f" ({stretch.error})" if stretch.error else ""))
    return "\n".join(lines)


def _describe(stage: StageHistory) -> str:
    """One sentence a stage."""
    row, name = stage.row, stage.stage.value
    if stage.is_kept:
        return f"{name}: kept from an earlier run."
    if not stage.stretches:
        return f"{name}: {row.state}."
    parts = [
        f"{WORDS[doing]} {format_seconds(seconds)}"
        for doing in Doing
        if (seconds := stage.count_seconds(doing)) or doing == Doing.RUNNING
    ]
    attempts = f", {row.attempt} attempts" if row.attempt > 1 else ""
    return f"{name}: {row.state}{attempts}, {', '.join(parts)}."


def _draw_ticks(scale: _Scale) -> tuple[Tick, ...]:
    step = next((step for step in TICK_STEPS_SECONDS if scale.span_seconds / step <= MAX_TICKS), TICK_STEPS_SECONDS[-1])
    while scale.span_seconds / step > MAX_TICKS:
        step *= 2
    count = int(scale.span_seconds / step + 1e-9)
    return tuple(
        Tick(
            x_px=round(LABEL_WIDTH_PX + CHART_WIDTH_PX * number * step / scale.span_seconds, 1),
            label=_label_tick(number * step, step),
        )
        for number in range(count + 1)
    )


def _label_tick(seconds: float, step: float) -> str:
    if step < 1:
        return f"{seconds:.1f} s"
    if step < 60 and seconds < 60:
        return f"{seconds:.0f} s"
    hours, rest = divmod(round(seconds), 3600)
    if step >= 3600:
        return f"{hours} h"
    minutes, rest_seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{rest_seconds:02d}" if hours else f"{minutes}:{rest_seconds:02d}"
