"""How a text is read aloud, where the dictionary of the voices errs.

Both voices take their readings from OpenJTalk's dictionary. It reads written Japanese well, but not the kitchen's
short words, and it spells names in Latin letters out ("Yuki" as "wai yuu kee ai"). What it gets wrong is written in
kana before it is read. The list comes from all texts of the principles, read through once.
"""

import re
import unicodedata

import jaconv

# What the dictionary reads, where that is not plain: the reason for the line.
KITCHEN_READINGS: tuple[tuple[str, str], ...] = (
    (r"照り(?!焼)", "てり"),  # デリ after a noun
    (r"盛り(付|つ)け", "もりつけ"),  # サカリズケ
    (r"縁(?=[がはをにのも、])", "ふち"),  # エン
    (r"(?<![一-龥])具に", "ぐに"),  # ツブサニ
    (r"(?<![一-龥])中は", "なかは"),  # チューハ
    (r"目と手", "めとて"),  # モクト
    (r"搾(?=[らりるれろっ])", "しぼ"),  # シメル
    (r"止めどき", "とめどき"),  # ヤメドキ
    (r"(?<=火が)通(?=[らりるれっ])", "とお"),  # カヨッテ
    (r"終わり際", "おわりぎわ"),  # サイ
    (r"炒ま(?=[らりるれっ])", "いたま"),  # イマル
    (r"重([みめ])", r"おも\1"),  # ジューミ
    (r"(?<![一-龥])紙で", "かみで"),  # シデ
    (r"間のある", "まのある"),  # アイダノアル
    (r"鶏(?=[がはをにのも])", "とり"),  # ニワトリ
    (r"牛(?=ステーキ)", "ぎゅう"),  # ウシ
    (r"(?<![一-龥])辛(?=さ|い|く|かっ)", "から"),  # ツラ
)
_KITCHEN = tuple((re.compile(pattern), kana) for pattern, kana in KITCHEN_READINGS)

_SYLLABLE = r"(?:(?:[kgszjtdcnhbpmrywfv]|[kgnhbpmrjzd]y|sh?y?|ch|ts|ty)?[aeiou]|n(?![aeiouy])'?)"
_ROMAJI = re.compile(rf"(?:{_SYLLABLE}|([kstpcgdbz])(?=\1)|t(?=ch))+")
_LATIN_WORD = re.compile(r"(?<![A-Za-z0-9-])[A-Za-z]+(?:['’][A-Za-z]+)*(?![A-Za-z0-9-])")


def write_as_read(text: str) -> str:
    """The same text with kana where the voices would misread it."""
    text = unicodedata.normalize("NFKC", text)  # full-width letters are letters
    text = _LATIN_WORD.sub(_read_romaji, text)
    for pattern, kana in _KITCHEN:
        text = pattern.sub(kana, text)
    return text


def _read_romaji(word: re.Match[str]) -> str:
    """A word that can be Japanese in Latin letters in katakana; any other is left to the dictionary."""
    letters = word[0].lower().replace("’", "'")
    if len(letters) < 2 or not _ROMAJI.fullmatch(letters):
        return word[0]
    kana: str = jaconv.hira2kata(jaconv.alphabet2kana(re.sub(r"nn(?=[aeiouy])", "n'n", letters)))
    return kana
