"""The fault table: which service was made to fail how, what was expected of us, and what was seen.

A pytest plugin (`-p tests.emulators.fault_table`, in pyproject.toml). A test that uses `fault_table.expect(...)` gets
its row printed at the end, whether it held or not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import cast

import pytest

from coaching.errors import MomentCloneError

PROPERTY = "fault of a service"


@dataclass(frozen=True, kw_only=True)
class Row:
    service: str
    fault: str
    expected: str
    seen: str

    @property
    def holds(self) -> bool:
        return self.seen.startswith(self.expected)


class FaultTable:
    """The rows of one test travel in its report: they arrive where the table is printed, whichever process ran it."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def record(self, *, service: str, fault: str, expected: str, seen: str) -> None:
        """Keep the row and fail the test where `seen` does not begin with `expected`."""
        row = Row(service=service, fault=fault, expected=expected, seen=seen)
        self._item.user_properties.append((PROPERTY, asdict(row)))
        assert row.holds, f"{service}, {fault}: expected {expected}, seen {seen}"

    @contextmanager
    def expect(self, error: type[MomentCloneError], *, service: str, fault: str) -> Iterator[list[MomentCloneError]]:
        """The block raises exactly `error` (not a subclass); what was raised is in the list for more questions."""
        raised: list[MomentCloneError] = []
        seen = "nothing was raised"
        try:
            yield raised
        except MomentCloneError as caught:
            raised.append(caught)
            seen = f"{type(caught).__name__}: {str(caught)[:90]}"
        self.record(service=service, fault=fault, expected=f"{error.__name__}:", seen=seen)

    @contextmanager
    def expect_success(self, *, service: str, fault: str, how: str) -> Iterator[None]:
        """The block gets through; `how`: "repeated", "restarted" and so on."""
        seen = how
        try:
            yield
        except Exception as caught:
            seen = f"{type(caught).__name__}: {caught}"
            raise
        finally:
            self.record(service=service, fault=fault, expected=how, seen=seen)


@pytest.fixture
def fault_table(request: pytest.FixtureRequest) -> FaultTable:
    return FaultTable(request.node)


_rows: list[Row] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _rows.extend(Row(**cast("dict[str, str]", row)) for name, row in report.user_properties if name == PROPERTY)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _rows:
        return
    terminalreporter.section("faults of Google's services")
    widths = [max(len(getattr(row, name)) for row in _rows) for name in ("service", "fault", "expected")]
    for row in sorted(_rows, key=lambda row: (row.service, row.fault)):
        cells = (row.service.ljust(widths[0]), row.fault.ljust(widths[1]), row.expected.ljust(widths[2]), row.seen)
        terminalreporter.write_line(f"{'ok ' if row.holds else 'NOT'} " + "  ".join(cells))
