"""manage.py evaluate with the local engines: both halves, what it writes, and judging recorded answers again."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

CASES = [
    {"id": "a", "diagnosis_ja": "温まる前の鍋に卵を入れ、底にはりついた。", "gold": ["preheat_pan"]},
    {"id": "b", "diagnosis_ja": "切った大きさがばらばらで、火の通りに差が出た。", "gold": ["even_cutting"]},
    {"id": "c", "diagnosis_ja": "味見をしないまま盛り付けた。", "gold": ["taste_and_adjust"]},
]


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(CASES), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def own_var_folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


def evaluate(*arguments: object) -> str:
    printed = StringIO()
    call_command("evaluate", *map(str, arguments), stdout=printed, stderr=StringIO())
    return printed.getvalue()


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_retrieval_is_measured_printed_and_recorded_without_any_row(cases: Path, tmp_path: Path) -> None:
    printed = evaluate("--provider", "local", "--only", "retrieval", "--cases", cases, "--json", tmp_path / "out.json")
    assert "retrieval over 3 labelled diagnoses" in printed
    assert "preheat_pan" in printed
    rows = {row["row"]: row for row in read_json(tmp_path / "evaluate.json")}
    assert rows["retrieval: right principle in the top 3"] == {
        "row": "retrieval: right principle in the top 3",
        "value": 1.0,
        "unit": "share",
        "target": 0.8,
        "holds": True,
    }
    report = read_json(tmp_path / "out.json")
    assert report["provider"] == "local"
    assert [answer["hits"][0] for answer in report["retrieval"]["answers"]] == [
        "preheat_pan",
        "even_cutting",
        "taste_and_adjust",
    ]


def test_a_golden_cook_is_drawn_rehearsed_and_judged_again_from_its_record(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    printed = evaluate("--provider", "local", "--only", "golden", "--cooks", "1", "--json", out)
    assert "SYNTHETIC" in printed
    golden = read_json(out)["golden"]
    assert golden["synthetic"] is True
    assert [verdict["claim"] for verdict in golden["verdicts"]] == ["right"]
    assert all(verdict["is_clean"] for verdict in golden["verdicts"])
    assert all(answer["drafts"][0]["texts"]["part1"].startswith("花子さん") for answer in golden["answers"])

    golden["answers"][0]["outcome"] = "mistake"
    out.write_text(json.dumps({"golden": golden}), encoding="utf-8")
    again = evaluate("--recorded", out, "--only", "golden", "--json", tmp_path / "again.json")
    assert "false" in again
    claims = [verdict["claim"] for verdict in read_json(tmp_path / "again.json")["golden"]["verdicts"]]
    assert claims == ["false"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--provider", "google"], "GOOGLE_CLOUD_PROJECT"),
        (["--cases", "nowhere.json"], "nowhere.json"),
        (["--cooks", "0"], "1 to 20"),
        (["--cooks", "21"], "1 to 20"),
        (["--recorded", "nowhere.json"], "no recorded answers"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_the_reason(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        evaluate("--only", "retrieval", *arguments)


def test_a_record_without_that_half_is_refused(tmp_path: Path, cases: Path) -> None:
    (tmp_path / "out.json").write_text('{"golden": {"answers": []}}', encoding="utf-8")
    with pytest.raises(CommandError, match="retrieval"):
        evaluate("--recorded", tmp_path / "out.json", "--only", "retrieval", "--cases", cases)
