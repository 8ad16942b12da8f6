"""What was heard against what was said, compared as readings: 「玉子」 heard for 「卵」 is no error of the ear."""

import re
import unicodedata
from pathlib import Path

import pyopenjtalk

from coaching.providers.local.readings import write_as_read
from coaching.providers.ports import MediaLocation, TranscriptionRequest


def read_as_kana(text: str) -> str:
    text = write_as_read(unicodedata.normalize("NFKC", text))
    reading = str(pyopenjtalk.g2p(text, kana=True))
    return re.sub(r"[^ァ-ヴー]", "", reading)


def measure_error_rate(*, said: str, heard: str) -> float:
    """Kana inserted, lost or changed, as a share of the kana said."""
    expected, got = read_as_kana(said), read_as_kana(heard)
    return count_edits(expected, got) / len(expected)


def count_edits(first: str, second: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        above, row = row, [i]
        for j, b in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def ask_for_transcript(
    source: Path, *, duration_seconds: float, hints: tuple[str, ...] = (), deadline_seconds: float = 300
) -> TranscriptionRequest:
    return TranscriptionRequest(
        audio=MediaLocation(object_path=f"memos/{source.name}", source=source),
        duration_seconds=duration_seconds,
        hints=hints,
        deadline_seconds=deadline_seconds,
    )
