"""Brings the knowledge files into the database and into the search index.

An entry is written when it is new or when the file says something else than at the last load: `content_sha256` of a
row is the hash of the file's entry, not of the row. So an admin's edit of a row stays until the file itself changes;
then the file, which was reviewed, wins. Rows that no file mentions are left alone and reported.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from coaching.errors import Misconfigured, MomentCloneError
from coaching.knowledge.entries import Dish as DishEntry
from coaching.knowledge.entries import Principle as PrincipleEntry
from coaching.knowledge.loader import read_catalogue
from coaching.models import ContentIndex, Dish, Principle
from coaching.providers import registry
from coaching.providers.ports import IndexDocument
from coaching.queries import parse_principle_row

Row = TypeVar("Row", Principle, Dish)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentReport:
    """What one load did; `unlisted` are slugs of rows that no file mentions."""

    created: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: int
    unlisted: tuple[str, ...]


@transaction.atomic
def load_content() -> ContentReport:
    """Upsert principles and dishes from the knowledge files; raises `ContentError` before anything is written."""
    catalogue = read_catalogue()
    principles = _upsert(Principle, [describe_principle(entry) for entry in catalogue.principles])
    dishes = _upsert(Dish, [describe_dish(entry) for entry in catalogue.dishes])
    unlisted = principles.unlisted + dishes.unlisted
    if unlisted:
        logger.warning("no knowledge file mentions these rows: %s", ", ".join(unlisted))
    return ContentReport(
        created=principles.created + dishes.created,
        updated=principles.updated + dishes.updated,
        unchanged=principles.unchanged + dishes.unchanged,
        unlisted=unlisted,
    )


def _upsert(model: type[Row], entries: list[dict[str, Any]]) -> ContentReport:
    """Write the entries that are new or changed, in one statement: two loads at once do not trip over each other."""
    known = dict(model.objects.select_for_update().values_list("slug", "content_sha256"))
    writes = [fields for fields in entries if known.get(fields["slug"]) != fields["content_sha256"]]
    if writes:
        columns = [field.name for field in model._meta.concrete_fields if not field.unique]
        rows = [model(**fields) for fields in writes]
        model._default_manager.bulk_create(rows, update_conflicts=True, unique_fields=["slug"], update_fields=columns)
    return ContentReport(
        created=tuple(fields["slug"] for fields in writes if fields["slug"] not in known),
        updated=tuple(fields["slug"] for fields in writes if fields["slug"] in known),
        unchanged=len(entries) - len(writes),
        unlisted=tuple(sorted(known.keys() - {fields["slug"] for fields in entries})),
    )


def build_index() -> int:
    """Make principles and their example diagnoses searchable; answers how many texts were embedded anew.

    One build at a time: a second one waits for the first, and then indexes what is there by that time. What was
    built, or why it could not be, is kept in `ContentIndex`.
    """
    ContentIndex.objects.get_or_create(pk=ContentIndex.ONLY_PK)
    try:
        with transaction.atomic():
            return _build_index(ContentIndex.objects.select_for_update().get(pk=ContentIndex.ONLY_PK))
    except MomentCloneError as error:
        ContentIndex.objects.filter(pk=ContentIndex.ONLY_PK).update(error=str(error)[:2000], failed_at=Now())
        raise


def _build_index(state: ContentIndex) -> int:
    documents = collect_index_documents()
    embedded = registry.get_principle_index().index(documents)
    state.documents_sha256 = hash_documents(documents)
    state.document_count, state.embedded_count = len(documents), embedded
    state.built_at, state.error, state.failed_at = timezone.now(), "", None
    state.save()
    return embedded


def refresh_index() -> bool:
    """Build the index anew if the texts are others than those in it; answers whether it was built. Cheap where not.

    The first build is `load_content`'s: before it there may be no content.
    """
    state = describe_index()
    if state.is_current or state.built is None:
        return False
    build_index()
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """`is_current`: it was built of the texts as they are now. `built`: the last build, None before the first.

    `fault` names a row that an edit behind the product's back has broken: nothing can be built of it.
    """

    is_current: bool
    built: ContentIndex | None
    fault: str = ""


def describe_index() -> IndexState:
    built = ContentIndex.objects.filter(pk=ContentIndex.ONLY_PK).first()
    if built is not None and built.built_at is None:
        built = None  # a first build that failed left nothing but its error
    try:
        wanted = hash_documents(collect_index_documents())
    except Misconfigured as error:
        return IndexState(is_current=False, built=built, fault=str(error))
    return IndexState(is_current=built is not None and built.documents_sha256 == wanted, built=built)


def hash_documents(documents: Sequence[IndexDocument]) -> str:
    return hash_content([asdict(document) for document in documents])


def collect_index_documents() -> list[IndexDocument]:
    """What is indexed: each principle's own text (as its row says it now) and the example diagnoses of it."""
    diagnoses = read_catalogue().diagnoses
    documents: list[IndexDocument] = []
    for row in Principle.objects.order_by("slug"):
        principle = parse_principle_row(row)
        documents.append(
            IndexDocument(
                key=f"principle:{principle.slug}",
                principle_slug=principle.slug,
                kind="principle",
                text=compose_index_text(principle),
            )
        )
        documents += [
            IndexDocument(
                key=f"diagnosis:{principle.slug}:{number:02d}",
                principle_slug=principle.slug,
                kind="diagnosis",
                text=text,
            )
            for number, text in enumerate(diagnoses.get(principle.slug, ()), start=1)
        ]
    return documents


def compose_index_text(principle: PrincipleEntry) -> str:
    """The searchable text of a principle: its name, summary, cues, mistakes, action and sign of success."""
    cues = principle.cues_ja
    return (
        f"{principle.name_ja}。{principle.summary_ja}{cues.sound}／{cues.look}／{cues.feel_or_smell}。"
        f"{'／'.join(mistake.ja for mistake in principle.mistakes)}。"
        f"{principle.next_action_ja}{principle.success_sign_ja}"
    )


def describe_principle(entry: PrincipleEntry) -> dict[str, Any]:
    """The columns of a principle's row."""
    content = asdict(entry)
    return {
        "slug": entry.slug,
        "category": entry.category,
        "name_ja": entry.name_ja,
        "name_en": entry.name_en,
        "content": content,
        "content_sha256": hash_content(content),
    }


def describe_dish(entry: DishEntry) -> dict[str, Any]:
    """The columns of a dish's row."""
    content = asdict(entry)
    return {
        "slug": entry.slug,
        "name_ja": entry.name_ja,
        "name_en": entry.name_en,
        "description_ja": entry.description_ja,
        "principles": list(entry.principles),
        "key_points": content["key_points"],
        "transferable_to": list(entry.transferable_to),
        "month_unlocked": entry.month_unlocked,
        "order": entry.order,
        "content_sha256": hash_content(content),
    }


def hash_content(content: Any) -> str:
    """sha256 of the content in one canonical form, so that formatting a file is no change."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
