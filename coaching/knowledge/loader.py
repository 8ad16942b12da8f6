"""Reads the knowledge files and checks them: shapes entry by entry, then what they say of each other.

    principles.json   categories and principles      diagnoses.json   example diagnoses of each principle
    dishes.json       dishes and their key points    quiz.json        the onboarding quiz and its consents

`ContentError` lists every fault with its place. Nothing here writes: `services.content` makes rows of it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from coaching.knowledge.entries import Catalogue, Category, Dish, Principle, Question, Quiz

T = TypeVar("T")

FOLDER = Path(__file__).resolve().parent

_CATEGORIES = TypeAdapter(tuple[Category, ...])
_PRINCIPLE = TypeAdapter(Principle)
_DISH = TypeAdapter(Dish)
_DIAGNOSES = TypeAdapter(dict[str, tuple[str, ...]])
_QUIZ = TypeAdapter(Quiz)


class ContentError(ValueError):
    """The content is not usable; the message has one line a fault."""


def parse_principle(entry: Mapping[str, Any]) -> Principle:
    """One principle from its entry (of the file, or of a row that an admin may have edited)."""
    return _parse(_PRINCIPLE, entry, place=f"principle {entry.get('slug', '?')}")


def parse_dish(entry: Mapping[str, Any]) -> Dish:
    return _parse(_DISH, entry, place=f"dish {entry.get('slug', '?')}")


@cache
def read_catalogue(folder: Path = FOLDER) -> Catalogue:
    """The whole catalogue; raises `ContentError`."""
    principles_file = _read_json(folder / "principles.json")
    dishes_file = _read_json(folder / "dishes.json")
    catalogue = Catalogue(
        categories=_parse(_CATEGORIES, _take(principles_file, "categories", "principles.json"), place="categories"),
        principles=tuple(parse_principle(e) for e in _take(principles_file, "principles", "principles.json")),
        dishes=tuple(parse_dish(e) for e in _take(dishes_file, "dishes", "dishes.json")),
        diagnoses=_parse(_DIAGNOSES, _read_json(folder / "diagnoses.json"), place="diagnoses.json"),
    )
    _refuse([*_find_duplicates(catalogue), *_find_broken_references(catalogue)])
    return catalogue


@cache
def read_quiz(folder: Path = FOLDER) -> Quiz:
    """The onboarding quiz; raises `ContentError`."""
    quiz: Quiz = _parse(_QUIZ, _read_json(folder / "quiz.json"), place="quiz.json")
    _refuse(_find_quiz_faults(quiz, read_catalogue(folder)))
    return quiz


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ContentError(f"{path.name}: {error}") from error


def _take(entries: Any, key: str, file_name: str) -> list[Any]:
    if not isinstance(entries, dict) or not isinstance(entries.get(key), list):
        raise ContentError(f"{file_name}: expected an object with a list named {key!r}")
    return list(entries[key])


def _parse(adapter: TypeAdapter[T], value: Any, *, place: str) -> T:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        lines = [f"{place}: {'.'.join(map(str, e['loc'])) or 'entry'}: {e['msg']}" for e in error.errors()]
        raise ContentError("\n".join(lines)) from error


def _refuse(faults: Iterable[str]) -> None:
    if lines := sorted(faults):
        raise ContentError("\n".join(lines))


def _repeated(values: Iterable[object]) -> list[object]:
    return [value for value, count in Counter(values).items() if count > 1]


def _find_duplicates(catalogue: Catalogue) -> Iterator[str]:
    groups: dict[str, list[Any]] = {
        "category": [c.key for c in catalogue.categories],
        "principle": [p.slug for p in catalogue.principles],
        "mistake": [m.slug for p in catalogue.principles for m in p.mistakes],
        "dish": [d.slug for d in catalogue.dishes],
        "dish order": [d.order for d in catalogue.dishes],
        "diagnosis": [text for texts in catalogue.diagnoses.values() for text in texts],
    }
    for name, values in groups.items():
        yield from (f"{name} {value!r} appears more than once" for value in _repeated(values))
    for dish in catalogue.dishes:
        yield from (f"dish {dish.slug}: principle {slug!r} twice" for slug in _repeated(dish.principles))


def _find_broken_references(catalogue: Catalogue) -> Iterator[str]:
    categories = {category.key for category in catalogue.categories}
    principles = {principle.slug: principle for principle in catalogue.principles}
    dishes = {dish.slug for dish in catalogue.dishes}
    for principle in catalogue.principles:
        place = f"principle {principle.slug}"
        if principle.category not in categories:
            yield f"{place}: unknown category {principle.category!r}"
        yield from (f"{place}: unknown principle {slug!r}" for slug in principle.related if slug not in principles)
        yield from (f"{place}: unknown dish {slug!r}" for slug in principle.transfers_to if slug not in dishes)
        if not catalogue.diagnoses.get(principle.slug):
            yield f"{place}: no example diagnoses"
    yield from (f"diagnoses of unknown principle {slug!r}" for slug in catalogue.diagnoses if slug not in principles)
    for dish in catalogue.dishes:
        yield from _find_dish_faults(dish, principles, dishes)


def _find_dish_faults(dish: Dish, principles: Mapping[str, Principle], dishes: set[str]) -> Iterator[str]:
    place = f"dish {dish.slug}"
    yield from (f"{place}: unknown principle {slug!r}" for slug in dish.principles if slug not in principles)
    yield from (f"{place}: unknown dish {slug!r}" for slug in dish.transferable_to if slug not in dishes)
    for point in dish.key_points:
        if point.principle not in dish.principles:
            yield f"{place}: key point on {point.principle!r}, which is none of the dish's principles"
        elif point.principle in principles:
            mistakes = {mistake.slug for mistake in principles[point.principle].mistakes}
            if point.mistake not in mistakes:
                yield f"{place}: {point.mistake!r} is no mistake of {point.principle!r}"


def _find_quiz_faults(quiz: Quiz, catalogue: Catalogue) -> Iterator[str]:
    sections = {section.key for section in quiz.sections}
    principles = {principle.slug for principle in catalogue.principles}
    options = {question.profile_key: question.option_values for question in quiz.questions}
    names: dict[str, list[str]] = {
        "question": [question.id for question in quiz.questions],
        "profile key": [question.profile_key for question in quiz.questions],
        "section": [section.key for section in quiz.sections],
        "consent": [consent.key for consent in quiz.consents],
    }
    for name, values in names.items():
        yield from (f"{name} {value!r} appears more than once" for value in _repeated(values))
    for question in quiz.questions:
        place = f"question {question.id}"
        if question.section not in sections:
            yield f"{place}: unknown section {question.section!r}"
        if question.principle and question.principle not in principles:
            yield f"{place}: unknown principle {question.principle!r}"
        for key, chosen in question.visible_if.items():
            if not set(chosen) <= options.get(key, frozenset()):
                yield f"{place}: visible_if names what {key!r} does not offer"
        yield from _find_question_faults(question, place)


def _find_question_faults(question: Question, place: str) -> Iterator[str]:
    if (question.type in {"single", "multi", "scale"}) != bool(question.options):
        yield f"{place}: {question.type} questions {'take no' if question.options else 'need'} options"
    if question.type.endswith("text") and question.max_length is None:
        yield f"{place}: a text needs its max_length"
    for name in ("exclusive_option", "pin_last", "best_value"):
        if (value := getattr(question, name)) and value not in question.option_values:
            yield f"{place}: {name} {value!r} is none of its options"
