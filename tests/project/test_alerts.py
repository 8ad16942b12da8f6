"""The alerts of docs/alerts.yml ask for what /metrics really exposes, and each has a runbook."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from coaching.queries.operations import ChatFigures, FilmFigures, Operations, Quantiles, StageFigures, read_operations
from coaching.services.content import IndexState
from coaching.web.broker import BrokerFigures
from coaching.web.metrics import describe_broker, describe_operations, describe_search_index

PROJECT = Path(__file__).resolve().parents[2]
RULES: list[dict[str, Any]] = yaml.safe_load((PROJECT / "docs" / "alerts.yml").read_text())["groups"][0]["rules"]
OPERATIONS = (PROJECT / "docs" / "operations.md").read_text()
UP = {"moment_clone_database_up", "moment_clone_broker_up"}
SELECTOR = re.compile(r'(moment_clone_\w+)(?:\{(\w+)=~?"([^"]*)"\})?')


def exposed() -> dict[str, dict[str, set[str]]]:
    """Every value of every label, by metric, when there is something to tell of everything."""
    measured = Quantiles(p50=1.0, p95=2.0)
    empty = read_operations()
    operations = Operations(
        window_seconds=empty.window_seconds,
        stages=tuple(
            StageFigures(
                stage=stage.stage,
                queue=stage.queue,
                attempts=dict.fromkeys(stage.attempts, 1),
                duration_seconds=measured,
                wait_seconds=measured,
            )
            for stage in empty.stages
        ),
        runs=empty.runs,
        films=FilmFigures(completed=1, cost_usd=measured),
        mail=empty.mail,
        chat=ChatFigures(first_words_seconds=measured, whole_answer_seconds=measured),
        beat_ages_seconds={"watchdog": 1.0},
    )
    families = [
        *describe_operations(operations),
        *describe_search_index(IndexState(is_current=True, built=None)),
        *describe_broker(BrokerFigures(waiting={"media": 0}, unacknowledged=0)),
    ]
    values: dict[str, dict[str, set[str]]] = {name: {} for name in UP}
    for sample in (sample for family in families for sample in family.samples):
        labels = values.setdefault(sample.name, defaultdict(set))
        for label, value in sample.labels.items():
            labels[label].add(value)
    return values


@pytest.mark.django_db
@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_asks_for_what_is_exposed(rule: dict[str, Any]) -> None:
    known = exposed()
    selectors = SELECTOR.findall(rule["expr"])
    assert selectors
    for name, label, wanted in selectors:
        assert name in known
        assert not label or set(wanted.split("|")) <= known[name][label]
    grouped = re.findall(r"by \(([\w, ]+)\)", rule["expr"])
    available = set().union(*(known[name] for name, _, _ in selectors))
    assert {label for labels in grouped for label in labels.split(", ")} <= available
    assert rule["expr"].count("(") == rule["expr"].count(")")


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_has_a_threshold_a_summary_and_a_runbook(rule: dict[str, Any]) -> None:
    assert re.search(r"[<>=]=?\s*\d|absent", rule["expr"])
    assert re.fullmatch(r"\d+m", rule["for"])
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert (PROJECT / page).is_file()
    headings = [heading.lower() for heading in re.findall(r"^### (.+)$", OPERATIONS, re.MULTILINE)]
    assert anchor == rule["alert"].lower()
    assert headings.count(anchor) == 1
    assert f"[{rule['alert']}](#{anchor})" in OPERATIONS


@pytest.mark.django_db
def test_the_guide_names_no_metric_that_is_not_exposed() -> None:
    named = set(re.findall(r"moment_clone_\w+", OPERATIONS)) - {"moment_clone_"}
    assert named <= exposed().keys()
