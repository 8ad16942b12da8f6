"""Breaks Japanese text into lines where a reader would: between phrases, never inside a word or before a 、."""

import functools
import unicodedata

import budoux

# Widths of Noto Sans JP, rounded up, so that a measured line never turns out longer.
SPACE_EM = 0.25
NARROW_EM = 0.6
CAPITAL_EM = 0.75
WIDE_EM = 0.95
WIDE_CHARACTERS = frozenset("MWmw@%")
NEVER_FIRST = frozenset(
    "、。，．・：；？！?!,.:;)]}」』）】〕〉》ー〜～々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ…‥%％"
)
NEVER_LAST = frozenset("([{「『（【〔〈《")
DEMONSTRATIVES = frozenset({"この", "その", "あの", "どの"})
"""They belong to the word behind them."""

SENTENCE_ENDS = frozenset("。！？!?")
CLAUSE_ENDS = frozenset("。！？!?、，,…」』）")
MID_CLAUSE_COST = 30
"""What a break inside a clause costs against uneven lines, in square em: 、 is where a reader expects the break."""


def measure_em(text: str) -> float:
    """How wide the text is, in units of its font size."""
    return sum(map(_measure_character_em, text))


def break_lines(text: str, max_em: float) -> list[str]:
    """As few lines of at most `max_em` as the text needs, of lengths as even as its phrases allow.

    A phrase that is longer than a line is cut where the rules of line breaking (JIS X 4051, kinsoku) allow it.
    """
    phrases = [piece for phrase in split_phrases(text.strip()) for piece in _cut_phrase(phrase, max_em)]
    if not phrases:
        return []
    widths = [measure_em(phrase.rstrip()) for phrase in phrases]
    # best[n] = (lines, unevenness, where the last of them begins) for the first n phrases
    best: list[tuple[int, float, int]] = [(0, 0.0, 0)]
    for end in range(1, len(phrases) + 1):
        candidates = []
        width = 0.0
        for begin in range(end - 1, -1, -1):
            width += widths[begin]
            if width > max_em and begin < end - 1:
                break
            lines, unevenness, _ = best[begin]
            mid_clause = 0 if begin == 0 or phrases[begin - 1].rstrip()[-1:] in CLAUSE_ENDS else MID_CLAUSE_COST
            candidates.append((lines + 1, unevenness + (max_em - width) ** 2 + mid_clause, begin))
        best.append(min(candidates))
    lines_reversed, end = [], len(phrases)
    while end:
        begin = best[end][2]
        lines_reversed.append("".join(phrases[begin:end]).strip())
        end = begin
    return lines_reversed[::-1]


def split_phrases(text: str) -> list[str]:
    """The text's phrases (bunsetsu), which joined give the text again; foreign words and numbers stay whole."""
    phrases: list[str] = []
    for phrase in _load_parser().parse(text):
        if phrases and (phrases[-1] in DEMONSTRATIVES or not _may_break(phrases[-1][-1], phrase[0])):
            phrases[-1] += phrase
        else:
            phrases.append(phrase)
    return phrases


def split_sentences(text: str) -> list[str]:
    """The text's sentences, each with its closing mark and the brackets that close behind it."""
    sentences, current = [], ""
    for character in text:
        closes = current and current[-1] in SENTENCE_ENDS and character not in SENTENCE_ENDS | NEVER_FIRST
        if closes or character == "\n":
            sentences.append(current.strip())
            current = ""
        current += character
    return [sentence for sentence in [*sentences, current.strip()] if sentence]


def _may_break(before: str, after: str) -> bool:
    if after in NEVER_FIRST or before in NEVER_LAST:
        return False
    return not (_is_narrow(before) and _is_narrow(after) and not before.isspace() and not after.isspace())


def _cut_phrase(phrase: str, max_em: float) -> list[str]:
    pieces = []
    while measure_em(phrase) > max_em:
        fitting = max(1, next(count for count in range(len(phrase), -1, -1) if measure_em(phrase[:count]) <= max_em))
        cut = next((k for k in range(fitting, 0, -1) if _may_break(phrase[k - 1], phrase[k])), fitting)
        pieces.append(phrase[:cut])
        phrase = phrase[cut:]
    return [*pieces, phrase]


def _measure_character_em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if not _is_narrow(character):
        return 1.0
    if character == " ":
        return SPACE_EM
    if character in WIDE_CHARACTERS:
        return WIDE_EM
    return CAPITAL_EM if character.isupper() else NARROW_EM


def _is_narrow(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("Na", "N", "H")


@functools.cache
def _load_parser() -> budoux.Parser:
    return budoux.load_default_japanese_parser()
