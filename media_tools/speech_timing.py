"""Says when each word of a known text is spoken, from the pauses of its recording.

The text is known to the letter, so nothing has to be recognised: pauses fall on punctuation, and between two pauses
speech flows at an even pace in morae. Which pause belongs to which mark is found by dynamic programming: the pairing
under which the pace changes least, leaving marks without a pause and pauses without a mark where that fits better.
"""

import bisect
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product

from media_tools.narration import Pause, Speech

STRONG_MARKS = frozenset("。！？!?…")
WEAK_MARKS = frozenset("、，,：；")
SMALL_KANA = frozenset("ぁぃぅぇぉゃゅょゎァィゥェォャュョヮ")
KANJI_MORAE = 1.9  # the mean length of a kanji's reading in running text
DIGIT_MORAE = 2.0
LATIN_MORAE = 0.9

PACE_COST = 6.0
STRONG_MARK_COST = 2.0
WEAK_MARK_COST = 0.2
PAUSE_COST_PER_SECOND = 3.0
MOST_SKIPPED = 6  # marks or pauses in a row that may stay without a partner, but for the first and the last
TOLERANCE_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class _Point:
    """A mark in the text or a pause in the sound: where it lies on its own axis, and what it costs to ignore it."""

    position: float
    cost: float


class SpokenText:
    """A text laid along its recording. Times are seconds of the recording."""

    def __init__(self, text: str, speech: Speech) -> None:
        self._morae = [0.0, *accumulate(count_morae(character) for character in text)]
        self._begins_seconds, ends_seconds, self._pauses = _trim_silence(speech)
        silences = [0.0, *accumulate(pause.end_seconds - pause.start_seconds for pause in self._pauses)]
        self._silence_until = silences
        # Positions on the axis of speech alone, on which pauses have no length.
        self._pause_positions = [
            pause.start_seconds - self._begins_seconds - silence
            for pause, silence in zip(self._pauses, silences, strict=False)
        ]
        spoken_seconds = ends_seconds - self._begins_seconds - silences[-1]
        pauses = [
            _Point(position, PAUSE_COST_PER_SECOND * (pause.end_seconds - pause.start_seconds))
            for position, pause in zip(self._pause_positions, self._pauses, strict=True)
        ]
        marks = list(_find_marks(text, self._morae))
        self._anchors = _pair(marks, pauses, self._morae[-1], spoken_seconds)

    def find_start_seconds(self, index: int) -> float:
        """When the character at `index` begins to be said: after the pause, where one lies there."""
        position = self._find_position(index)
        past = bisect.bisect_right(self._pause_positions, position + TOLERANCE_SECONDS)
        return self._begins_seconds + position + self._silence_until[past]

    def find_end_seconds(self, index: int) -> float:
        """When all that stands before `index` has been said: before the pause, where one lies there."""
        position = self._find_position(index)
        past = bisect.bisect_left(self._pause_positions, position - TOLERANCE_SECONDS)
        return self._begins_seconds + position + self._silence_until[past]

    def _find_position(self, index: int) -> float:
        morae = self._morae[index]
        after = min(bisect.bisect_right([anchor[0] for anchor in self._anchors], morae), len(self._anchors) - 1)
        (morae_before, spoken_before), (morae_after, spoken_after) = self._anchors[after - 1], self._anchors[after]
        if morae_after <= morae_before:
            return spoken_before
        share = (morae - morae_before) / (morae_after - morae_before)
        return spoken_before + share * (spoken_after - spoken_before)


def count_morae(character: str) -> float:
    """How many morae a character stands for on average; none for marks and small kana."""
    if character in SMALL_KANA or unicodedata.category(character)[0] not in "LN":
        return 0.0
    name = unicodedata.name(character, "")
    if name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY", "IDEOGRAPHIC ITERATION")):
        return KANJI_MORAE
    if name.startswith(("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA")):
        return 1.0
    return DIGIT_MORAE if character.isdigit() else LATIN_MORAE


def _find_marks(text: str, morae: Sequence[float]) -> Iterator[_Point]:
    """The places where a pause is to be expected; marks that follow one another are one place."""
    strengths: dict[float, float] = {}
    for index, character in enumerate(text):
        if character in STRONG_MARKS or character in WEAK_MARKS or character == "\n":
            cost = WEAK_MARK_COST if character in WEAK_MARKS else STRONG_MARK_COST
            strengths[morae[index]] = max(cost, strengths.get(morae[index], 0.0))
    for position, cost in strengths.items():
        if 0 < position < morae[-1]:
            yield _Point(position, cost)


def _trim_silence(speech: Speech) -> tuple[float, float, list[Pause]]:
    """Where the first word begins and the last one ends, and the pauses between them."""
    begins_seconds, ends_seconds = 0.0, speech.duration_seconds
    pauses = list(speech.pauses)
    if len(pauses) == 1 and pauses[0].end_seconds - pauses[0].start_seconds >= speech.duration_seconds:
        return begins_seconds, ends_seconds, []
    if pauses and pauses[0].start_seconds <= 0.05:
        begins_seconds = pauses.pop(0).end_seconds
    if pauses and pauses[-1].end_seconds >= ends_seconds - 0.05:
        ends_seconds = pauses.pop().start_seconds
    return begins_seconds, ends_seconds, pauses


def _pair(
    marks: Sequence[_Point], pauses: Sequence[_Point], morae: float, spoken_seconds: float
) -> list[tuple[float, float]]:
    """Pairs of (morae said, seconds of speech) that the text and the sound share, from start to end."""
    if morae <= 0 or spoken_seconds <= 0:
        return [(0.0, 0.0), (max(morae, 1.0), max(spoken_seconds, 0.0))]
    pace = spoken_seconds / morae
    mark_costs = [0.0, *accumulate(mark.cost for mark in marks)]
    pause_costs = [0.0, *accumulate(pause.cost for pause in pauses)]
    # Pair (i, j) is the i-th mark with the j-th pause, counted from 1; (0, 0) is the start, (last, last) the end.
    end = (len(marks) + 1, len(pauses) + 1)
    text_axis = [0.0, *(mark.position for mark in marks), morae]
    sound_axis = [0.0, *(pause.position for pause in pauses), spoken_seconds]
    cheapest: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for pair in [*product(range(1, end[0]), range(1, end[1])), end]:
        for before in _list_predecessors(pair, end):
            if before not in cheapest:
                continue
            expected = (text_axis[pair[0]] - text_axis[before[0]]) * pace
            actual = sound_axis[pair[1]] - sound_axis[before[1]]
            if expected <= 0 or actual <= 0:
                continue
            cost = (
                cheapest[before][0]
                + PACE_COST * math.log(actual / expected) ** 2 * min(1.0, expected)
                + mark_costs[pair[0] - 1]
                - mark_costs[before[0]]
                + pause_costs[pair[1] - 1]
                - pause_costs[before[1]]
            )
            if pair not in cheapest or cost < cheapest[pair][0]:
                cheapest[pair] = (cost, before)
    anchors, pair = [], end
    while pair != (0, 0):
        anchors.append((text_axis[pair[0]], sound_axis[pair[1]]))
        pair = cheapest[pair][1]
    return [(0.0, 0.0), *anchors[::-1]]


def _list_predecessors(pair: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    yield (0, 0)
    most = max(end) if pair == end else MOST_SKIPPED
    for i in range(max(1, pair[0] - most - 1), pair[0]):
        for j in range(max(1, pair[1] - most - 1), pair[1]):
            yield (i, j)
