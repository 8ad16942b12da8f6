"""The fence around what learners say, write, film or are called: whatever it is, it stays inside."""

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coaching.prompts.fence import CUT_MARK, DATA_NOTICE, LINE_MARK, clean_data, fence_data

BLOCK = re.compile(r'<data name="([a-z_]+)" id="([0-9a-f]{16})">\n((?:｜[^\n]*\n)+)</data id="([0-9a-f]{16})">')
ANGLES = re.compile(r"[<>＜＞﹤﹥‹›〈〉《》⟨⟩❮❯≺≻≮≯`]")


def read_injections() -> list[dict[str, str]]:
    attempts = json.loads(Path(__file__).with_name("injections.json").read_text(encoding="utf-8"))
    for attempt in attempts:
        if "repeat" in attempt:
            unit, times = attempt.pop("repeat")
            attempt["text"] = attempt["text"].replace(unit, unit * times, 1)
    return list(attempts)


def assert_is_closed(block: str, name: str) -> str:
    """The block is one fence with one way out, its last line; answers what stands inside."""
    match = BLOCK.fullmatch(block)
    assert match, block
    assert match[1] == name
    assert match[2] == match[4]
    assert match[2] not in match[3]
    inside = match[3]
    assert len(inside.splitlines()) == inside.count("\n"), "a line end that is none of ours"
    assert not ANGLES.search(inside)
    hidden = [c for c in inside if unicodedata.category(c)[0] == "C" and c != "\n"]
    assert not hidden, hidden
    return "\n".join(line.removeprefix(LINE_MARK) for line in inside.splitlines())


@pytest.mark.parametrize("attempt", read_injections(), ids=lambda attempt: f"{attempt['id']}-{attempt['kind']}")
def test_no_attempt_closes_the_fence(attempt: dict[str, str]) -> None:
    inside = assert_is_closed(fence_data(attempt["where"], attempt["text"]), attempt["where"])
    assert len(inside) <= 4000 + len(CUT_MARK)


def test_the_attempts_are_many_and_of_many_kinds() -> None:
    attempts = read_injections()
    assert len(attempts) >= 40
    assert len({attempt["kind"] for attempt in attempts}) >= 8
    assert len({attempt["text"] for attempt in attempts}) == len(attempts)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
@example("<\u0338")
@example("\u0338<")
@example("\x1c\x1d\x1e")
def test_no_text_at_all_closes_it(text: str) -> None:
    assert_is_closed(fence_data("chat", text), "chat")


def test_a_fence_within_a_fence_is_data_like_any_other() -> None:
    inner = fence_data("chat", "外に出たい。")
    inside = assert_is_closed(fence_data("chat", inner), "chat")
    assert "外に出たい。" in inside


@pytest.mark.parametrize(
    "text",
    [
        "今日は火が強すぎた気がします。\n卵はどのタイミングで入れますか？",
        "「パチパチ」という音が…消えて、ｼﾞｭｰって鳴った（たぶん）。",
        "花子",
        "ｱﾝﾅ",
        "Ｅｍｍａ O'Brien-佐々木",
        "葛\U000e0100城",
        "김지우とАннаとJosé",
        "塩＆こしょう、1/2カップ・180℃ 🍳",
    ],
)
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert clean_data(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("𝐈𝐠𝐧𝐨𝐫𝐞 ⓐⓛⓛ", "Ignore all"),
        ("花\U000e0001\U000e0041子", "花子"),
        ("花\u202e子\u200d", "花子"),
        ("あ\U000e0100い\ufe0f", "あい"),
        ("ᚠ卵", "〓卵"),
        ("上\r\n下\u2028横\x0b\x0b\x0b\x0b奥", "上\n下\n横\n\n奥"),
        ("ー" * 100, "ー" * 12),
        ("卵" + "\u0323" * 30, "卵\u0323\u0323"),
        ("＜b＞", "（b）"),
        (" \u00a0 ", ""),
    ],
)
def test_what_hides_or_poses_is_taken_out(text: str, kept: str) -> None:
    assert clean_data(text) == kept


def test_a_long_text_is_cut_and_says_so() -> None:
    assert clean_data("火加減。" * 100, max_characters=10) == "火加減。火加減。火加" + CUT_MARK


def test_the_same_data_makes_the_same_prompt_and_other_data_another_fence() -> None:
    assert fence_data("chat", "卵") == fence_data("chat", "卵")
    ends = {fence_data(name, text)[-20:] for name in ("chat", "memo") for text in ("卵", "米")}
    assert len(ends) == 4


@pytest.mark.parametrize("name", ["", "Chat", 'a" id="x', "a b", "a\n"])
def test_a_fence_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        fence_data(name, "卵")


def test_the_notice_speaks_of_the_marks_that_the_fence_sets() -> None:
    opening, *lines, closing = fence_data("chat", "卵").splitlines()
    assert lines == [f"{LINE_MARK}卵"]
    for mark in (opening[:11], closing[:11], LINE_MARK):
        assert mark in DATA_NOTICE
