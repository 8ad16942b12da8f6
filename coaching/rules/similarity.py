"""How alike two Japanese sentences are: shared pairs of characters (Dice's coefficient), punctuation aside."""

import re
from collections import Counter
from functools import lru_cache

_IGNORED = re.compile(r"[\s、。，．！？!?「」『』（）()・…〜～]")


@lru_cache(maxsize=8192)
def _count_pairs(text: str) -> Counter[str]:
    plain = _IGNORED.sub("", text)
    return Counter(plain[i : i + 2] for i in range(len(plain) - 1))


def measure_likeness(one: str, other: str) -> float:
    """0 for nothing in common, 1 for the same characters in the same pairs."""
    first, second = _count_pairs(one), _count_pairs(other)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0
