"""manage.py queues: what waits, runs and fails, per stage, from PostgreSQL; `--json` for programs."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coaching.queries.operations import Operations, Quantiles, StageFigures, read_operations

COLUMNS = (
    "{stage:10} {queue:8} {waiting:>7} {delayed:>7} {running:>7} {oldest:>8} {done:>6} {errors:>6} {rate:>5} "
    "{evicted:>7} {p50:>8} {p95:>8} {wait:>8}"
)
HEADINGS = {
    name: name
    for name in ("stage", "queue", "waiting", "delayed", "running", "oldest", "done", "errors", "rate", "evicted")
} | {"p50": "p50", "p95": "p95", "wait": "wait p95"}


class Command(BaseCommand):
    help = "Depth, running, oldest age, failure rate and p50/p95 duration per stage and queue, from PostgreSQL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--hours", type=float, default=24.0, help="how far back ended attempts count (24)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["hours"] <= 24 * 366:
            raise CommandError("--hours must be more than 0 and at most a year")
        operations = read_operations(window=timedelta(hours=options["hours"]))
        self.stdout.write(format_as_json(operations) if options["json"] else format_as_table(operations))


def format_as_json(operations: Operations) -> str:
    """The dataclasses as they are, with each stage's failure rate."""
    document = asdict(operations)
    for entry, stage in zip(document["stages"], operations.stages, strict=True):
        entry["failure_rate"] = stage.failure_rate
    return json.dumps(document, indent=2)


def format_as_table(operations: Operations) -> str:
    runs, films, mail, chat = operations.runs, operations.films, operations.mail, operations.chat
    hours = operations.window_seconds / 3600
    first_words, whole = chat.first_words_seconds.p95, chat.whole_answer_seconds.p95
    latency = f"first words p95 {_format_seconds(first_words)}, whole p95 {_format_seconds(whole)}"
    cost = f"cost p50 {_format_cost(films.cost_usd.p50)}, p95 {_format_cost(films.cost_usd.p95)}"
    lines = [
        COLUMNS.format(**HEADINGS),
        *(COLUMNS.format(**_describe(stage)) for stage in operations.stages),
        "",
        f"runs now: {runs.running} running, {runs.stuck} stuck, oldest {_format_age(runs.oldest_running_seconds)}",
        f"runs in the last {hours:g} h: {runs.completed} completed, {runs.failed} failed, {runs.cancelled} cancelled",
        f"films in the last {hours:g} h: {films.completed}, {cost}; spent on all: {_format_cost(films.spent_usd)}",
        f"mail: {mail.waiting} waiting, oldest {_format_age(mail.oldest_waiting_seconds)}",
        f"chat: {chat.pending} pending, oldest {_format_age(chat.oldest_pending_seconds)}",
        f"chat in the last {hours:g} h: {chat.answered} answered, {chat.failed} failed, {latency}",
        f"beat: {_format_beats(operations.beat_ages_seconds)}",
        "",
        "waiting and running are of now; done, errors (attempts), rate, evicted, p50, p95 (duration) and wait (in the",
        f"queue) are of the last {hours:g} h. delayed: waits for the time of its next attempt.",
    ]
    return "\n".join(lines)


def _describe(stage: StageFigures) -> dict[str, Any]:
    rate = stage.failure_rate
    return {
        "stage": stage.stage.value,
        "queue": stage.queue,
        "waiting": stage.waiting,
        "delayed": stage.delayed,
        "running": stage.running,
        "oldest": _format_age(stage.oldest_waiting_seconds),
        "done": stage.attempts["done"],
        "errors": stage.attempts["retry"] + stage.attempts["failed"],
        "rate": "-" if rate is None else f"{rate:.0%}",
        "evicted": stage.attempts["evicted"],
        **_describe_durations(stage.duration_seconds),
        "wait": _format_seconds(stage.wait_seconds.p95),
    }


def _describe_durations(durations: Quantiles) -> dict[str, str]:
    return {"p50": _format_seconds(durations.p50), "p95": _format_seconds(durations.p95)}


def _format_seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f} s" if seconds < 100 else _format_age(seconds)


def _format_age(seconds: float) -> str:
    if seconds <= 0:
        return "-"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _format_cost(usd: float | None) -> str:
    return "-" if usd is None else f"${usd:.4f}"


def _format_beats(ages_seconds: dict[str, float]) -> str:
    if not ages_seconds:
        return "never heard of"
    return ", ".join(f"{name} {_format_age(max(1, age))} ago" for name, age in sorted(ages_seconds.items()))
