"""What holds for all tests: no silent skips where asked for, and a table of the seconds that each folder took."""

import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

# `make test` stays under 20 minutes on two cores; a folder that outgrows its share shows here, and fails nothing. Two
# processes share the machine in it, so the seconds of both are counted: by the clock it takes about half.
BUDGET_SECONDS = {
    "browser": 240,
    "coaching": 340,
    "end_to_end": 130,
    "faults": 120,
    "media_tools": 230,
    "project": 110,
}
_seconds: dict[str, float] = defaultdict(float)


def refuses_skips() -> bool:
    """PYTEST_NO_SKIPS=1: a test that cannot run here is a failure; continuous integration must run them all."""
    return os.environ.get("PYTEST_NO_SKIPS") == "1"


@pytest.fixture(scope="session", autouse=True)
def _plain_static_names() -> Iterator[None]:
    """Pages rendered in this process name static files plainly: hashed names need collected files.

    Only processes that tests start serve static files, from a folder that `collectstatic` filled.
    """
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": plain}):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if refuses_skips() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"PYTEST_NO_SKIPS is set, and this test was skipped: {call.excinfo and call.excinfo.value}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if refuses_skips() and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"PYTEST_NO_SKIPS is set, and this was skipped as a whole: {report.longrepr}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    parts = Path(report.fspath).parts
    _seconds[parts[1] if len(parts) > 2 else parts[0]] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("seconds by folder")
    for folder, seconds in sorted(_seconds.items()):
        budget = BUDGET_SECONDS.get(folder)
        share = "no budget" if budget is None else f"of {budget}{'  OVER BUDGET' if seconds > budget else ''}"
        terminalreporter.write_line(f"{seconds:8.1f} {share:<24} {folder}")
    terminalreporter.write_line(f"{sum(_seconds.values()):8.1f} of 1200                  all")
