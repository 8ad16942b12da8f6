"""How answers are judged: retrieval on labelled diagnoses, and the golden set. Pure, on answers made up here."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coaching.errors import Misconfigured
from coaching.providers import registry
from coaching.providers.ports import NarrationScript
from coaching.rules import Finding
from coaching.services.evaluation import (
    DEFAULT_CASES,
    GoldenAnswer,
    LabelledDiagnosis,
    Row,
    SearchedCase,
    compose_golden_dish,
    judge_golden,
    judge_retrieval,
    read_cases,
    record_rows,
)
from coaching.services.evaluation.golden import SEEDS
from coaching.services.script import draft_script
from tests.coaching.services.writers import BROKEN_PART2, Writer, make_script_request

TRUTH: dict[str, Any] = {
    "verdict": "mistake",
    "principle_slug": "avoid_crowding",
    "mistake_slug": "overcrowded_pan",
    "also_right": [{"principle_slug": "heat_recovery", "mistake_slug": "cold_ingredients_dumped"}],
    "key_moment_seconds": 20.0,
    "events": [{"seconds": 5.0, "label": "oil_in"}, {"seconds": 20.0, "label": "rice_in"}],
}
ANSWER = GoldenAnswer(
    name="crowded-pan-501",
    truth=TRUTH,
    outcome="mistake",
    principle_slug="avoid_crowding",
    mistake_slug="overcrowded_pan",
    key_moment_seconds=22.9,
    event_seconds=(6.0, 40.0),
    kept_slugs=("avoid_crowding",),
    drafts=({"texts": {}, "broken": []},),
)


def judge(answer: GoldenAnswer) -> str:
    return judge_golden([answer]).verdicts[0].claim


def value_of(rows: tuple[Row, ...], ending: str) -> float:
    return next(row.value for row in rows if row.row.endswith(ending))


# --- retrieval ------------------------------------------------------------------------------------------------------


def write_cases(folder: Path, entries: Any) -> Path:
    path = folder / "cases.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def test_any_of_the_accepted_principles_counts_and_each_gets_its_row() -> None:
    cases = (
        LabelledDiagnosis(id="a", diagnosis_ja="あ", gold=("browning", "reduction")),
        LabelledDiagnosis(id="b", diagnosis_ja="い", gold=("lid_use",)),
    )
    searched = [
        SearchedCase(id="b", hits=("basting", "browning", "reduction", "lid_use"), seconds=0.1),
        SearchedCase(id="a", hits=("basting", "reduction"), seconds=0.1),
    ]
    report = judge_retrieval(cases, searched)
    assert report.shares == {1: 0.0, 3: 0.5, 5: 1.0}
    assert report.per_principle["reduction"] == (1, {1: 0, 3: 1, 5: 1})
    assert report.per_principle["lid_use"] == (1, {1: 0, 3: 0, 5: 1})
    assert report.confused == (("lid_use", "basting", 1),)
    assert report.missed == ("b",)


def test_a_case_without_an_answer_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no answers"):
        judge_retrieval((LabelledDiagnosis(id="a", diagnosis_ja="あ", gold=("browning",)),), [])


def test_the_cases_to_judge_by_are_many() -> None:
    assert len(read_cases(DEFAULT_CASES)) >= 100


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([], "empty"),
        ({"id": "a"}, "no labelled"),
        ([{"id": "a", "diagnosis_ja": "あ"}], "gold"),
        ([{"id": "a", "diagnosis_ja": " ", "gold": ["browning"]}], "diagnosis_ja"),
        ([{"id": "a", "diagnosis_ja": "あ", "gold": []}], "gold"),
        ([{"id": "a", "diagnosis_ja": "あ", "gold": ["frying"]}], "frying"),
        ([{"id": "a", "diagnosis_ja": "あ", "gold": ["browning"]}] * 2, "repeated"),
    ],
)
def test_cases_that_cannot_be_judged_by_are_refused_with_the_reason(tmp_path: Path, entries: Any, reason: str) -> None:
    with pytest.raises(Misconfigured, match=reason):
        read_cases(write_cases(tmp_path, entries))


def test_a_missing_or_broken_file_of_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="none"):
        read_cases(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('[{"id"', encoding="utf-8")
    with pytest.raises(Misconfigured, match="half"):
        read_cases(tmp_path / "half.json")


# --- the golden set -------------------------------------------------------------------------------------------------


def test_the_mistake_within_three_seconds_is_right_under_each_of_its_names() -> None:
    assert judge(ANSWER) == "right"
    assert judge(replace(ANSWER, principle_slug="heat_recovery", mistake_slug="cold_ingredients_dumped")) == "right"


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"key_moment_seconds": 23.1}, "false"),
        ({"mistake_slug": "cold_ingredients_dumped"}, "false"),
        ({"principle_slug": "browning", "mistake_slug": "pale_surface"}, "false"),
        ({"outcome": "good", "mistake_slug": ""}, "false"),
        ({"outcome": "could_not_tell", "key_moment_seconds": None}, "could not tell"),
        ({"fault": "ProviderRefused: no"}, "fault"),
    ],
)
def test_anything_else_is_told_apart(changes: dict[str, Any], claim: str) -> None:
    assert judge(replace(ANSWER, **changes)) == claim


def test_a_good_cook_and_one_that_cannot_be_told_are_judged_by_their_own_truth() -> None:
    good = TRUTH | {"verdict": "good", "mistake_slug": None}
    assert judge(replace(ANSWER, truth=good, outcome="good", mistake_slug="")) == "right"
    assert judge(replace(ANSWER, truth=good)) == "false"
    dark = TRUTH | {"verdict": "could_not_tell", "key_moment_seconds": None}
    assert judge(replace(ANSWER, truth=dark, outcome="could_not_tell", key_moment_seconds=None)) == "right"
    assert judge(replace(ANSWER, truth=dark)) == "false"


def test_events_rules_and_costs_are_counted() -> None:
    repaired = replace(
        ANSWER,
        drafts=({"texts": {}, "broken": ["part1: english OK"]}, {"texts": {}, "broken": []}),
        cost_usd=0.02,
        stage_seconds={"analyse": 3.0, "script": 1.0},
        kept_slugs=("browning",),
    )
    rows = judge_golden([ANSWER, repaired]).rows
    assert value_of(rows, "labelled events told within 3 s") == 0.5
    assert value_of(rows, "script keeps the rules at once") == 0.5
    assert value_of(rows, "script keeps the rules after its repair") == 1.0
    assert value_of(rows, "right principle among those kept") == 0.5
    assert value_of(rows, "a cook costs") == 0.01
    assert value_of(rows, "a cook takes") == 2.0


def test_the_golden_cooks_are_of_seeds_that_nothing_was_tuned_on() -> None:
    assert min(SEEDS) >= 200
    assert len(SEEDS) * 5 >= 20


def test_the_golden_dish_needs_no_rows() -> None:
    dish, principles = compose_golden_dish()
    assert dish.slug == "fried-rice"
    assert {principle.slug for principle in dish.principles} <= set(principles)
    assert dish.key_points


# --- one repair round -----------------------------------------------------------------------------------------------


def test_a_script_that_keeps_the_rules_is_written_once() -> None:
    writer = Writer([""])
    (draft,) = draft_script(writer, make_script_request())
    assert draft.findings == ()
    assert writer.asked == [()]


def test_a_script_that_breaks_them_is_written_once_more_with_the_findings() -> None:
    writer = Writer([BROKEN_PART2, ""])
    first, second = draft_script(writer, make_script_request())
    assert [finding.code for finding in first.findings] == ["measurement"]
    assert second.findings == ()
    assert writer.asked == [(), tuple(finding.instruction for finding in first.findings)]


def test_a_second_break_is_the_end_of_it() -> None:
    writer = Writer([BROKEN_PART2, BROKEN_PART2, ""])
    drafts = draft_script(writer, make_script_request())
    assert len(drafts) == 2
    assert all(isinstance(finding, Finding) for finding in drafts[-1].findings)
    assert isinstance(drafts[-1].script.narration, NarrationScript)


# --- rows and adapters ----------------------------------------------------------------------------------------------


def test_rows_replace_those_of_their_name_and_say_whether_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "var" / "evaluate.json"
    record_rows([Row(row="a", value=0.5, unit="share", target=0.8), Row(row="b", value=1, unit="USD")], path)
    record_rows([Row(row="a", value=0.05, unit="share", target=0.1, at_least=False)], path)
    b, a = json.loads(path.read_text())
    assert b == {"row": "b", "value": 1, "unit": "USD", "target": None, "holds": True}
    assert a == {"row": "a", "value": 0.05, "unit": "share", "target": 0.1, "holds": True}
    assert not Row(row="a", value=0.5, unit="share", target=0.8).holds


def test_other_adapters_serve_for_a_while_and_then_the_configured_ones_again() -> None:
    path = "coaching.providers.local.file_store.FileStore"
    before = registry.load_adapter_class("principle_index")
    with registry.provided_by({"principle_index": {"class": path, "options": {}}}):
        assert registry.load_adapter_class("principle_index").__name__ == "FileStore"
        assert registry.load_adapter_class("coach").__name__ == "SignalCoach"
    assert registry.load_adapter_class("principle_index") is before
