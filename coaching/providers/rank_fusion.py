"""Which principle do texts near to a query speak of? Nearest examples and shared words, fused by rank.

For indexes that answer with neighbours only: the embedded one has all vectors at hand, and fits a model to them.
"""

import itertools
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coaching.providers.ports import IndexDocument

NEAREST_COUNTED = 3
RANK_OFFSET = 60  # Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009
SATURATION, LENGTH_WEIGHT = 1.2, 0.75  # BM25's k1 and b (Robertson and Zaragoza, 2009)
SHORTEST_SENTENCE = 5  # characters; below, it says too little of its principle


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`similarity` is higher for what is nearer."""

    principle_slug: str
    similarity: float


def split_texts(document: IndexDocument) -> list[str]:
    """What is embedded of a document: a principle's text is many things at once, so it goes sentence by sentence."""
    if document.kind == "diagnosis":
        return [document.text]
    sentences = [piece.strip() for piece in re.split(r"[。／\n]", document.text)]
    return [sentence for sentence in sentences if len(sentence) >= SHORTEST_SENTENCE] or [document.text]


def rank_by_neighbours(neighbours: Iterable[Neighbour]) -> list[str]:
    """Principles by the mean similarity of their nearest three texts; where fewer came back, the farthest fills in."""
    found: dict[str, list[float]] = defaultdict(list)
    for neighbour in neighbours:
        found[neighbour.principle_slug].append(neighbour.similarity)
    farthest = min((min(similarities) for similarities in found.values()), default=0.0)

    def mean_of_nearest(slug: str) -> float:
        nearest = sorted(found[slug], reverse=True)[:NEAREST_COUNTED]
        nearest += [farthest] * (NEAREST_COUNTED - len(nearest))
        return sum(nearest) / NEAREST_COUNTED

    return sorted(found, key=lambda slug: (-mean_of_nearest(slug), slug))


class WordRanking:
    """BM25 over pairs of characters, which need no word splitting; one text a principle, all its documents joined."""

    def __init__(self, texts_by_principle: Mapping[str, Sequence[str]]) -> None:
        self._counts = {
            slug: Counter(itertools.chain.from_iterable(split_pairs(text) for text in texts))
            for slug, texts in texts_by_principle.items()
        }
        self._lengths = {slug: sum(counts.values()) for slug, counts in self._counts.items()}
        self._mean_length = sum(self._lengths.values()) / max(1, len(self._lengths)) or 1.0
        occurrences = Counter(itertools.chain.from_iterable(self._counts.values()))
        total = len(self._counts)
        self._rarities = {pair: math.log(1 + (total - n + 0.5) / (n + 0.5)) for pair, n in occurrences.items()}

    def rank(self, query: str) -> list[str]:
        """The principles that share a pair with the query, best first."""
        pairs = set(split_pairs(query))
        scores = {slug: self._score(slug, pairs) for slug in self._counts}
        return sorted((slug for slug, score in scores.items() if score > 0), key=lambda slug: (-scores[slug], slug))

    def _score(self, slug: str, pairs: Iterable[str]) -> float:
        counts = self._counts[slug]
        length = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * self._lengths[slug] / self._mean_length
        return sum(
            self._rarities[pair] * counts[pair] * (SATURATION + 1) / (counts[pair] + SATURATION * length)
            for pair in pairs
            if pair in counts
        )


def split_pairs(text: str) -> list[str]:
    """Neighbouring characters, without marks: 「卵が熱い」 is 卵が, が熱, 熱い."""
    letters = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text))
    return [first + second for first, second in itertools.pairwise(letters)]


def fuse_ranks(*rankings: Sequence[str]) -> list[tuple[str, float]]:
    """(name, score), best first: each ranking gives 1 / (60 + rank)."""
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name] += 1 / (RANK_OFFSET + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
