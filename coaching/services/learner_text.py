"""What learners type, cleaned and checked before it is kept: it reaches pages, prompts and a voice.

NFC, no control, format or private characters, no lone surrogates, one space where several stood, bounded length.
"""

import re
import unicodedata

NAME_MAX_LENGTH = 40
BETWEEN_NAMES = frozenset(" -'’・.゠\u200c\u200d")
JOINERS = frozenset("\u200c\u200d")  # invisible, but letters of some scripts and emoji need them


class TextRefused(ValueError):
    """`code` is for programs; the message is Japanese, for the learner."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def clean_line(text: str, *, max_length: int) -> str:
    """One line; line breaks and tabs count as spaces."""
    return _check(re.sub(r"\s+", " ", _normalise(text)).strip(), max_length)


def clean_paragraphs(text: str, *, max_length: int) -> str:
    """Several lines; the line breaks stay."""
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in re.split(r"\r\n|\r|\n", _normalise(text))]
    return _check(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), max_length)


def clean_name(text: str, *, max_length: int = NAME_MAX_LENGTH) -> str:
    """How the coach calls the learner: letters of any script, digits, and what stands between them."""
    name = clean_line(text, max_length=max_length)
    if not name:
        raise TextRefused("blank", "お名前を入力してください。")
    kinds = [unicodedata.category(character)[0] for character in name]
    fits = all(kind in "LMN" or character in BETWEEN_NAMES for kind, character in zip(kinds, name, strict=True))
    if not fits or "L" not in kinds:
        raise TextRefused("name_characters", "お名前には、文字と数字、「・」や「-」をお使いください。")
    return name


def _normalise(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _check(text: str, max_length: int) -> str:
    if len(text) > max_length:
        raise TextRefused("max_length", f"{max_length}文字以内で入力してください。")
    for character in text:
        category = unicodedata.category(character)
        if category in {"Cs", "Co"} or (category == "Cc" and character != "\n"):
            raise TextRefused("characters", "使えない文字が含まれています。")
        if category == "Cf" and character not in JOINERS:
            raise TextRefused("characters", "使えない文字が含まれています。")
    return text
