"""Puts sentences together so that they take the time they may take and say nothing twice.

A text is a row of slots; each slot offers pieces, from one phrase to a few sentences. The choice is drawn from a
generator that is seeded by the session's content: the same cook gets the same words, another cook gets others.
"""

import itertools
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from coaching.errors import MalformedAnswer
from coaching.providers.local.phrase_grammar import split_into_sentences
from coaching.providers.local.spoken_length import count_spoken_morae
from coaching.rules import MORAE_PER_SECOND, PAUSE_SECONDS, estimate_morae, measure_likeness

TOO_ALIKE = 0.62
_DRAWS = 300
_MOST_COMBINATIONS = 3000
_PLAY = 1.0  # how far chance may overrule worth, so that not every cook gets the weightiest words
_WORDS_FOR_ONCE = (
    *("今回", "お伝え", "気にな", "一緒に", "ありがとう", "うれし", "大丈夫", "いちばん", "見きわめ", "ひとつ"),
    *("確かめ", "合図", "目印", "覚えて", "注目"),
)
_COST_OF_A_REPEATED_WORD = 1.2
_NAMES_COUNT = 5  # a principle that is named twice is worse than a word
_COST_OF_SAYING_AGAIN = 6.0
_COST_OF_A_SECOND = 0.5  # off the best length
_QUOTED = re.compile(r"「[^」]+」")


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that may stand in a slot; `worth` says how much is lost without them."""

    text: str
    worth: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`optional` slots may stay empty."""

    pieces: tuple[Piece, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """Seconds by the reading, wider seconds by the estimate of the rules, and what is best within them."""

    read_seconds: tuple[float, float]
    estimated_seconds: tuple[float, float]
    best_seconds: float
    spoken_before: str = ""  # said in the same breath, and counted


@dataclass(frozen=True, slots=True)
class _Cost:
    read_seconds: float
    estimated_seconds: float


@lru_cache(maxsize=16384)
def _measure(text: str) -> _Cost:
    """Both measures of a piece, with the pause after each of its sentences."""
    sentences = split_into_sentences(text)
    pauses = (len(sentences) + text.count("、")) * PAUSE_SECONDS
    return _Cost(
        sum(count_spoken_morae(s) for s in sentences) / MORAE_PER_SECOND + pauses,
        estimate_morae(text) / MORAE_PER_SECOND + pauses,
    )


def measure_read_seconds(text: str) -> float:
    """How long a text takes to say, by its reading."""
    return max(0.0, _measure(text).read_seconds - PAUSE_SECONDS)


def say_alike(one: str, other: str) -> bool:
    """Do two texts share a sentence, or nearly?"""
    return any(
        measure_likeness(first, second) >= TOO_ALIKE
        for first in split_into_sentences(one)
        for second in split_into_sentences(other)
    )


class Assembler:
    """Fills slots one text after the other and remembers what was said."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._said: list[str] = []

    def speak(self, slots: Sequence[Slot], window: TimeWindow) -> str:
        """A spoken text within `window`. Raises `MalformedAnswer` where no choice of pieces fits."""
        best: tuple[float, Sequence[_Candidate]] | None = None
        for chosen in self._combine([self._weigh(slot) for slot in slots]):
            score = self._score(chosen, window)
            if score is not None and (best is None or score > best[0]):
                best = (score, chosen)
        if best is None:
            shortest = [min((_measure(p.text).read_seconds for p in slot.pieces), default=0.0) for slot in slots]
            raise MalformedAnswer(
                f"the offline coach found no wording of {window.read_seconds} s for this session; "
                f"its slots take at least {[round(seconds, 1) for seconds in shortest]} s"
            )
        return self._remember("".join(candidate.text for candidate in best[1]))

    def write(self, slots: Sequence[Slot]) -> str:
        """A written text of any length: of each slot the first piece, in a drawn order, that repeats nothing.

        It is never empty: where everything was said before, the first slot is said again.
        """
        text = ""
        for slot in slots:
            pieces = sorted(slot.pieces, key=lambda piece: -piece.worth - self._rng.random())
            fresh = next((p for p in pieces if not self._is_said(p.text) and not say_alike(p.text, text)), None)
            if fresh is not None:
                text += fresh.text
            elif not slot.optional:
                text += pieces[0].text
        return self._remember(text or slots[0].pieces[0].text)

    def _weigh(self, slot: Slot) -> tuple["_Candidate | None", ...]:
        candidates = tuple(
            _Candidate(
                text=piece.text,
                worth=piece.worth - (_COST_OF_SAYING_AGAIN if self._is_said(piece.text) else 0.0),
                cost=_measure(piece.text),
            )
            for piece in slot.pieces
        )
        return (*candidates, None) if slot.optional or not candidates else candidates

    def _combine(self, offers: Sequence[tuple["_Candidate | None", ...]]) -> Iterator[list["_Candidate"]]:
        """Every combination where they are few, a sample of them where they are many."""
        if math.prod(len(offer) for offer in offers) <= _MOST_COMBINATIONS:
            for combination in itertools.product(*offers):
                yield [candidate for candidate in combination if candidate is not None]
            return
        for _ in range(_DRAWS):
            fullness = self._rng.uniform(0.1, 0.95)
            yield [candidate for offer in offers if (candidate := self._draw(offer, fullness)) is not None]

    def _draw(self, offer: tuple["_Candidate | None", ...], fullness: float) -> "_Candidate | None":
        """Optional slots (they end with None) stay empty the oftener, the less full the text is to be."""
        if offer[-1] is None and self._rng.random() > fullness:
            return None
        return offer[int(self._rng.random() * (len(offer) - (offer[-1] is None and len(offer) > 1)))]

    def _score(self, chosen: Sequence["_Candidate"], window: TimeWindow) -> float | None:
        before = _measure(window.spoken_before) if window.spoken_before else _Cost(0.0, 0.0)
        read = before.read_seconds + sum(c.cost.read_seconds for c in chosen) - PAUSE_SECONDS
        if not window.read_seconds[0] <= read <= window.read_seconds[1]:
            return None
        estimated = before.estimated_seconds + sum(c.cost.estimated_seconds for c in chosen) - PAUSE_SECONDS
        if not window.estimated_seconds[0] <= estimated <= window.estimated_seconds[1]:
            return None
        whole = "".join(candidate.text for candidate in chosen)
        quoted = _QUOTED.findall(whole)
        repeated = sum(max(0, whole.count(word) - 1) for word in _WORDS_FOR_ONCE)
        repeated += _NAMES_COUNT * (len(quoted) - len(set(quoted)))
        worth = sum(candidate.worth for candidate in chosen) + self._rng.random() * _PLAY
        return worth - repeated * _COST_OF_A_REPEATED_WORD - abs(read - window.best_seconds) * _COST_OF_A_SECOND

    def _is_said(self, text: str) -> bool:
        return any(say_alike(text, said) for said in self._said)

    def _remember(self, text: str) -> str:
        self._said.append(text)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    text: str
    worth: float
    cost: _Cost
