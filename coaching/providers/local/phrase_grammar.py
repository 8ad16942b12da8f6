"""A small grammar for the phrases of the knowledge files, so that the coach can speak them.

Mistakes, cues and signs are written in three forms: clauses that end in a plain verb (「粒が軽く流れる」), in a plain
adjective or negation (「汁が少ない」, 「油が残らない」), and phrases that end in a noun (「まだ淡い色」). Moments are
times of all kinds (「盛り付けの前」, 「裏返す判断」). Each function takes all of these and answers something that is
grammatical, or says by its name for which it is. Verbs follow the school grammar of modern Japanese.
"""

import re
from enum import Enum

_GODAN_TE = {
    "う": "って",
    "つ": "って",
    "る": "って",
    "む": "んで",
    "ぶ": "んで",
    "ぬ": "んで",
    "く": "いて",
    "ぐ": "いで",
    "す": "して",
}
_U_TO_I = dict(zip("うつるむぶぬくぐす", "いちりみびにきぎし", strict=True))
_A_TO_I = dict(zip("わたらまばなかがさ", "いちりみびにきぎし", strict=True))
_I_AND_E_ROWS = "いきしちにひみりぎじびぴえけせてねへめれげぜでべぺ"
# Ichidan verbs whose stem is the kanji itself; every other kanji before る is a godan verb (切る, 盛る, 残る).
_ICHIDAN_KANJI = "煮出見着似得経寝"
_ADJECTIVES_IN_NAI = ("少ない", "危ない", "切ない", "味気ない", "頼りない", "もったいない")
_ADJECTIVE_ENDING = re.compile(r"(?:[しくかたるがのもさじよ]|[一-龯])い$")
_NOUN_IN_I = re.compile(r"(?:匂|臭|勢|具合|扱|違|思|香り合|度合)い$")


class Form(Enum):
    """What a phrase ends in."""

    VERB = "verb"
    EXISTENCE = "existence"  # ある and いる: they do not happen, they are so
    STATE = "state"  # 〜ている, 〜てある
    NEGATIVE = "negative"
    ADJECTIVE = "adjective"
    NOUN = "noun"


def find_form(phrase: str) -> Form:
    """Raises nothing: what is neither a plain verb nor an adjective is taken for a noun."""
    if phrase.endswith("ない"):
        return Form.ADJECTIVE if phrase.endswith(_ADJECTIVES_IN_NAI) else Form.NEGATIVE
    if re.search(r"[てで](?:いる|ある)$", phrase):
        return Form.STATE
    if re.search(r"(?:^|[^一-龯])(?:ある|いる)$", phrase):
        return Form.EXISTENCE
    if phrase[-1:] in _U_TO_I:
        return Form.VERB
    if _ADJECTIVE_ENDING.search(phrase) and not _NOUN_IN_I.search(phrase):
        return Form.ADJECTIVE
    return Form.NOUN


def make_polite(phrase: str) -> str:
    """「粒が流れる」 → 「粒が流れます」, 「油が残らない」 → 「油が残りません」, 「淡い色」 → 「淡い色です」."""
    form = find_form(phrase)
    if form is Form.NEGATIVE:
        return _negate_politely(phrase)
    if form in (Form.ADJECTIVE, Form.NOUN):
        return f"{phrase}です"
    return f"{_make_stem(phrase)}ます"


def make_polite_past(phrase: str) -> str:
    """What was so: 「底が焦げる」 → 「底が焦げました」, 「見ていない」 → 「見ていませんでした」."""
    polite = make_polite(phrase)
    if polite.endswith("ません"):
        return f"{polite}でした"
    if polite.endswith("ます"):
        return f"{polite.removesuffix('す')}した"
    if find_form(phrase) is Form.ADJECTIVE:
        return f"{phrase.removesuffix('い')}かったです"
    return f"{phrase}でした"


def regret(phrase: str) -> str:
    """A mistake that happened: 「卵を入れる」 → 「卵を入れてしまいました」. What merely was so is said as such."""
    if find_form(phrase) is Form.VERB:
        return f"{_make_te_of_regret(phrase)}しまいました"
    return make_polite_past(phrase)


def regret_before_noun(phrase: str) -> str:
    """The same before a noun: 「卵を入れてしまった(こと)」, 「見ていなかった(こと)」."""
    form = find_form(phrase)
    if form is Form.VERB:
        return f"{_make_te_of_regret(phrase)}しまった"
    if form in (Form.NEGATIVE, Form.ADJECTIVE):
        return f"{phrase.removesuffix('い')}かった"
    if form is Form.NOUN:
        return f"{phrase}だった"
    return f"{_make_te(phrase).removesuffix('て')}た" if phrase.endswith("いる") else f"{phrase.removesuffix('る')}った"


