"""Line charts as numbers for an SVG: drawn by the server, read as a table by whoever cannot see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 420, 240
MOST_LABELS = 5  # more would run into each other on a phone
LEFT, RIGHT, TOP, BOTTOM = 44, 44, 16, 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One value of a line. `x` and `y` are in the units of the chart's view box."""

    x: float
    y: float
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`number` chooses its colour and dashes; `runs` are the points of its unbroken pieces, for `<polyline>`."""

    name: str
    number: int
    marks: tuple[Mark, ...]
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def draw_chart(series: Mapping[str, Sequence[int | None]], *, labels: Sequence[str], low: int, high: int) -> Chart:
    """One line a series over the same `labels`; None breaks a line. Values lie between `low` and `high`."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels) - 1)
    middle = (LEFT + WIDTH - RIGHT) / 2
    xs = [round(LEFT + step * index, 1) if len(labels) > 1 else middle for index in range(len(labels))]
    shown = (len(labels) + MOST_LABELS - 1) // MOST_LABELS
    span = max(1, high - low)

    def find_y(value: int) -> float:
        return round(TOP + (high - value) / span * (HEIGHT - TOP - BOTTOM), 1)

    lines = []
    for number, (name, values) in enumerate(series.items(), start=1):
        marks = [None if v is None else Mark(x=x, y=find_y(v), value=v) for x, v in zip(xs, values, strict=True)]
        lines.append(_draw_line(name, number, marks))
    return Chart(
        lines=tuple(lines),
        across=tuple(Tick(at=x, text=text) for x, text in list(zip(xs, labels, strict=True))[:: max(1, shown)]),
        up=tuple(Tick(at=find_y(value), text=str(value)) for value in range(low, high + 1, max(1, span // 5))),
    )


def _draw_line(name: str, number: int, marks: Sequence[Mark | None]) -> Line:
    runs: list[list[Mark]] = [[]]
    for mark in marks:
        if mark is None:
            runs.append([])
        else:
            runs[-1].append(mark)
    return Line(
        name=name,
        number=number,
        marks=tuple(mark for mark in marks if mark is not None),
        runs=tuple(" ".join(f"{mark.x},{mark.y}" for mark in run) for run in runs if len(run) > 1),
    )
