"""Captions of the spoken texts, timed by their recordings, and the film's chapters."""

from collections.abc import Iterator

from media_tools.japanese_lines import break_lines, measure_em, split_sentences
from media_tools.narration import Speech
from media_tools.speech_timing import SpokenText
from media_tools.webvtt import Cue

LINE_EM = 20
LINES_PER_CUE = 2
SHORT_SENTENCE_EM = 8
"""A sentence up to this length shares a cue with the next one where both fit: alone it would only flash up."""

HOLD_SECONDS = 0.4
"""How long a caption stays after its last word, where the next one lets it."""


def make_captions(text: str, speech: Speech, offset_seconds: float) -> list[Cue]:
    """Cues of at most two lines of 20 full-width characters for a text and its recording.

    `offset_seconds` is where the recording begins in the film; all cues lie within the recording. A silent recording
    says nothing, so it has no captions.
    """
    if speech.is_silent:
        return []
    pieces = list(_cut_into_cues(text))
    spoken = SpokenText("".join(piece.replace("\n", "") for piece in pieces), speech)
    spans, index = [], 0
    for piece in pieces:
        end = index + len(piece.replace("\n", ""))
        spans.append((spoken.find_start_seconds(index), spoken.find_end_seconds(end)))
        index = end
    cues = []
    for number, (piece, (start_seconds, end_seconds)) in enumerate(zip(pieces, spans, strict=True)):
        next_seconds = spans[number + 1][0] if number + 1 < len(spans) else speech.duration_seconds
        held_seconds = max(end_seconds, min(end_seconds + HOLD_SECONDS, next_seconds))
        cues.append(Cue(offset_seconds + start_seconds, offset_seconds + held_seconds, piece))
    return cues


def _cut_into_cues(text: str) -> Iterator[str]:
    """The text in pieces for one cue each, their lines separated by line feeds."""
    for sentence in _join_short_sentences(split_sentences(text)):
        lines = break_lines(sentence, LINE_EM)
        for first in range(0, len(lines), LINES_PER_CUE):
            yield "\n".join(lines[first : first + LINES_PER_CUE])


def _join_short_sentences(sentences: list[str]) -> Iterator[str]:
    waiting = ""
    for sentence in sentences:
        joined = waiting + sentence
        if waiting and len(break_lines(joined, LINE_EM)) > LINES_PER_CUE:
            yield waiting
            joined = sentence
        if measure_em(joined) > SHORT_SENTENCE_EM:
            yield joined
            joined = ""
        waiting = joined
    if waiting:
        yield waiting
