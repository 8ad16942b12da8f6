import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coaching.knowledge import loader
from coaching.knowledge.loader import ContentError, parse_principle, read_catalogue, read_quiz
from coaching.rules import measure_likeness

Edit = Callable[[Any], None]
CASE_FILES = (loader.FOLDER / "diagnosis_cases.json", *sorted(Path(__file__).parent.glob("diagnosis_cases_*.json")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in loader.FOLDER.glob("*.json"):
        shutil.copy(file, tmp_path)
    return tmp_path


def edit(folder: Path, name: str, change: Edit) -> None:
    entries = json.loads((folder / name).read_text())
    change(entries)
    (folder / name).write_text(json.dumps(entries))


def test_the_catalogue_is_whole() -> None:
    catalogue = read_catalogue()
    assert len(catalogue.principles) == 53
    assert [dish.month_unlocked for dish in catalogue.dishes].count(1) == 3
    assert len(catalogue.dishes) == 29
    assert min(len(texts) for texts in catalogue.diagnoses.values()) >= 16


def test_the_quiz_is_whole() -> None:
    quiz = read_quiz()
    assert len(quiz.questions) == 40
    assert sum(question.core for question in quiz.questions) == 14
    assert {text.key for text in quiz.consents if text.required} == {"terms", "privacy_ai_processing", "cross_border"}


def test_the_documents_own_example_is_in_the_vocabulary() -> None:
    fried_rice = read_catalogue().dishes[0]
    assert fried_rice.slug == "fried-rice"
    assert {"moisture_control", "heat_management", "oil_coating"} <= set(fried_rice.principles)


def test_what_the_coach_may_say_holds_no_measurement() -> None:
    measured = re.compile(r"[0-9０-９]|[一二三四五六七八九十百]+(分|秒|度|グラム|センチ|ミリ|リットル|カップ)")
    catalogue = read_catalogue()
    said = [
        text
        for principle in catalogue.principles
        for text in (
            *(principle.summary_ja, principle.why_ja, principle.decisive_rule_ja),
            *(principle.next_action_ja, principle.success_sign_ja, *principle.examples_ja),
            *(mistake.ja for mistake in principle.mistakes),
            *(principle.cues_ja.sound, principle.cues_ja.look, principle.cues_ja.feel_or_smell),
        )
    ]
    said += [
        text
        for dish in catalogue.dishes
        for point in dish.key_points
        for text in (point.moment_ja, point.watch_for_ja, point.typical_mistake_ja, point.success_sign_ja)
    ]
    assert [text for text in said if measured.search(text)] == []


@pytest.mark.parametrize("path", CASE_FILES, ids=lambda path: path.name)
def test_no_labelled_diagnosis_is_among_the_examples(path: Path) -> None:
    """Nor nearly: what retrieval is judged by must not be what it was taught."""
    cases = json.loads(path.read_text())
    catalogue = read_catalogue()
    known = {text for texts in catalogue.diagnoses.values() for text in texts}
    likeness = {case["id"]: max(measure_likeness(case["diagnosis_ja"], text) for text in known) for case in cases}
    assert {name: value for name, value in likeness.items() if value > 0.7} == {}
    assert {slug for case in cases for slug in case["gold"]} <= {p.slug for p in catalogue.principles}
    assert len({case["id"] for case in cases}) == len(cases)


def drop_a_field(entries: Any) -> None:
    del entries["principles"][0]["why_ja"]


def add_a_field(entries: Any) -> None:
    entries["principles"][0]["why"] = "typo"


def repeat_a_principle(entries: Any) -> None:
    entries["principles"].append(entries["principles"][0])


def repeat_a_mistake(entries: Any) -> None:
    entries["principles"][1]["mistakes"].append(entries["principles"][0]["mistakes"][0])


def misname_a_category(entries: Any) -> None:
    entries["principles"][0]["category"] = "steam"


def misname_a_related_principle(entries: Any) -> None:
    entries["principles"][0]["related"].append("nothing_like_it")


def leave_a_text_blank(entries: Any) -> None:
    entries["principles"][0]["summary_ja"] = " "


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop_a_field, r"principle heat_management: why_ja: "),
        (add_a_field, r"principle heat_management: why: "),
        (repeat_a_principle, r"principle 'heat_management' appears more than once"),
        (repeat_a_mistake, r"mistake 'heat_too_high_throughout' appears more than once"),
        (misname_a_category, r"principle heat_management: unknown category 'steam'"),
        (misname_a_related_principle, r"principle heat_management: unknown principle 'nothing_like_it'"),
        (leave_a_text_blank, r"principle heat_management: summary_ja: "),
    ],
)
def test_a_faulty_principle_is_named(folder: Path, change: Edit, said: str) -> None:
    edit(folder, "principles.json", change)
    with pytest.raises(ContentError, match=said):
        read_catalogue(folder)


