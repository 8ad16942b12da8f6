"""Builds Advanced SubStation (ASS) scripts for libass: shapes, and lines of text that can be nothing but text.

An ASS event is a line of its own in which {braces} hold commands and a backslash begins one. `make_inert` makes any
text safe to put there; everything here that takes text passes it through.
"""

import unicodedata
from dataclasses import dataclass, field

from media_tools.film_clock import to_seconds

FONT_NAME = "Noto Sans JP"
LINE_HEIGHT_EM = 1.448
"""The font's ascent and descent together (OS/2 winAscent 1.160, winDescent 0.288), which is what ASS calls its size."""

KANJI_CENTRE_EM = 0.056
"""How far the middle of a kanji lies below the middle of its line."""

INERT_CHARACTERS = str.maketrans({"{": "｛", "}": "｝", "\\": "＼"})
DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk"})
"""What the font has no glyph for, or what would change the meaning of other characters: controls, marks of direction,
emoji."""

HEADER = """[Script Info]
ScriptType: v4.00+
PlayResX: {width_px}
PlayResY: {height_px}
WrapStyle: 2
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,{font},40,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,7,0,0,0,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@dataclass(frozen=True, slots=True)
class Colour:
    """sRGB as a web page writes it ("#FFF8EE"), and how much of it covers what is behind, 0 to 1."""

    hex_rgb: str
    opacity: float = 1.0

    def format_tags(self) -> str:
        red, green, blue = self.hex_rgb[1:3], self.hex_rgb[3:5], self.hex_rgb[5:7]
        return f"\\1c&H{blue}{green}{red}&\\1a&H{round(255 * (1 - self.opacity)):02X}&"


@dataclass(frozen=True, slots=True)
class Span:
    """From one frame of the film up to another, with fades within."""

    start_frame: int
    end_frame: int
    fade_in_ms: int = 250
    fade_out_ms: int = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle on the picture, its corners rounded."""

    left_px: float
    top_px: float
    width_px: float
    height_px: float
    radius_px: float = 0

    @property
    def middle_px(self) -> float:
        return self.top_px + self.height_px / 2


@dataclass(slots=True)
class Script:
    """An ASS script for a picture of that size. What is added later lies above what was added before."""

    width_px: int
    height_px: int
    _events: list[str] = field(default_factory=list)

    def add_box(self, box: Box, span: Span, colour: Colour, *, blur_px: float = 0) -> None:
        """A filled box; with `blur_px` its edge is soft, as a shadow's."""
        tags = f"\\an7\\pos(0,0){colour.format_tags()}\\blur{blur_px:g}"
        self._add(span, f"{tags}\\p1", _outline_box(box))

    def add_line(
        self, text: str, span: Span, colour: Colour, *, left_px: float, middle_px: float, em_px: float, is_bold: bool
    ) -> None:
        """One line of any text; its characters' middle lies at `middle_px`. It is never broken."""
        y_px = middle_px - KANJI_CENTRE_EM * em_px
        place = f"\\an4\\pos({left_px:.1f},{y_px:.1f})"
        font = f"\\fs{em_px * LINE_HEIGHT_EM:.1f}\\b{int(is_bold)}"
        self._add(span, f"{place}{font}{colour.format_tags()}", make_inert(text))

    def format(self) -> str:
        """The whole script."""
        header = HEADER.format(width_px=self.width_px, height_px=self.height_px, font=FONT_NAME)
        return header + "".join(self._events)

    def _add(self, span: Span, tags: str, body: str) -> None:
        times = f"{_format_time(span.start_frame)},{_format_time(span.end_frame)}"
        fade = f"\\fad({span.fade_in_ms},{span.fade_out_ms})"
        self._events.append(f"Dialogue: {len(self._events)},{times},Default,,0,0,0,,{{{tags}{fade}}}{body}\n")


def make_inert(text: str) -> str:
    """The text on one line, with nothing in it that ASS or the reading direction would take for a command."""
    normal = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if character.isspace() else character for character in normal)
    kept = "".join(character for character in spaced if unicodedata.category(character) not in DROPPED_CATEGORIES)
    return " ".join(kept.translate(INERT_CHARACTERS).split())


def _outline_box(box: Box) -> str:
    """The box as ASS drawing commands; a quarter circle is a Bézier curve whose handles are 0.5523 radii long."""
    left, top, right, bottom = box.left_px, box.top_px, box.left_px + box.width_px, box.top_px + box.height_px
    radius = min(box.radius_px, box.width_px / 2, box.height_px / 2)
    bend = radius * (1 - 0.5523)
    points = (
        f"m {left + radius:.1f} {top:.1f}",
        f"l {right - radius:.1f} {top:.1f}",
        f"b {right - bend:.1f} {top:.1f} {right:.1f} {top + bend:.1f} {right:.1f} {top + radius:.1f}",
        f"l {right:.1f} {bottom - radius:.1f}",
        f"b {right:.1f} {bottom - bend:.1f} {right - bend:.1f} {bottom:.1f} {right - radius:.1f} {bottom:.1f}",
        f"l {left + radius:.1f} {bottom:.1f}",
        f"b {left + bend:.1f} {bottom:.1f} {left:.1f} {bottom - bend:.1f} {left:.1f} {bottom - radius:.1f}",
        f"l {left:.1f} {top + radius:.1f}",
        f"b {left:.1f} {top + bend:.1f} {left + bend:.1f} {top:.1f} {left + radius:.1f} {top:.1f}",
    )
    return " ".join(points)


def _format_time(frame: int) -> str:
    """ASS counts hundredths of a second: the first one at which this frame, and no earlier one, is shown."""
    hundredths = max(0, round(to_seconds(frame) * 100 - 0.5))
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 100:02}.{rest % 100:02}"
