"""Titles are drawn where they belong, whole, readable on anything; text in them is only text."""

import re
from dataclasses import replace
from pathlib import Path

import ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from media_tools.ffmpeg import compile_arguments, read_output
from media_tools.film_clock import to_seconds
from media_tools.japanese_lines import measure_em
from media_tools.subtitle_script import make_inert
from media_tools.titles import TitleFrames, TitleTexts, find_font_folder, fit_text, make_titles

LANDSCAPE, PORTRAIT = (1280, 720), (720, 1280)
TEXTS = TitleTexts(
    dish="チャーハン",
    session_number=1,
    next_action="油を今の倍くらい入れて、卵が固まりきる前にご飯を入れてみましょう。",
    success_sign="パチパチという音が聞こえて、ご飯がパラパラにほぐれたら成功です。",
)
LONG = "卵がまだとろりとしているうちに、ご飯を一気に入れて大きくほぐしましょう。" * 6
FRAMES = TitleFrames(
    key_frame=300, moment_frame=360, replay_frame=600, still_frame=780, outro_frame=900, end_frame=1110
)
ON_DISH, ON_BADGE, ON_REPLAY, ON_CARD = 60, 380, 700, 1000

HOSTILE = [
    r"{\fs300\an5}巨大",
    r"{\p1}m 0 0 l 1280 0 1280 720 0 720{\p0}",
    "卵\nDialogue: 9,0:00:00.00,9:00:00.00,Default,,0,0,0,,侵入",
    "卵\r\n[Events]\u2028Style: Default,Arial,300",
    r"改行\Nと\hタブ\n",
    "\u202e逆さま\u200f\u0000",
    "{" * 40,
    r"\{\}{\}",
]


def render(script: str, folder: Path, frame: int, size: tuple[int, int], colour: str = "black") -> NDArray[np.int64]:
    """The picture of one frame of the film, as luma, with the titles drawn onto that colour."""
    path = folder / "titles.ass"
    path.write_text(script, encoding="utf-8")
    width_px, height_px = size
    blank = ffmpeg.input(f"color={colour}:s={width_px}x{height_px}:r=30:d=0.1", f="lavfi")
    drawn = blank.filter("setpts", f"PTS+{to_seconds(frame):.6f}/TB").filter(
        "ass", filename=str(path), fontsdir=str(find_font_folder())
    )
    output = ffmpeg.output(drawn, "pipe:1", format="rawvideo", pix_fmt="gray", vframes=1)
    pixels = b"".join(read_output(compile_arguments(output)))
    return np.frombuffer(pixels, np.uint8).reshape(height_px, width_px).astype(np.int64)


def find_drawn_box(picture: NDArray[np.int64]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of what differs from the colour at the corner; None where nothing does."""
    rows, columns = np.nonzero(np.abs(picture - picture[-1, -1]) > 6)
    if len(rows) == 0:
        return None
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def make_script(texts: TitleTexts, size: tuple[int, int]) -> str:
    return make_titles(texts, FRAMES, width_px=size[0], height_px=size[1])


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
@pytest.mark.parametrize(
    ("frame", "repeats"),
    [(ON_DISH, 1), (ON_DISH, 8), (ON_BADGE, 1), (ON_REPLAY, 1), (ON_CARD, 1), (ON_CARD, 3), (ON_CARD, 8)],
)
def test_nothing_is_clipped(tmp_path: Path, size: tuple[int, int], frame: int, repeats: int) -> None:
    text = "卵がまだとろりとしているうちにご飯を入れましょう。" * repeats
    texts = TitleTexts(dish=text, session_number=3, next_action=text, success_sign=text)
    box = find_drawn_box(render(make_script(texts, size), tmp_path, frame, size))
    assert box is not None
    margin_px = 20
    left, top, right, bottom = box
    assert left >= margin_px
    assert top >= margin_px
    assert right < size[0] - margin_px
    assert bottom < size[1] - margin_px


@pytest.mark.parametrize("frame", [ON_DISH, ON_BADGE, ON_REPLAY, ON_CARD], ids=["dish", "badge", "replay", "card"])
def test_titles_can_be_read_on_any_footage(tmp_path: Path, frame: int) -> None:
    """Letters lie on plates of their own, so black and white footage leave nearly the same picture inside."""
    script = make_script(TEXTS, LANDSCAPE)
    on_black = render(script, tmp_path, frame, LANDSCAPE)
    on_white = render(script, tmp_path, frame, LANDSCAPE, "white")
    left, top, right, bottom = find_drawn_box(on_black) or (0, 0, 0, 0)
    inside = (slice(top + 30, bottom - 40), slice(left + 30, right - 30))
    assert np.abs(on_white[inside] - on_black[inside]).max() < 40
    assert on_black[inside].max() - on_black[inside].min() > 110  # letters against their plate


def test_each_title_has_its_time(tmp_path: Path) -> None:
    script = make_script(TEXTS, LANDSCAPE)
    shown = {frame: find_drawn_box(render(script, tmp_path, frame, LANDSCAPE)) for frame in (10, 170, 330, 500, 790)}
    assert shown[10] is not None  # the dish, from the beginning on
    assert shown[170] is None  # five seconds are enough
    assert shown[330] is None  # the key clip runs, its moment is still to come
    assert shown[500] is None  # badge gone, replay not yet there
    assert shown[790] is None  # behind the replay
    card = find_drawn_box(render(script, tmp_path, FRAMES.end_frame - 1, LANDSCAPE))
    assert card is not None  # it stays to the very end


def test_the_badge_comes_with_the_moment(tmp_path: Path) -> None:
    script = make_script(TEXTS, LANDSCAPE)
    assert find_drawn_box(render(script, tmp_path, FRAMES.moment_frame - 16, LANDSCAPE)) is None
    assert find_drawn_box(render(script, tmp_path, FRAMES.moment_frame, LANDSCAPE)) is not None


def test_a_clip_without_a_replay_says_nothing_of_one() -> None:
    script = make_titles(TEXTS, replace(FRAMES, replay_frame=None), width_px=1280, height_px=720)
    assert "スローでもう一度" not in script
    assert "スローでもう一度" in make_script(TEXTS, LANDSCAPE)


def test_the_film_has_japanese_glyphs_and_not_boxes(tmp_path: Path) -> None:
    """A font without them would draw the same box for every character."""
    pictures = [
        render(make_script(replace(TEXTS, dish=dish), LANDSCAPE), tmp_path, ON_DISH, LANDSCAPE) for dish in ("卵", "飯")
    ]
    assert np.abs(pictures[0] - pictures[1]).max() > 100


@pytest.mark.parametrize("text", HOSTILE)
def test_commands_in_a_text_are_inert(tmp_path: Path, text: str) -> None:
    """Every line of the script is one of ours, and what is drawn stays where titles lie."""
    script = make_script(TitleTexts(dish=text, session_number=1, next_action=text, success_sign=text), LANDSCAPE)
    header, events = script.split("\n[Events]\n", 1)
    assert header == make_script(TEXTS, LANDSCAPE).split("\n[Events]\n")[0]
    for line in events.splitlines()[1:]:
        assert re.fullmatch(r"Dialogue: \d+,[\d:.]+,[\d:.]+,Default,,0,0,0,,\{\\an[47]\\pos[^{}]*\}[^{}\\]*", line)
    for frame in (ON_DISH, ON_CARD):
        box = find_drawn_box(render(script, tmp_path, frame, LANDSCAPE))
        assert box is not None
        assert min(box[0], box[1]) >= 20
        assert box[2] < 1260
        assert box[3] < 700


@pytest.mark.parametrize("text", HOSTILE)
def test_inert_text_is_one_line_without_controls(text: str) -> None:
    inert = make_inert(text)
    assert len(inert.splitlines()) <= 1
    assert inert.isprintable()
    assert not set(inert) & set("{}\\")


def test_ordinary_text_is_left_as_it_is() -> None:
    for text in ("第1回 チャーハン", "José さん", "𠮷野家の味", "ガパオ（鶏肉）", "100%"):
        assert make_inert(text) == text


def test_long_text_gets_smaller_and_then_ends_in_an_ellipsis() -> None:
    short = fit_text("短い文です。", width_px=800, most_lines=2, sizes_px=(50, 40, 30))
    longer = fit_text("もう少しだけ長い文がここにあります。" * 2, width_px=800, most_lines=2, sizes_px=(50, 40, 30))
    longest = fit_text(LONG, width_px=800, most_lines=2, sizes_px=(50, 40, 30))
    assert (short.em_px, longer.em_px, longest.em_px) == (50, 40, 30)
    assert longest.lines[-1].endswith("…")
    assert all(measure_em(line) * 30 <= 800 for line in longest.lines)
