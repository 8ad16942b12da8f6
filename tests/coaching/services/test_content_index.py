"""What the product knows of its search index: of which texts it was built, and why it could not be."""

from collections.abc import Sequence

import pytest
from pytest_django import Settings

from coaching.errors import Misconfigured, ProviderUnavailable
from coaching.models import ContentIndex, Principle
from coaching.providers import registry
from coaching.providers.ports import IndexDocument
from coaching.services import content
from tests.coaching.services.test_content import ListIndex, list_index  # noqa: F401  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content")]


class UnreachableIndex:
    """A principle index whose service does not answer."""

    def index(self, documents: Sequence[IndexDocument]) -> int:
        raise ProviderUnavailable("no answer from the index")


def reword(slug: str) -> None:
    row = Principle.objects.get(slug=slug)
    row.content["summary_ja"] = "こんがりは、ごちそうの合図です。"
    row.save()


@pytest.mark.usefixtures("list_index")
def test_a_build_makes_the_index_current_until_a_text_changes() -> None:
    assert content.describe_index() == content.IndexState(is_current=False, built=None)
    count = content.build_index()
    state = content.describe_index()
    assert state.is_current
    assert state.built is not None
    assert (state.built.document_count, state.built.embedded_count) == (count, count)
    reword("browning")
    assert not content.describe_index().is_current


@pytest.mark.usefixtures("list_index")
def test_a_refresh_builds_only_where_texts_changed_and_never_first() -> None:
    assert not content.refresh_index()
    content.build_index()
    assert not content.refresh_index()
    reword("browning")
    assert content.refresh_index()
    assert content.describe_index().is_current


def test_a_build_that_fails_says_why_and_the_earlier_one_stays(list_index: ListIndex, settings: Settings) -> None:  # noqa: F811  # the fixture
    content.build_index()
    reword("browning")
    settings.PROVIDERS |= {"principle_index": {"class": f"{__name__}.UnreachableIndex", "options": {}}}
    registry.forget_adapters()
    with pytest.raises(ProviderUnavailable):
        content.refresh_index()
    state = content.describe_index()
    assert state.built is not None
    assert state.built.error == "no answer from the index"
    assert state.built.document_count == len(list_index.documents)
    assert not state.is_current


def test_a_first_build_that_fails_is_no_build(settings: Settings) -> None:
    settings.PROVIDERS |= {"principle_index": {"class": f"{__name__}.UnreachableIndex", "options": {}}}
    registry.forget_adapters()
    with pytest.raises(ProviderUnavailable):
        content.build_index()
    registry.forget_adapters()
    assert ContentIndex.objects.get().error == "no answer from the index"
    assert content.describe_index().built is None


@pytest.mark.usefixtures("list_index")
def test_a_row_that_is_broken_is_named_instead_of_a_crash() -> None:
    Principle.objects.filter(slug="browning").update(content={"slug": "browning"})
    assert "principle browning" in content.describe_index().fault
    with pytest.raises(Misconfigured):
        content.build_index()
