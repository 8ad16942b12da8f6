"""No measurements: the coach says what is heard, seen and felt, never how much, how long or how hot.

A number with a unit or a counter is one: in Arabic digits of either width, in kanji (三分, 二つ) and in kana
(さんぷん, ふたつ). What is none is blanked out first: session ordinals (第2回), relative amounts (今の倍くらい, 半分,
三分の一) and idioms whose number counts nothing (一つ, 一気に, 十分に, 三枚おろし).
"""

import re
import unicodedata
from collections.abc import Iterator

_KANJI = "〇零一二三四五六七八九十百千万"
_NUMBER = rf"(?:\d+(?:[.,/⁄]\d+)?|[{_KANJI}]+)"

_EXEMPT = re.compile(
    "|".join(
        (
            r"第\s?[1-3一二三]\s?回",
            r"(?<![\d十百])[1-3一二三][回度]目",
            r"セッション\s?[1-3](?!\d)",
            r"(?<![\d十百])[2-9二三四五六七八九]つ[目め]",  # a list: the rule of the one thing sees to it
            rf"(?<![\d.])(?:\d+|[{_KANJI}]+|数)倍",
            r"[二三四五六七八九十]+分の[一二三四五六七八九]",
            r"(?<!\d)\d分の\d(?!\d)",
            r"(?<![十百千万数])一(?:つ|本|粒|枚|切れ|皿|度|回|滴|日|点|周|種類|段階|[か箇ヶカヵケ]所|人前)",
            r"(?<![じ匙プ十百千])一杯",
            r"(?<![\d.])1(?:つ|番|度|歩|回)",
            r"一時(?!間)",
            r"(?<![一二三四五六七八九数])十分(?!間|ほど|くらい|ぐらい|後|以上|以内|ごと|弱|強|経)",
            r"二度(?:と|手間|揚げ|漬け|焼き)",
            r"二枚貝|二枚目|三枚おろし|三枚に|二杯酢|三杯酢|三つ葉|三つ編み|三日月|三時のおやつ|四六時中|百点|三度の飯",
            r"五分五分|[七八九]分(?:目|通り|どおり)|腹八分",
        )
    )
)

_UNITS = (
    "キログラム|ミリグラム|グラム|キロカロリー|カロリー|キロ|ミリリットル|デシリットル|リットル|ミリ|シーシー|"
    "センチ|メートル|インチ|オンス|ポンド|ワット|パーセント|割|℃|度|分|秒|時間|時|日|週間|週|[か箇ヶカヵケ]月|"
    r"合(?![わいうっ図計体])|升|斤|晩"
)
_COUNTERS = (
    "つ|個|コ|本|枚|粒|切れ|片|かけ|束|把|株|玉|丁|缶|袋|パック|箱|皿|杯|膳|匹|尾|羽|滴|回|人前|人分|種類|品目|段階|"
    "等分|[か箇ヶカヵケ]所|房|周|往復|点(?![火検在])|セット|カップ|さじ|匙|つまみ|握り|歳"
)
_KANA_DIGIT = "いち|いっ|に|さん|よん|ご|ろく|ろっ|なな|はち|はっ|きゅう|じゅう|じゅっ|ひゃく|びゃく|ぴゃく|せん"

_MEASUREMENTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_NUMBER}\s?(?:{_UNITS})",
        rf"{_NUMBER}\s?(?:[mk]?g|m?l|dl|cc|[cm]?m|k?cal|w)(?![a-z])",
        rf"数十?(?:{_UNITS}|滴|個|枚|本|粒|切れ)",
        rf"{_NUMBER}\s?(?:{_COUNTERS})",
        rf"(?:さじ|匙|カップ)\s?(?:{_NUMBER}|半分|いっぱい|いち|すり切り|山盛り)",
        r"半(?:カップ|かけ|片|個|丁|日|時間|束|玉|本|袋|缶|合|株|枚)",
        r"(?:ひと|ふた)(?:つまみ|さじ|匙|カップ|かけ|束|袋|缶|玉|片|握り|晩)",
        r"ふた(?:つ(?![きま付])|切れ|粒|皿)",
        r"みっつ|よっつ|(?<=[、。をがはに])いつつ|むっつ(?!り)|ななつ|やっつ(?!け)|ここのつ(?![やぼ])",
        r"(?:いっ|さん|よん|ろっ|はっ|じゅっ|じっ)ぷん|(?:ご|なな|きゅう|すう)ふん(?!わ)",
        r"にふん(?=間|かん|ほど|くらい|ぐらい|待|煮|ゆで|焼|蒸|後|[、。]|$)",
        rf"(?:{_KANA_DIGIT}|すう)びょう(?![いきど])",
        r"(?:いち|さん|よ|ご|ろく|なな|しち|はち|すう)じかん",
        rf"(?:ひゃく|びゃく|ぴゃく|じゅう)(?:{_KANA_DIGIT})*ど(?![うんく])",
        rf"(?:{_KANA_DIGIT}|すう)(?:グラム|ぐらむ|ミリ|リットル|センチ|せんち|キロ|パーセント)",
        rf"{_NUMBER}?\s?[°%]\s?[cf]?",
        r"\d+(?:[.,:/⁄]\d+)*.{0,3}",  # any digit that is left: the coach speaks in none
    )
)


def find_measurements(text: str) -> Iterator[str]:
    """The measurements in `text`, each once, in order. Mask names first: 三郎 counts nothing."""
    normal = unicodedata.normalize("NFKC", text)
    rest = _EXEMPT.sub(lambda match: "＿" * len(match[0]), normal)
    found: list[tuple[int, int]] = []
    for pattern in _MEASUREMENTS:
        for match in pattern.finditer(rest):
            if match[0] and not any(match.start() < end and start < match.end() for start, end in found):
                found.append(match.span())
    yield from (normal[start:end] for start, end in sorted(found))
