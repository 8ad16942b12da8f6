import json
from collections.abc import Iterator, Sequence
from io import StringIO

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries, Settings

from coaching import queries
from coaching.errors import Misconfigured
from coaching.knowledge.loader import read_catalogue
from coaching.models import Dish, Principle
from coaching.providers import registry
from coaching.providers.ports import IndexDocument, PrincipleHit, SearchAnswer, SearchRequest, Usage
from coaching.services import content

pytestmark = pytest.mark.django_db


class ListIndex:
    """A principle index that remembers what it was given."""

    def __init__(self) -> None:
        self.documents: list[IndexDocument] = []

    def index(self, documents: Sequence[IndexDocument]) -> int:
        added = [document for document in documents if document not in self.documents]
        self.documents = list(documents)
        return len(added)

    def search(self, request: SearchRequest) -> SearchAnswer:
        hits = tuple(PrincipleHit(principle_slug=d.principle_slug, score=1.0) for d in self.documents[: request.limit])
        return SearchAnswer(hits=hits, usage=Usage(provider="test", model="list"))


@pytest.fixture
def list_index(settings: Settings) -> Iterator[ListIndex]:
    path = f"{__name__}.ListIndex"
    settings.PROVIDERS = settings.PROVIDERS | {"principle_index": {"class": path, "options": {}}}
    registry.forget_adapters()
    index = registry.get_principle_index()
    assert isinstance(index, ListIndex)
    yield index
    registry.forget_adapters()


def test_loading_twice_changes_nothing() -> None:
    first = content.load_content()
    stamps = list(Principle.objects.values_list("slug", "updated_at"))
    second = content.load_content()
    assert (len(first.created), first.unchanged) == (82, 0)
    assert (second.created, second.updated, second.unchanged, second.unlisted) == ((), (), 82, ())
    assert list(Principle.objects.values_list("slug", "updated_at")) == stamps


def test_an_edit_in_the_admin_survives_a_load() -> None:
    content.load_content()
    Dish.objects.filter(slug="fried-rice").update(description_ja="うちの味のチャーハンです。")
    content.load_content()
    assert Dish.objects.get(slug="fried-rice").description_ja == "うちの味のチャーハンです。"


def test_a_changed_file_wins_over_an_edit() -> None:
    content.load_content()
    Dish.objects.filter(slug="fried-rice").update(
        description_ja="うちの味のチャーハンです。", content_sha256="of an older file"
    )
    report = content.load_content()
    assert report.updated == ("fried-rice",)
    assert Dish.objects.get(slug="fried-rice").description_ja == read_catalogue().dishes[0].description_ja


def test_a_row_that_no_file_mentions_is_reported_and_left_alone() -> None:
    content.load_content()
    Principle.objects.create(slug="grandmothers_way", category="heat", name_ja="祖母の流儀", name_en="Grandma's way")
    report = content.load_content()
    assert report.unlisted == ("grandmothers_way",)
    assert Principle.objects.filter(slug="grandmothers_way").exists()


def test_the_index_gets_every_principle_and_every_example(list_index: ListIndex) -> None:
    content.load_content()
    catalogue = read_catalogue()
    principles, diagnoses = len(catalogue.principles), sum(map(len, catalogue.diagnoses.values()))
    assert content.build_index() == principles + diagnoses > 1000
    assert content.build_index() == 0
    kinds = [document.kind for document in list_index.documents]
    assert (kinds.count("principle"), kinds.count("diagnosis")) == (principles, diagnoses)
    assert len({document.key for document in list_index.documents}) == principles + diagnoses


def test_the_index_says_what_the_rows_say_now(list_index: ListIndex) -> None:
    content.load_content()
    row = Principle.objects.get(slug="browning")
    row.content["summary_ja"] = "こんがりは、ごちそうの合図です。"
    row.save()
    content.build_index()
    texts = [d.text for d in list_index.documents if d.key == "principle:browning"]
    assert len(texts) == 1
    assert "こんがりは、ごちそうの合図です。" in texts[0]


def test_a_row_broken_by_an_edit_is_named_before_anything_is_indexed(list_index: ListIndex) -> None:
    content.load_content()
    Principle.objects.filter(slug="browning").update(content={"slug": "browning"})
    with pytest.raises(Misconfigured, match="principle browning"):
        content.build_index()
    assert list_index.documents == []


def test_the_command_loads_and_indexes_and_says_so(list_index: ListIndex) -> None:
    said = StringIO()
    call_command("load_content", stdout=said)
    texts = len(list_index.documents)
    assert said.getvalue() == f"content: 82 created, 0 updated, 0 unchanged\nindex: {texts} texts embedded anew\n"
    said = StringIO()
    call_command("load_content", "--no-index", stdout=said)
    assert said.getvalue() == "content: 0 created, 0 updated, 82 unchanged\n"


def test_formatting_a_file_is_no_change() -> None:
    entry = {"b": "二", "a": ["一"]}
    assert content.hash_content(entry) == content.hash_content(json.loads(json.dumps(entry, indent=4)))


def test_a_dish_comes_with_its_vocabulary_in_its_own_order() -> None:
    content.load_content()
    dish = Dish.objects.get(slug="fried-rice")
    text = queries.get_dish_text(dish)
    assert [principle.slug for principle in text.principles] == dish.principles
    egg = next(principle for principle in text.principles if principle.slug == "egg_timing")
    assert [mistake.slug for mistake in egg.mistakes] == ["over_cook_egg_before_combining", "egg_scrambled_dry"]
    assert text.key_points[0].principle_slug == "mise_en_place"


def test_a_dish_is_read_with_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    content.load_content()
    dish = Dish.objects.get(slug="curry-rice")
    with django_assert_num_queries(1):
        queries.get_dish_text(dish)


def test_a_principle_that_is_not_loaded_is_named() -> None:
    content.load_content()
    Principle.objects.filter(slug="egg_timing").delete()
    with pytest.raises(Misconfigured, match="egg_timing"):
        queries.get_dish_text(Dish.objects.get(slug="fried-rice"))


def test_a_broken_key_point_is_named() -> None:
    content.load_content()
    dish = Dish.objects.get(slug="fried-rice")
    dish.key_points = [{"principle": "egg_timing"}]
    with pytest.raises(Misconfigured, match="fried-rice"):
        queries.get_dish_text(dish)