def before_noun(phrase: str) -> str:
    """As it stands before 「こと」: a noun phrase takes 「である」."""
    return f"{phrase}である" if find_form(phrase) is Form.NOUN else phrase


_MOMENTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(.*(?:とき|ころ|前|直前|直後|あと|後|間|あいだ|際))$"), r"\1"),
    (re.compile(r"^(.*まで)$"), r"\1のあいだ"),
    (re.compile(r"^(.*[うくぐすつぬぶむる])(?:判断|合図)$"), r"\1とき"),
    (re.compile(r"^(.+)の準備$"), r"\1を準備するとき"),
    (re.compile(r"^(.*準備)$"), r"\1をするとき"),
    (re.compile(r"^(.*間)の(.+)作り$"), r"\1に\2を作るとき"),
)


def say_moment(moment: str) -> str:
    """A moment as a time that takes に, は, の: 「裏返す判断」 → 「裏返すとき」, 「盛り付けの前」 stays.

    A 「まで」 becomes 「までのあいだ」, a noun that names an act becomes the act, any other noun gets 「のとき」.
    """
    for pattern, said in _MOMENTS:
        if pattern.match(moment):
            return pattern.sub(said, moment)
    return f"{moment}のとき"


_SENSES = (
    ("耳", re.compile(r"音|鳴|聴|聞|ジュッ|パチパチ|はぜ")),
    ("鼻", re.compile(r"匂|臭|香")),
    ("舌", re.compile(r"塩気|(?<!調)味(?!噌)|噛|かじ|なめ(?!らか)|含[みむ]|口に")),
    (
        "手",
        re.compile(
            r"かざ|触れ|押す|押し|弾力|包み越し|重み|へらが|手首|つまん|べたつ|ぬめり|熱気|温か|紙に|紙で|持ち上げ"
        ),
    ),
    ("目", re.compile(r"見え|色|光|つや|泡|ゆら|にじ|透|広が|並|表面|形|粒|跡|膜|煙|湯気|照り|水滴|ふち")),
)


def find_senses(phrase: str) -> tuple[str, ...]:
    """By which of 耳, 鼻, 舌, 手, 目 a cue is noticed; 目 where the words do not say."""
    return tuple(sense for sense, words in _SENSES if words.search(phrase)) or ("目",)


def drop_brackets(name: str) -> str:
    """A name as it is said: 「トマトパスタ（ポモドーロ）」 → 「トマトパスタ」."""
    return re.sub(r"（[^）]*）", "", name)


def split_into_sentences(text: str) -> tuple[str, ...]:
    """Sentences with their marks, so that joining them gives the text back."""
    return tuple(re.findall(r"[^。]+。?」?", text))


def _make_stem(phrase: str) -> str:
    """What stands before ます."""
    if phrase.endswith("する"):
        return f"{phrase.removesuffix('する')}し"
    if phrase.endswith(("てくる", "でくる", "がくる", "にくる", "と来る", "くる")) and not phrase.endswith("つくる"):
        return f"{phrase.removesuffix('くる')}き"
    if _is_ichidan(phrase):
        return phrase.removesuffix("る")
    return phrase[:-1] + _U_TO_I[phrase[-1]]


def _make_te(phrase: str) -> str:
    if phrase.endswith(("する", "くる")) or _is_ichidan(phrase):
        return f"{_make_stem(phrase)}て"
    if phrase.endswith(("いく", "行く")):
        return f"{phrase.removesuffix('く')}って"
    return phrase[:-1] + _GODAN_TE[phrase[-1]]


def _make_te_of_regret(phrase: str) -> str:
    """A phrase that is already one of regret (「冷ましてしまう」) is not doubled."""
    for suffix in ("てしまう", "でしまう"):
        if phrase.endswith(suffix):
            return phrase.removesuffix("しまう")
    return _make_te(phrase)


def _is_ichidan(phrase: str) -> bool:
    if not phrase.endswith("る") or len(phrase) < 2:
        return False
    before = phrase[-2]
    if before in _I_AND_E_ROWS:
        return True
    return before in _ICHIDAN_KANJI


def _negate_politely(phrase: str) -> str:
    """「残らない」 → 「残りません」, 「離れない」 → 「離れません」, 「水がない」 → 「水がありません」."""
    rest = phrase.removesuffix("ない")
    last = rest[-1:]
    if last in _I_AND_E_ROWS or last in _ICHIDAN_KANJI:
        return f"{rest}ません"
    if last in _A_TO_I and not re.search(r"[がはもは]$|[一-龯]では?$", rest):
        return f"{rest[:-1]}{_A_TO_I[last]}ません"
    return f"{rest}ありません"
