"""How alike two Japanese sentences are: shared pairs of characters (Dice's coefficient), punctuation aside."""

import re
from collections import Counter
from functools import lru_cache

_IGNORED = re.compile(r"[\s、。，．！？!?「」『』（）()・…〜～]")


@lru_cache(maxsize=16384)
def _list_pairs(text: str) -> frozenset[tuple[str, int]]:
    """Pairs of neighbours, a repeated one numbered."""
    plain = _IGNORED.sub("", text)
    seen: Counter[str] = Counter()
    pairs = set()
    for i in range(len(plain) - 1):
        pair = plain[i : i + 2]
        seen[pair] += 1
        pairs.add((pair, seen[pair]))
    return frozenset(pairs)


def measure_likeness(one: str, other: str) -> float:
    """0 for nothing in common, 1 for the same characters in the same pairs."""
    first, second = _list_pairs(one), _list_pairs(other)
    total = len(first) + len(second)
    return 2 * len(first & second) / total if total else 0.0
