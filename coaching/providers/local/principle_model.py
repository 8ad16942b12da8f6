"""Which principle does a text speak of? One linear model over meaning and words, fitted in closed form.

Kernel ridge regression (least squares with a penalty; Hastie, Tibshirani and Friedman, The Elements of Statistical
Learning, 2nd ed., 3.4.1 and 12.3.7) on the sum of two inner products: of sentence vectors, for meaning, and of weighted
characters and character pairs, for words; Japanese needs no word splitting then. Both are linear, so the fit is kept
as one weight per feature and principle, and a search is two small products.

Compared on the example diagnoses, each sought without itself and the others of its fold (three folds of eight); right
principle in the top 3, in per cent, of those written to avoid each other's words | of the others:

    vectors alone 48 | 78          characters alone 51 | 85        words of SudachiPy alone 47 | 81
    vectors and characters 54 | 87 (this)                          vectors and words of SudachiPy 50 | 82
    BM25 (bm25s) on words of SudachiPy, mean of the best three of a principle 45 | 78, on characters 37 | 78
    ranks fused: the vectors' model and that BM25 52 | 85          mean of three, centroid, characters and words 52 | 83

A diagnosis has one principle here where a careful reader accepts several: `manage.py evaluate` judges by those.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float32]

WORDS_WEIGHT = 2.0  # of the words' inner product against the vectors'
PENALTY = 6.0
SATURATION = 1.2  # BM25's k1: the second time a word occurs says less than the first


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipleModel:
    """V features, D dimensions, P principles; all arrays are float32 but the two of names."""

    slugs: NDArray[np.str_]  # (P,)
    centre: Matrix  # (D,) the mean vector: sentence vectors share most of their direction
    vector_weights: Matrix  # (D, P)
    features: NDArray[np.str_]  # (V,) characters and pairs
    rarities: Matrix  # (V,)
    word_weights: Matrix  # (V, P)

    def score(self, *, text: str, vector: Matrix) -> Matrix:
        """One score a principle, higher is better; `vector` is the text's, of length 1."""
        words = _weigh([text], {feature: i for i, feature in enumerate(self.features)}, self.rarities)
        meaning = _to_unit(vector[None, :] - self.centre)
        scores: Matrix = (meaning @ self.vector_weights + words @ self.word_weights)[0]
        return scores


def fit_model(*, texts: Sequence[str], vectors: Matrix, principle_slugs: Sequence[str]) -> PrincipleModel:
    """`vectors` is (N, D), one of length 1 per text; `principle_slugs` says what each of the N texts speaks of."""
    slugs, labels = np.unique(np.array(principle_slugs), return_inverse=True)
    counts = [Counter(split_features(text)) for text in texts]
    features = sorted(set().union(*counts))
    occurrences = Counter(feature for count in counts for feature in count)
    found = np.array([occurrences[feature] for feature in features])
    rarities = np.log(1 + (len(texts) - found + 0.5) / (found + 0.5)).astype(np.float32)  # BM25's idf
    words = _weigh(texts, {feature: i for i, feature in enumerate(features)}, rarities)
    centre = vectors.mean(axis=0)
    meaning = _to_unit(vectors - centre)

    likeness = meaning @ meaning.T + WORDS_WEIGHT * (words @ words.T)
    target = np.eye(len(slugs), dtype=np.float32)[labels]
    target -= target.mean(axis=0)
    duals = np.linalg.solve(likeness + PENALTY * np.eye(len(texts), dtype=np.float32), target)
    return PrincipleModel(
        slugs=slugs,
        centre=centre,
        vector_weights=meaning.T @ duals,
        features=np.array(features),
        rarities=rarities,
        word_weights=WORDS_WEIGHT * (words.T @ duals),
    )


def split_features(text: str) -> list[str]:
    """Characters and pairs of neighbours, without marks: 「卵が」 is 卵, が, 卵が."""
    letters = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text))
    return [*letters, *(first + second for first, second in itertools.pairwise(letters))]


def _weigh(texts: Sequence[str], columns: dict[str, int], rarities: Matrix) -> Matrix:
    """(N, V), rows of length 1 (or 0): counts as BM25 weighs them."""
    weights = np.zeros((len(texts), len(columns)), np.float32)
    for row, text in enumerate(texts):
        for feature, count in Counter(split_features(text)).items():
            column = columns.get(feature)
            if column is not None:
                weights[row, column] = rarities[column] * count * (SATURATION + 1) / (count + SATURATION)
    return _to_unit(weights)


def _to_unit(rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit
