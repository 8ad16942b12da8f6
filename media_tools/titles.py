"""The film's titles, in the web app's look: the dish at its beginning, a badge at the moment, a card at its end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pylopdf_fonts_cjk

from media_tools.errors import MissingTool
from media_tools.film_clock import FRAMES_PER_SECOND, count_frames
from media_tools.japanese_lines import break_lines, measure_em
from media_tools.subtitle_script import Box, Colour, Script, Span, make_inert

CREAM = Colour("#FFF9F0", 0.95)
INK = Colour("#33261D")
SHADOW = Colour("#33261D", 0.45)
VERMILION = Colour("#C8401E")
LEAF = Colour("#2F7D46")
PAPER = Colour("#FFFFFF")

POINT_LABEL = "ここがポイント"
REPLAY_LABEL = "スローでもう一度"
NEXT_ACTION_LABEL = "次回試すこと"
SUCCESS_SIGN_LABEL = "成功のサイン"

DISH_SECONDS = 5.0
BADGE_SECONDS = 4.0
BADGE_LEAD_SECONDS = 0.5
CARD_FADE_SECONDS = 0.4
"""After this the outro's picture does not change any more."""

LINE_SPACING = 1.5
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleTexts:
    """What the titles say. Any text is safe: it is shown as it reads, commands in it do nothing."""

    dish: str
    session_number: int
    next_action: str
    success_sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleFrames:
    """Where in the film the titles belong, in frames: `replay_frame` is None where nothing is replayed."""

    key_frame: int
    moment_frame: int
    replay_frame: int | None
    still_frame: int
    outro_frame: int
    end_frame: int


@dataclass(frozen=True, slots=True)
class _Block:
    """Text broken into lines that fit a width at this size."""

    lines: Sequence[str]
    em_px: float

    @property
    def width_px(self) -> float:
        return max((measure_em(line) for line in self.lines), default=0.0) * self.em_px

    @property
    def height_px(self) -> float:
        return len(self.lines) * LINE_SPACING * self.em_px


def find_font_folder() -> Path:
    """The folder that libass takes the film's one face from. Raises MissingTool where the font is not installed."""
    font = Path(pylopdf_fonts_cjk.sans_path())
    if not font.is_file():
        raise MissingTool(f"{font} is not there: the Python package pylopdf-fonts-cjk holds the film's font")
    return font.parent


def make_titles(texts: TitleTexts, frames: TitleFrames, *, width_px: int, height_px: int) -> str:
    """The ASS script of all titles for a film of that size."""
    script = Script(width_px, height_px)
    _add_dish(script, texts, frames)
    _add_badges(script, frames)
    _add_card(
        script,
        texts,
        Span(frames.outro_frame, frames.end_frame, fade_in_ms=round(1000 * CARD_FADE_SECONDS), fade_out_ms=0),
    )
    return script.format()


def fit_text(text: str, *, width_px: float, most_lines: int, sizes_px: Sequence[float]) -> _Block:
    """The text at the largest of the sizes (given in falling order) at which it takes at most so many lines.

    Where even the smallest is too large, the end is left out and an ellipsis says so.
    """
    inert = make_inert(text)
    for em_px in sizes_px:
        lines = break_lines(inert, width_px / em_px)
        if len(lines) <= most_lines:
            return _Block(lines, em_px)
    kept = lines[:most_lines]
    while kept[-1] and measure_em(kept[-1] + ELLIPSIS) > width_px / sizes_px[-1]:
        kept[-1] = kept[-1][:-1]
    return _Block([*kept[:-1], kept[-1] + ELLIPSIS], sizes_px[-1])


def _unit_px(script: Script) -> float:
    """All sizes are given for a picture whose shorter side has 720 pixels."""
    return min(script.width_px, script.height_px) / 720


def _add_dish(script: Script, texts: TitleTexts, frames: TitleFrames) -> None:
    """A cream plate at the top left: which session, and the dish."""
    unit_px = _unit_px(script)
    span = Span(0, min(count_frames(DISH_SECONDS), frames.key_frame), fade_in_ms=300, fade_out_ms=400)
    margin_px, padding_px, bar_px = 40 * unit_px, 30 * unit_px, 10 * unit_px
    indent_px = padding_px + bar_px
    room_px = min(script.width_px - 2 * margin_px - indent_px - padding_px, 860 * unit_px)
    sizes_px = [size * unit_px for size in (60, 54, 48, 42, 36)]
    dish = fit_text(texts.dish, width_px=room_px, most_lines=2, sizes_px=sizes_px)
    session = _Block([f"第{texts.session_number}回"], 32 * unit_px)
    plate = Box(
        left_px=margin_px,
        top_px=margin_px,
        width_px=max(dish.width_px, session.width_px) + indent_px + padding_px,
        height_px=session.height_px + dish.height_px + 1.2 * padding_px,
        radius_px=16 * unit_px,
    )
    _add_plate(script, plate, span, CREAM)
    inset_px = 18 * unit_px
    bar = Box(
        left_px=margin_px + inset_px,
        top_px=margin_px + inset_px,
        width_px=bar_px,
        height_px=plate.height_px - 2 * inset_px,
        radius_px=bar_px / 2,
    )
    script.add_box(bar, span, VERMILION)
    left_px, top_px = margin_px + indent_px, margin_px + 0.5 * padding_px
    _add_block(script, session, span, VERMILION, left_px=left_px, top_px=top_px, is_bold=True)
    _add_block(script, dish, span, INK, left_px=left_px, top_px=top_px + session.height_px, is_bold=True)


