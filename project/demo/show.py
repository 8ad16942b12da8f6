"""What the terminal shows: the stages as they run, a Gantt of them at the end, the diagnosis and where to look."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

GANTT_COLUMNS = 48
STATE_STYLES = {"done": "green", "running": "cyan", "queued": "yellow", "failed": "red", "cancelled": "red"}


class StageDisplay:
    """The stages as they run: bars on a terminal, a line a change elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal
        self._seen: dict[str, tuple[str, int]] = {}
        self._bars = Progress(
            TextColumn("{task.fields[stage]:<9}"),
            TextColumn("{task.fields[state]:<8}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "StageDisplay":
        if self._live:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def update(self, stages: Sequence[dict[str, Any]]) -> None:
        for stage in stages:
            if self._live:
                self._update_bar(stage)
            else:
                self._print_change(stage)

    def tell(self, message: str) -> None:
        self._console.print(message)

    def _update_bar(self, stage: dict[str, Any]) -> None:
        name, state = stage["stage"], stage["state"]
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task("", start=False, total=100, stage=name, state=state)
        task = self._tasks[name]
        if state == "running":
            self._bars.start_task(task)
        percent = 100 if state == "done" else stage["percent"]
        self._bars.update(task, completed=percent, state=state)
        if state in {"done", "failed", "cancelled"}:
            self._bars.stop_task(task)

    def _print_change(self, stage: dict[str, Any]) -> None:
        now = (stage["state"], stage["attempt"])
        if stage["state"] != "pending" and self._seen.get(stage["stage"]) != now:
            again = f" (attempt {stage['attempt']})" if stage["attempt"] > 1 else ""
            self._console.print(f"  {stage['stage']:<9} {stage['state']}{again}")
        self._seen[stage["stage"]] = now


def draw_gantt(stages: Sequence[dict[str, Any]]) -> Table:
    """Stages over time, as the report has them: waiting dotted, working solid."""
    timed = [stage for stage in stages if stage["started_at"] and stage["finished_at"]]
    table = Table(title="Stages over time", title_justify="left", box=None, pad_edge=False)
    for heading in ("stage", "queue", "seconds", "attempts", ""):
        table.add_column(heading, justify="right" if heading in {"seconds", "attempts"} else "left", no_wrap=True)
    if not timed:
        return table
    begin = min(_read_time(stage["queued_at"] or stage["started_at"]) for stage in timed)
    scale = GANTT_COLUMNS / max(1e-3, max(_read_time(stage["finished_at"]) for stage in timed) - begin)
    for stage in timed:
        queued, started, finished = (
            round((_read_time(stage[key] or stage["started_at"]) - begin) * scale)
            for key in ("queued_at", "started_at", "finished_at")
        )
        bar = Text(" " * min(queued, started))
        bar.append("·" * max(0, started - queued), style="yellow")
        bar.append("█" * max(1, finished - started), style=STATE_STYLES.get(stage["state"], "white"))
        table.add_row(stage["stage"], stage["queue"], f"{stage['seconds']:.1f}", str(stage["attempts"]), bar)
    return table


def show_result(console: Console, report: dict[str, Any]) -> None:
    """The film, the diagnosis with its second, and the texts."""
    film, analysis = report["film"], report["analysis"]
    console.print()
    moment = analysis["key_moment_timestamp"] or "no moment"
    console.print(f"[bold]{analysis['diagnosis']}[/bold]  ({analysis['outcome']}, at {moment} of the footage)")
    if analysis["principle_slug"]:
        console.print(f"  principle {analysis['principle_slug']}, mistake {analysis['mistake_slug'] or 'none'}")
    for heading, text in report["coaching_text"].items():
        console.print(f"  {heading:<13} {text}", soft_wrap=True)
    console.print()
    loudness = "silent" if film["loudness_lufs"] is None else f"{film['loudness_lufs']:.1f} LUFS"
    console.print(
        f"[bold]The film:[/bold] {film['path']}  "
        f"({film['duration_seconds']:.1f} s, {film['width_px']}x{film['height_px']}, {film['frames']} frames, "
        f"{loudness})",
        soft_wrap=True,
    )


def _read_time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
