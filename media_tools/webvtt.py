"""Writes WebVTT files (W3C, WebVTT: The Web Video Text Tracks Format).

Written here in a few lines, since the libraries for it (webvtt-py, pysubs2) leave the one hard part to the caller:
texts must be escaped, or a "<" in a name hides the rest of a caption.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cue:
    """Text from start to end; a line feed in the text is a new line on the screen."""

    start_seconds: float
    end_seconds: float
    text: str


def format_webvtt(cues: Sequence[Cue]) -> str:
    """The whole file. Cues without text or without duration are left out: players refuse them."""
    shown = [cue for cue in cues if cue.text.strip() and _to_ms(cue.end_seconds) > _to_ms(cue.start_seconds)]
    blocks = [
        f"{number}\n{_format_time(cue.start_seconds)} --> {_format_time(cue.end_seconds)}\n{_escape(cue.text)}\n"
        for number, cue in enumerate(shown, start=1)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def write_webvtt(path: Path, cues: Sequence[Cue]) -> None:
    """Write the file in UTF-8, as the format demands."""
    path.write_text(format_webvtt(cues), encoding="utf-8", newline="\n")


def _escape(text: str) -> str:
    """The text as it is to be read: no markup, no blank line (which would end the cue), no control characters."""
    lines = (
        "".join(character for character in line if unicodedata.category(character) not in ("Cc", "Cf", "Cs")).strip()
        for line in text.splitlines()
    )
    joined = "\n".join(line for line in lines if line)
    return joined.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _to_ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _format_time(seconds: float) -> str:
    minutes, ms = divmod(_to_ms(seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}.{ms % 1000:03}"
