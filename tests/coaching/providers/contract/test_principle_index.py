"""What every index promises."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coaching.errors import Misconfigured
from coaching.providers.ports import IndexDocument, PrincipleIndex, SearchRequest
from tests.coaching.providers.contract.indexes import INDEXES
from tests.emulators.world import GoogleWorld

EGG, HEAT, CUT = "egg_timing", "preheat_pan", "even_cutting"
DOCUMENTS = (
    IndexDocument(
        key="principle:egg_timing",
        principle_slug=EGG,
        kind="principle",
        text="卵のタイミング。卵が半熟のうちに次の具を合わせる。／卵のふちは固まり、中心は光っている。",
    ),
    IndexDocument(
        key="diagnosis:egg_timing:01",
        principle_slug=EGG,
        kind="diagnosis",
        text="卵が固まりきってからご飯を入れたので、卵とご飯が別々のまま仕上がった。",
    ),
    IndexDocument(
        key="principle:preheat_pan",
        principle_slug=HEAT,
        kind="principle",
        text="鍋の予熱。油がさらりと広がるまで鍋を温めてから食材を入れる。／煙が出る前に入れる。",
    ),
    IndexDocument(
        key="diagnosis:preheat_pan:01",
        principle_slug=HEAT,
        kind="diagnosis",
        text="冷たい鍋に肉を並べたので、音もせずに張りついて、はがすと皮が破れた。",
    ),
    IndexDocument(
        key="principle:even_cutting",
        principle_slug=CUT,
        kind="principle",
        text="切り方をそろえる。大きさと厚みをそろえて切り、火の通りをそろえる。",
    ),
    IndexDocument(
        key="diagnosis:even_cutting:01",
        principle_slug=CUT,
        kind="diagnosis",
        text="にんじんの厚みがばらばらで、薄いものは煮くずれ、厚いものは芯が残った。",
    ),
)


@pytest.fixture(params=sorted(INDEXES))
def make_index(
    request: pytest.FixtureRequest, tmp_path: Path, google_world: GoogleWorld
) -> Iterator[Callable[[], PrincipleIndex]]:
    with INDEXES[request.param](tmp_path, google_world) as make:
        yield make


@pytest.fixture
def index(make_index: Callable[[], PrincipleIndex]) -> PrincipleIndex:
    return make_index()


def find(index: PrincipleIndex, query: str, limit: int = 3) -> list[str]:
    return [hit.principle_slug for hit in index.search(SearchRequest(query=query, limit=limit)).hits]


def test_a_diagnosis_in_other_words_finds_its_principle_first(index: PrincipleIndex) -> None:
    assert index.index(DOCUMENTS) == len(DOCUMENTS)
    assert find(index, "卵をかたくなるまで炒め、そのあとでご飯と合わせた。")[0] == EGG
    assert find(index, "鍋がぬるいうちに魚を並べ、皮がはりついて破れた。")[0] == HEAT
    assert find(index, "じゃがいもの大きさがそろわず、煮え方に差が出た。")[0] == CUT


def test_hits_are_principles_each_once_best_first_and_no_more_than_asked_for(index: PrincipleIndex) -> None:
    index.index(DOCUMENTS)
    hits = index.search(SearchRequest(query="冷えた鍋に卵を割り入れた。", limit=3)).hits
    assert sorted(hit.principle_slug for hit in hits) == sorted([EGG, HEAT, CUT])
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert find(index, "冷えた鍋に卵を割り入れた。", limit=1) == [hits[0].principle_slug]


def test_only_texts_that_changed_are_embedded_again(index: PrincipleIndex) -> None:
    index.index(DOCUMENTS)
    assert index.index(DOCUMENTS) == 0
    changed = IndexDocument(
        key=DOCUMENTS[1].key, principle_slug=EGG, kind="diagnosis", text="卵を火にかけすぎて、ぼろぼろになった。"
    )
    assert index.index([DOCUMENTS[0], changed, *DOCUMENTS[2:]]) == 1
    assert find(index, "卵に火を入れすぎた。")[0] == EGG


def test_what_is_no_longer_given_is_no_longer_found(index: PrincipleIndex) -> None:
    index.index(DOCUMENTS)
    index.index([document for document in DOCUMENTS if document.principle_slug != EGG])
    assert EGG not in find(index, "卵が固まってからご飯を入れた。")


def test_an_index_made_by_one_process_is_searched_by_others_and_renewed_under_them(
    make_index: Callable[[], PrincipleIndex],
) -> None:
    writer, reader = make_index(), make_index()
    writer.index(DOCUMENTS[:4])
    assert CUT not in find(reader, "厚みがばらばらだった。")
    writer.index(DOCUMENTS)
    assert find(reader, "厚みがばらばらだった。")[0] == CUT


def test_searching_before_anything_was_indexed_says_what_to_do(index: PrincipleIndex) -> None:
    with pytest.raises(Misconfigured, match="load_content"):
        find(index, "卵が固まった。")
    index.index(DOCUMENTS)
    index.index([])
    with pytest.raises(Misconfigured, match="load_content"):
        find(index, "卵が固まった。")


@pytest.mark.parametrize("query", ["", "。。。", "ﾀﾏｺﾞ", "🍳" * 50, "卵" * 5000, "'; DROP TABLE\x00"])
def test_any_text_may_be_asked(index: PrincipleIndex, query: str) -> None:
    index.index(DOCUMENTS)
    assert len(find(index, query)) in (0, 3)
