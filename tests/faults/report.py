"""The table of `make faults`: which fault, what is expected, what was seen; and var/faults.json.

A test names its fault with `@pytest.mark.fault(number, title, expected)` and tells what it saw, and what it measured,
through the fixtures `saw` and `measured`. The rows have the form of `tests.benchmarks.rows`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

ROWS_PATH = Path(__file__).parents[2] / "var" / "faults.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number of a fault; it holds where it is `at_most`, `at_least` or exactly (`equal`) the target."""

    row: str
    value: float
    unit: str
    target: float
    how: Literal["at_most", "at_least", "equal"] = "at_most"

    @property
    def holds(self) -> bool:
        if self.how == "equal":
            return self.value == self.target
        return self.value <= self.target if self.how == "at_most" else self.value >= self.target


@dataclass(slots=True)
class FaultEntry:
    """A line of the table; several tests may stand behind one."""

    title: str
    expected: str
    seen: list[str]
    failures: int


def gather(reports: Iterable[Any]) -> dict[str, FaultEntry]:
    """Entries by number, from the reports of pytest's phases."""
    entries: dict[str, FaultEntry] = {}
    for report in reports:
        told = dict(entry for entry in report.user_properties if entry[0] == "fault")
        if "fault" not in told or (report.when != "call" and not report.failed):
            continue
        number, title, expected = told["fault"]
        entry = entries.setdefault(number, FaultEntry(title=title, expected=expected, seen=[], failures=0))
        entry.failures += report.failed
        entry.seen += [text for name, text in report.user_properties if name == "seen"]
        if report.failed:
            entry.seen.append(f"FAILED {report.nodeid.rpartition('::')[2]}")
    return dict(sorted(entries.items(), key=lambda item: _sort_key(item[0])))


def _sort_key(number: str) -> tuple[int, str]:
    return (int(number), "") if number.isdigit() else (1000, number)


def list_figures(reports: Iterable[Any]) -> list[Figure]:
    return [
        Figure(**values)
        for report in reports
        if report.when == "call"
        for name, values in report.user_properties
        if name == "figure"
    ]


def lay_out(entries: Mapping[str, FaultEntry], figures: Iterable[Figure]) -> list[str]:
    """The lines of the table, and of the figures."""
    lines = [f"{'#':<8} {'fault':<58} {'expected':<66} seen"]
    for number, entry in entries.items():
        verdict = "as expected" if not entry.failures else "NOT AS EXPECTED"
        seen = "; ".join(entry.seen) or verdict
        lines.append(f"{number:<8} {entry.title:<58} {entry.expected:<66} {verdict}: {seen}")
    for figure in figures:
        sign = {"at_most": "<=", "at_least": ">=", "equal": "="}[figure.how]
        verdict = "holds" if figure.holds else "DOES NOT HOLD"
        lines.append(f"{figure.row:<60} {figure.value:10.2f} {figure.unit:<14} {sign} {figure.target:g}: {verdict}")
    return lines


def write_rows(entries: Mapping[str, FaultEntry], figures: Iterable[Figure], path: Path) -> None:
    """A row a fault, with the number of tests that failed, and a row a figure."""
    rows = [
        Figure(row=f"fault {number}: {entry.title}", value=entry.failures, unit="failures", target=0, how="equal")
        for number, entry in entries.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    written = [
        {**{k: v for k, v in asdict(row).items() if k != "how"}, "value": round(row.value, 4), "holds": row.holds}
        for row in [*rows, *figures]
    ]
    unfinished.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n")
    unfinished.replace(path)
