"""Edits of content by admins: checked as the knowledge files are, written whole, told to the audit log.

Mistakes are a vocabulary: learners' histories and dishes' key points name them by slug, so an edit may add one and
reword one, never drop or rename one. The search index is rebuilt afterwards, by whoever calls this.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import transaction

from coaching.errors import FieldFault, InvalidInput
from coaching.knowledge.loader import ContentError, parse_dish, parse_principle
from coaching.models import AuditEntry, Dish, Principle, User
from coaching.rules.measurements import find_measurements

# What the coach never says is not taught either. Safety notes are official advice, which has its temperatures.
SPOKEN_FIELDS = (
    *("summary_ja", "why_ja", "examples_ja", "decisive_rule_ja", "cues_ja", "mistakes", "next_action_ja"),
    *("success_sign_ja", "description_ja", "key_points"),
)
DISH_FIELDS = (
    *("name_ja", "name_en", "description_ja", "month_unlocked", "order", "principles", "transferable_to", "key_points"),
)


def check_principle(principle: Principle, content: Mapping[str, Any]) -> list[FieldFault]:
    """What is wrong with this as the principle's whole content, by the field's name."""
    return [*_find_principle_faults(principle, content), *_find_measurement_faults(content)]


def check_dish(dish: Dish, fields: Mapping[str, Any]) -> list[FieldFault]:
    """What is wrong with these `DISH_FIELDS`, by the field's name."""
    return [*_find_dish_faults(dish, fields), *_find_measurement_faults(fields)]


def edit_principle(*, principle: Principle, content: Mapping[str, Any], actor: User | None) -> Principle:
    """Write the principle's whole content. Raises `InvalidInput` with every fault, by the field's name."""
    with transaction.atomic():
        row = Principle.objects.select_for_update().get(pk=principle.pk)
        if faults := check_principle(row, content):
            raise InvalidInput(faults)
        changed = _list_changes(row.content, content)
        if changed:
            row.content = dict(content)
            row.category, row.name_ja, row.name_en = content["category"], content["name_ja"], content["name_en"]
            row.save(update_fields=["content", "category", "name_ja", "name_en", "updated_at"])
            _record(actor, "principle.edit", f"principle:{row.slug}", changed)
        return row


def edit_dish(*, dish: Dish, fields: Mapping[str, Any], actor: User | None) -> Dish:
    """Write `DISH_FIELDS` of the dish. Raises `InvalidInput` with every fault, by the field's name."""
    with transaction.atomic():
        row = Dish.objects.select_for_update().get(pk=dish.pk)
        if faults := check_dish(row, fields):
            raise InvalidInput(faults)
        changed = _list_changes({name: getattr(row, name) for name in DISH_FIELDS}, fields)
        if changed:
            for name in DISH_FIELDS:
                setattr(row, name, fields[name])
            row.save(update_fields=DISH_FIELDS)
            _record(actor, "dish.edit", f"dish:{row.slug}", changed)
        return row


def _list_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return {name: {"before": before.get(name), "after": after.get(name)} for name in names}


def _record(actor: User | None, action: str, target: str, changed: dict[str, Any]) -> None:
    AuditEntry.objects.create(actor=actor, action=action, target=target, details=changed)


# --- faults ---------------------------------------------------------------------------------------------------------


def _fault(field: str, message: str) -> FieldFault:
    return FieldFault(field=field, code="invalid", message=message)


def _read_faults(error: ContentError) -> Iterator[FieldFault]:
    """The loader's lines are `place: field.path: message`."""
    for line in str(error).splitlines():
        _, _, rest = line.partition(": ")
        path, _, message = rest.partition(": ")
        field, _, inner = path.partition(".")
        yield _fault(field, f"{inner}: {message}" if inner else message)


def _find_principle_faults(row: Principle, content: Mapping[str, Any]) -> Iterator[FieldFault]:
    try:
        entry = parse_principle(content)
    except ContentError as error:
        yield from _read_faults(error)
        return
    if entry.slug != row.slug:
        yield _fault("slug", "a principle keeps its slug")
    others = Principle.objects.exclude(pk=row.pk)
    if entry.category not in {row.category, *others.values_list("category", flat=True)}:
        yield _fault("category", f"no category {entry.category!r}")
    yield from _find_unknown("related", entry.related, others.values_list("slug", flat=True), "principle")
    yield from _find_unknown("transfers_to", entry.transfers_to, Dish.objects.values_list("slug", flat=True), "dish")
    slugs = [mistake.slug for mistake in entry.mistakes]
    known = [mistake["slug"] for mistake in row.content.get("mistakes", [])]
    for slug in sorted(set(known) - set(slugs)):
        yield _fault("mistakes", f"{slug} must stay: learners' histories name it")
    taken = {m["slug"] for content in others.values_list("content", flat=True) for m in content.get("mistakes", [])}
    for slug in sorted({slug for slug in slugs if slugs.count(slug) > 1 or slug in taken}):
        yield _fault("mistakes", f"{slug} names another mistake already")


def _find_dish_faults(row: Dish, fields: Mapping[str, Any]) -> Iterator[FieldFault]:
    try:
        # Rows do not keep the English description, which the files' form asks for.
        entry = parse_dish({**fields, "slug": row.slug, "description_en": row.name_en})
    except ContentError as error:
        yield from _read_faults(error)
        return
    principles = {one.slug: one for one in Principle.objects.all()}
    yield from _find_unknown("principles", entry.principles, principles, "principle")
    dishes = Dish.objects.exclude(pk=row.pk)
    yield from _find_unknown("transferable_to", entry.transferable_to, dishes.values_list("slug", flat=True), "dish")
    if dishes.filter(order=entry.order).exists():
        yield _fault("order", "another dish has this place")
    for number, point in enumerate(entry.key_points, start=1):
        if point.principle not in entry.principles:
            yield _fault("key_points", f"point {number}: {point.principle} is none of the dish's principles")
        elif point.principle in principles:
            mistakes = {one["slug"] for one in principles[point.principle].content.get("mistakes", [])}
            if point.mistake not in mistakes:
                yield _fault("key_points", f"point {number}: {point.mistake} is no mistake of {point.principle}")


def _find_unknown(field: str, slugs: Iterable[str], known: Iterable[str], kind: str) -> Iterator[FieldFault]:
    there = set(known)
    yield from (_fault(field, f"no {kind} {slug!r}") for slug in slugs if slug not in there)


def _find_measurement_faults(content: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Learners are told what is heard, seen and felt, never how much, how long or how hot."""
    for field in SPOKEN_FIELDS:
        for text in _list_texts(content.get(field)):
            for excerpt in find_measurements(text):
                yield _fault(field, f"“{excerpt}” is a measurement: say what is heard, seen, smelt or felt")


def _list_texts(value: Any) -> Iterator[str]:
    """Every Japanese text of a value, which may be a list or hold others."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if not name.endswith("_en") and name not in {"en", "slug", "principle", "mistake"}:
                yield from _list_texts(inner)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from _list_texts(inner)