def _add_badges(script: Script, frames: TitleFrames) -> None:
    """The badge appears where the moment does, and a second one says that it is shown again, slowly."""
    pass_end_frame = frames.still_frame if frames.replay_frame is None else frames.replay_frame
    start_frame = max(frames.key_frame, frames.moment_frame - count_frames(BADGE_LEAD_SECONDS))
    end_frame = min(start_frame + count_frames(BADGE_SECONDS), frames.outro_frame)
    if frames.replay_frame is not None:
        # A moment right before its replay keeps its badge for a second at least.
        end_frame = min(end_frame, max(pass_end_frame, start_frame + FRAMES_PER_SECOND))
        _add_badge(script, Span(max(end_frame, frames.replay_frame), frames.still_frame), REPLAY_LABEL, INK)
    _add_badge(script, Span(start_frame, end_frame), POINT_LABEL, VERMILION)


def _add_badge(script: Script, span: Span, label: str, colour: Colour) -> None:
    unit_px = _unit_px(script)
    em_px, margin_px, height_px = 44 * unit_px, 40 * unit_px, 84 * unit_px
    width_px = measure_em(label) * em_px + 0.8 * height_px
    plate = Box(left_px=margin_px, top_px=margin_px, width_px=width_px, height_px=height_px, radius_px=height_px / 2)
    _add_plate(script, plate, span, colour)
    _add_label_text(script, label, plate, span, em_px)


def _add_card(script: Script, texts: TitleTexts, span: Span) -> None:
    """The outro's card: what to try next, and how to tell that it worked."""
    unit_px = _unit_px(script)
    is_portrait = script.height_px > script.width_px
    width_px = script.width_px - (64 if is_portrait else 220) * unit_px
    padding_px, gap_px = (44 if is_portrait else 56) * unit_px, 28 * unit_px
    label_height_px, below_label_px = 48 * unit_px, 10 * unit_px
    bare_height_px = 2 * (padding_px + label_height_px + below_label_px) + gap_px
    blocks = _fit_together(
        (texts.next_action, texts.success_sign),
        width_px=width_px - 2 * padding_px,
        height_px=script.height_px - 80 * unit_px - bare_height_px,
        sizes_px=[size * unit_px for size in (48, 44, 40, 36, 32, 28)],
    )
    height_px = bare_height_px + sum(block.height_px for block in blocks)
    left_px, top_px = (script.width_px - width_px) / 2, (script.height_px - height_px) / 2
    card = Box(left_px=left_px, top_px=top_px, width_px=width_px, height_px=height_px, radius_px=28 * unit_px)
    _add_plate(script, card, span, CREAM)
    y_px = top_px + padding_px
    for label, colour, block in zip((NEXT_ACTION_LABEL, SUCCESS_SIGN_LABEL), (VERMILION, LEAF), blocks, strict=True):
        em_px = 0.54 * label_height_px
        pill = Box(
            left_px=left_px + padding_px,
            top_px=y_px,
            width_px=measure_em(label) * em_px + 0.8 * label_height_px,
            height_px=label_height_px,
            radius_px=label_height_px / 2,
        )
        script.add_box(pill, span, colour)
        _add_label_text(script, label, pill, span, em_px)
        y_px += label_height_px + below_label_px
        _add_block(script, block, span, INK, left_px=left_px + padding_px, top_px=y_px, is_bold=False)
        y_px += block.height_px + gap_px


def _fit_together(
    texts: Sequence[str], *, width_px: float, height_px: float, sizes_px: Sequence[float]
) -> list[_Block]:
    """The texts at the largest size at which they fit one below the other; at the smallest, each gets its share."""
    for em_px in sizes_px:
        blocks = [_Block(break_lines(make_inert(text), width_px / em_px), em_px) for text in texts]
        if sum(block.height_px for block in blocks) <= height_px:
            return blocks
    most_lines = int(height_px / len(texts) / (LINE_SPACING * sizes_px[-1]))
    return [fit_text(text, width_px=width_px, most_lines=most_lines, sizes_px=sizes_px[-1:]) for text in texts]


def _add_label_text(script: Script, label: str, pill: Box, span: Span, em_px: float) -> None:
    left_px = pill.left_px + (pill.width_px - measure_em(label) * em_px) / 2
    script.add_line(label, span, PAPER, left_px=left_px, middle_px=pill.middle_px, em_px=em_px, is_bold=True)


def _add_block(
    script: Script, block: _Block, span: Span, colour: Colour, *, left_px: float, top_px: float, is_bold: bool
) -> None:
    for index, line in enumerate(block.lines):
        middle_px = top_px + (index + 0.5) * LINE_SPACING * block.em_px
        script.add_line(line, span, colour, left_px=left_px, middle_px=middle_px, em_px=block.em_px, is_bold=is_bold)


def _add_plate(script: Script, plate: Box, span: Span, colour: Colour) -> None:
    """A box on a soft shadow, which keeps it apart from footage as bright as itself."""
    unit_px = _unit_px(script)
    script.add_box(replace(plate, top_px=plate.top_px + 6 * unit_px), span, SHADOW, blur_px=8 * unit_px)
    script.add_box(plate, span, colour)
