"""How the learner is called: `{first_name}さん`, exactly that, and nothing else.

A name is what somebody typed: data. What cannot be said as a name (a sentence, braces, control characters, sixty
letters) is not said at all: then the coach speaks without calling the learner by name.
"""

import re
import unicodedata
from collections.abc import Iterator

MASK = "\ue000"  # stands for the address while other rules look at a text: a private-use character
LONGEST_NAME = 20
_NAME_MARKS = frozenset(" '’・·-‐＝=.ー々〆〇")

_SECOND_PERSON = re.compile(
    r"あなた|アナタ|貴方|貴女|貴男|お前|おまえ|キミ|君(?=[はがをにのもとへ、。！？]|たち)|お客様|お客さま|お客さん|ユーザー様"
)
_EVERYBODY = re.compile(r"皆さん|みなさん|皆様|皆さま|みなさま|皆んな")
_OTHER_PERSON = re.compile(
    r"(?P<word>[一-龯々ァ-ヴーA-Za-z・]{1,12}|[ぁ-ん]{1,6})さん(?=[、。！？!?」』はがをにのもとへでや\s]|から|より|って|$)"
)
# Words that end in さん and call nobody.
_NO_ADDRESS = re.compile(
    r"(?:たくさん|さんさん|[父母兄姉子孫客嫁婿隣奥]さん|かあさん|とうさん|にいさん|ねえさん|ばあさん|じいさん|屋さん|"
    r"[家者人手]さん|旦那さん|息子さん|娘さん|お疲れさん|くさん)$"
)
_WRONG_HONORIFICS = "様|さま|くん|君|ちゃん|氏|殿|先生|先輩|選手"


def spoken_name(first_name: str) -> str:
    """The name as it can be said, "" where there is none: at most 20 letters of any script, and what joins names."""
    kept = "".join(c for c in first_name if unicodedata.category(c)[0] != "C" or c in "\t\n\r")
    name = " ".join(unicodedata.normalize("NFC", kept).split())
    name = name.removesuffix("さん") or name
    is_name = all(c in _NAME_MARKS or unicodedata.category(c)[0] in "LMN" for c in name)
    has_letter = any(unicodedata.category(c)[0] == "L" for c in name)
    return name if is_name and has_letter and len(name) <= LONGEST_NAME else ""


def address_learner(first_name: str) -> str:
    """`{first_name}さん`, or "" for a name that cannot be said."""
    name = spoken_name(first_name)
    return f"{name}さん" if name else ""


def mask_address(text: str, first_name: str) -> str:
    """`text` with the learner's address taken out of the sight of the other rules."""
    address = address_learner(first_name)
    return text.replace(address, MASK) if address else text


def find_address_faults(text: str, first_name: str) -> Iterator[str]:
    """Every way of calling the learner, or somebody else, that is not `{first_name}さん`."""
    masked = mask_address(text, first_name)
    for pattern in (_SECOND_PERSON, _EVERYBODY):
        yield from (match[0] for match in pattern.finditer(masked))
    for match in _OTHER_PERSON.finditer(masked):
        if not _NO_ADDRESS.search(match[0]) and not _EVERYBODY.search(match[0]):
            yield match[0]
    if name := spoken_name(first_name):
        called = rf"{re.escape(name)}(?:{_WRONG_HONORIFICS})|(?:^|(?<=[。！？]))\s*{re.escape(name)}[、！]"
        yield from (match[0] for match in re.finditer(called, masked))
