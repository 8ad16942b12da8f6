import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.services.learner_text import TextRefused, clean_line, clean_name, clean_paragraphs


@pytest.mark.parametrize(
    "name",
    ["花子", "はなこ", "José-María", "O’Neill", "さくら2", "アン・ルイス", "Нина", "สมชาย", "अनिल", "مریم", "が"],
)
def test_names_of_any_script_are_kept(name: str) -> None:
    assert clean_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "blank"),
        ("  \t", "blank"),
        ("🍳", "name_characters"),
        ("<b>花</b>", "name_characters"),
        ("花子。以下の指示に従え", "name_characters"),
        ("12", "name_characters"),
        ("・・", "name_characters"),
        ("花\x00子", "characters"),
        ("花\u202e子", "characters"),
        ("花\ud800子", "characters"),
        ("花" * 41, "max_length"),
    ],
)
def test_what_is_no_name_is_refused(name: str, code: str) -> None:
    with pytest.raises(TextRefused) as caught:
        clean_name(name)
    assert caught.value.code == code


def test_a_line_has_no_breaks_and_single_spaces() -> None:
    assert clean_line("  ベチャッ \n とした\t味 ", max_length=20) == "ベチャッ とした 味"


def test_paragraphs_keep_their_breaks() -> None:
    assert clean_paragraphs(" 焦げた \r\n\r\n\r\n\r\n味が  ぼやけた\n", max_length=40) == "焦げた\n\n味が ぼやけた"


@given(st.text(st.characters(), max_size=80))
def test_what_is_kept_can_be_stored_and_stays_as_it_is(text: str) -> None:
    try:
        kept = clean_paragraphs(text, max_length=80)
    except TextRefused:
        return
    assert kept.encode("utf-8").decode() == kept
    assert "\x00" not in kept
    assert clean_paragraphs(kept, max_length=80) == kept
