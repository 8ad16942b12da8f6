import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cluster import SHORT_TIMES, Cluster, open_cluster
from tests.faults.report import ROWS_PATH, Figure, gather, lay_out, list_figures, write_rows

LOG_TAIL_CHARACTERS = 20_000


@pytest.fixture
def open_test_cluster(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Callable[..., Cluster]]:
    """Opens a cluster with the environment that a test wants; this process publishes to the same broker."""
    for name, value in SHORT_TIMES.items():
        setattr(settings, name, value)
    with ExitStack() as stack:
        yield lambda **env: stack.enter_context(open_cluster(tmp_path, broker_url=settings.REDIS_URL, **env))


@pytest.fixture
def cluster(open_test_cluster: Callable[..., Cluster]) -> Cluster:
    return open_test_cluster()


@pytest.fixture(autouse=True)
def name_the_fault(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    if marker := request.node.get_closest_marker("fault"):
        number, title, expected = marker.args
        record_property("fault", (number, title, expected))


@pytest.fixture
def saw(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Tells the table of `make faults` what came of the fault."""
    return lambda text: record_property("seen", text)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Adds a figure to the table and to var/faults.json; one that does not hold fails the test."""

    def record(row: str, value: float, unit: str, target: float, how: Any = "at_most") -> None:
        figure = Figure(row=row, value=value, unit=unit, target=target, how=how)
        record_property("figure", {"row": row, "value": value, "unit": unit, "target": target, "how": how})
        assert figure.holds, f"{row}: {value} {unit}, target {target}"

    return record


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure says what the processes said: their folder is gone when somebody looks."""
    report = yield
    if report.when == "call" and report.failed:
        for cluster in getattr(item, "funcargs", {}).values():
            if isinstance(cluster, Cluster):
                report.sections += [
                    (f"log of {path.stem}", path.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:])
                    for path in sorted(cluster.folder.glob("*.log"))
                ]
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """With FAULTS_REPORT=1, as in `make faults`."""
    if os.environ.get("FAULTS_REPORT") != "1":
        return
    reports = [report for reports in terminalreporter.stats.values() for report in reports if hasattr(report, "when")]
    entries, figures = gather(reports), list_figures(reports)
    terminalreporter.section("faults")
    for line in lay_out(entries, figures):
        terminalreporter.write_line(line)
    write_rows(entries, figures, ROWS_PATH)
