from pathlib import Path

import numpy as np

from coaching.providers.deadline import Deadline
from coaching.providers.google.index_manifest import make_manifest
from coaching.providers.google.vector_search import NEIGHBOURS
from coaching.providers.local.sentence_vectors import SentenceVectors
from coaching.providers.ports import IndexDocument
from coaching.providers.rank_fusion import (
    Neighbour,
    WordRanking,
    fuse_ranks,
    rank_by_neighbours,
    split_pairs,
    split_texts,
)
from coaching.services.evaluation.retrieval import list_index_documents, read_cases

CASES = Path(__file__).parents[1] / "knowledge" / "diagnosis_cases_given.json"


def test_three_near_texts_beat_a_single_nearer_one() -> None:
    neighbours = [Neighbour("one", 0.95), *(Neighbour("three", 0.9) for _ in range(3)), Neighbour("far", 0.2)]
    assert rank_by_neighbours(neighbours) == ["three", "one", "far"]


def test_no_neighbours_rank_nothing() -> None:
    assert rank_by_neighbours([]) == []


def test_rare_words_count_more_than_common_ones_and_marks_do_not_count() -> None:
    words = WordRanking({"egg": ["卵が半熟", "卵を入れる"], "heat": ["鍋を予熱", "肉を入れる"], "cut": ["切り方"]})
    assert words.rank("半熟。を入れる") == ["egg", "heat"]
    assert words.rank("🍳") == []
    assert split_pairs("卵が、ｱﾂい！") == ["卵が", "がア", "アツ", "ツい"]


def test_what_both_rankings_like_comes_first() -> None:
    fused = fuse_ranks(["a", "b", "c"], ["b", "d"])
    assert [name for name, _ in fused] == ["b", "a", "d", "c"]
    assert fused[0][1] == 1 / 62 + 1 / 61


def test_a_principle_is_embedded_sentence_by_sentence_and_a_diagnosis_whole() -> None:
    text = "卵のタイミング。卵が半熟のうちに。短い。"
    principle = IndexDocument(key="p", principle_slug="egg", kind="principle", text=text)
    diagnosis = IndexDocument(key="d", principle_slug="egg", kind="diagnosis", text=text)
    assert split_texts(principle) == ["卵のタイミング", "卵が半熟のうちに"]
    assert split_texts(diagnosis) == [text]


def test_labelled_diagnoses_find_one_of_their_principles_in_the_top_three(cache_folder: Path) -> None:
    """As Vector Search ranks them, with the embedded sentence vectors in place of the embedding model's."""
    deadline = Deadline(300, doing="testing")
    manifest = make_manifest(list_index_documents(), model="embedded", dimensions=0)
    vectors = SentenceVectors(cache_folder)
    matrix, _ = vectors.embed_all([text.text for text in manifest.texts], deadline)

    def search(query: str) -> list[str]:
        likeness = matrix @ vectors.embed(query, deadline)
        near = [
            Neighbour(manifest.texts[i].principle_slug, float(likeness[i]))
            for i in np.argsort(-likeness, kind="stable")[:NEIGHBOURS]
        ]
        return [slug for slug, _ in fuse_ranks(rank_by_neighbours(near), manifest.words.rank(query))][:3]

    cases = read_cases(CASES)
    found = [set(case.gold) & set(search(case.diagnosis_ja)) for case in cases]
    assert sum(map(bool, found)) / len(cases) >= 0.8