def misname_a_dishes_principle(entries: Any) -> None:
    entries["dishes"][0]["principles"].append("juggling")


def take_anothers_mistake(entries: Any) -> None:
    entries["dishes"][0]["key_points"][0]["mistake"] = "oil_cold"


def point_at_a_foreign_principle(entries: Any) -> None:
    entries["dishes"][0]["key_points"][0] |= {"principle": "basting", "mistake": "butter_burnt"}


def repeat_an_order(entries: Any) -> None:
    entries["dishes"][1]["order"] = 1


def misname_a_transfer(entries: Any) -> None:
    entries["dishes"][0]["transferable_to"].append("ramen-burger")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (misname_a_dishes_principle, r"dish fried-rice: unknown principle 'juggling'"),
        (take_anothers_mistake, r"dish fried-rice: 'oil_cold' is no mistake of 'mise_en_place'"),
        (point_at_a_foreign_principle, r"dish fried-rice: key point on 'basting'"),
        (repeat_an_order, r"dish order 1 appears more than once"),
        (misname_a_transfer, r"dish fried-rice: unknown dish 'ramen-burger'"),
    ],
)
def test_a_faulty_dish_is_named(folder: Path, change: Edit, said: str) -> None:
    edit(folder, "dishes.json", change)
    with pytest.raises(ContentError, match=said):
        read_catalogue(folder)


def test_every_fault_is_listed_at_once(folder: Path) -> None:
    edit(folder, "dishes.json", misname_a_dishes_principle)
    edit(folder, "dishes.json", misname_a_transfer)
    with pytest.raises(ContentError) as caught:
        read_catalogue(folder)
    assert len(str(caught.value).splitlines()) == 2


def test_a_principle_without_example_diagnoses_is_named(folder: Path) -> None:
    edit(folder, "diagnoses.json", lambda entries: entries.pop("reduction"))
    with pytest.raises(ContentError, match="principle reduction: no example diagnoses"):
        read_catalogue(folder)


def hide_behind_nothing(entries: Any) -> None:
    entries["questions"][17]["visible_if"] = {"allergies": ["moonlight"]}


def take_an_options_away(entries: Any) -> None:
    entries["questions"][3]["options"] = []


def wish_for_an_unknown_best(entries: Any) -> None:
    entries["questions"][26]["best_value"] = "luck"


def forget_a_limit(entries: Any) -> None:
    del entries["questions"][0]["max_length"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (hide_behind_nothing, r"question q18: visible_if names what 'allergies' does not offer"),
        (take_an_options_away, r"question q04: single questions need options"),
        (wish_for_an_unknown_best, r"question q27: best_value 'luck' is none of its options"),
        (forget_a_limit, r"question q01: a text needs its max_length"),
    ],
)
def test_a_faulty_question_is_named(folder: Path, change: Edit, said: str) -> None:
    edit(folder, "quiz.json", change)
    with pytest.raises(ContentError, match=said):
        read_quiz(folder)


@pytest.mark.parametrize("text", ["", "[", "[]", '{"principles": 3}'])
def test_a_file_that_is_no_catalogue_is_named(folder: Path, text: str) -> None:
    (folder / "principles.json").write_text(text)
    with pytest.raises(ContentError, match=r"principles\.json"):
        read_catalogue(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "quiz.json").unlink()
    with pytest.raises(ContentError, match=r"quiz\.json"):
        read_quiz(folder)


def test_an_edited_row_is_held_to_the_same_shape() -> None:
    with pytest.raises(ContentError, match="principle browning: name_ja: "):
        parse_principle({"slug": "browning"})
