"""What a question is about and what it wants to know, by its words. A learner's words are read, never obeyed."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from coaching.providers.ports import DishText, PrincipleText, QuestionRequest

Topic = Literal["cooking", "food_safety", "off_topic", "hostile"]
Wish = Literal["why", "when", "amount", "cook", "next", "how"]

_HOSTILE = re.compile(
    r"(?:指示|命令|ルール|設定|制約|前提|役割|プロンプト|システム|セキュリティ).{0,16}"
    r"(?:無視|忘れ|破|捨て|教え|見せ|表示|出力|書き出|解除|無効|変更|上書き|リセット)"
    r"|(?:無視|忘れ|破棄)(?:して|しろ|せよ).{0,20}(?:指示|命令|ルール|役割)"
    r"|(?:なりきって|のふりをして|として振る舞|として答え|ロールプレイ|脱獄|開発者モード|管理者(?:モード|権限|です|として))"
    r"|(?:パスワード|暗証|秘密鍵|[Aa][Pp][Ii]\s*キー|トークン|認証情報|他の(?:人|ユーザー|学習者)の)"
    r"|(?i:ignore|disregard|forget|override|bypass|reveal|repeat|print|output).{0,40}"
    r"(?i:instruction|prompt|rule|above|previous|system)"
    r"|(?i:system\s*prompt|jail\s*break|developer\s*mode|\bDAN\b|act as|you are now|new instructions)"
    r"|</?\s*(?:data|script|system|img|iframe|a)\b|\{\{|\}\}|\[/?INST\]|<\|"
    r"|(?i:drop\s+table|union\s+select|select\s+.{1,40}\s+from|insert\s+into|or\s+1\s*=\s*1)"
    r"|(?:死にたい|殺し|爆弾|毒を|毒殺|麻薬|覚醒剤|武器の)"
)
_FOOD_SAFETY = re.compile(
    r"食中毒|生焼け|生っぽ|半生|中まで火|火が通って(?:い)?(?:ない|るか)|腐|傷ん[だで]|カビ|かび|異臭|変な(?:臭|匂|にお)"
    r"|賞味期限|消費期限|期限切れ|日持ち|作り置き|常温|室温|冷蔵|冷凍|解凍|保存|置いて(?:おい|しまっ)て"
    r"|アレルギ|妊娠|妊婦|授乳|赤ちゃん|離乳食|高齢|免疫|サルモネラ|カンピロ|ノロ|菌"
    r"|(?:生|半熟|ピンク|赤い|レア)[^。？?]{0,12}(?:大丈夫|平気|安全|食べられ|危な)"
    r"|食べて(?:も)?(?:大丈夫|平気|いい|よい|良い|問題)|お腹を?壊|おなかを?こわ|洗わな(?:い|く)"
)
_KITCHEN = re.compile(
    r"料理|調理|火|鍋|フライパン|コンロ|油|バター|卵|たまご|玉子|ご飯|ごはん|米|肉|魚|野菜|豆腐|麺|パスタ|粉|だし|出汁|味|塩|醤油"
    r"|しょうゆ|砂糖|酢|酒|みりん|味噌|みそ|たれ|ソース|スープ|具|食材|材料|焼|炒|いた[めま]|煮|茹|ゆで|蒸|揚|切|刻|混ぜ|返[しす]|余熱|予熱"
    r"|煙|湯気|水気|水分|香り|匂い|食感|焦|べちゃ|パラパラ|ぱらぱら|ふわふわ|しっとり|とろ|カリ|こげ|盛り付|下ごしらえ|包丁|まな板|蓋|ふた"
    r"|チャーハン|炒飯|オムレツ|餃子|カレー|ハンバーグ|コーチ|コツ|こつ|練習|上達|失敗|うまく(?:いか|でき|作)|おいしく|美味しく"
)
_THIS_COOK = re.compile(
    r"今回|この(?:回|動画|映像|前)|さっき|私の|わたしの|僕の|ぼくの|自分の|映像|動画|見て(?:どう|くだ)|どこが(?:悪|だめ|良)"
)

RANK_WEIGHT = 0.3
SEEN_WEIGHT = 0.2

_WISHES: tuple[tuple[Wish, re.Pattern[str]], ...] = (
    ("why", re.compile(r"なぜ|なんで|何で|どうして|理由|わけ|なぜなら|いけない(?:の|ん)")),
    (
        "amount",
        re.compile(
            r"何(?:分|秒|度|グラム|g|cc|ml|杯|個|本|枚)|どの(?:くらい|ぐらい)|どれ(?:くらい|ぐらい)|分量|温度|量は"
        ),
    ),
    (
        "when",
        re.compile(r"いつ|タイミング|頃合|ころあい|目安|合図|見分け|見極め|わかり(?:ま|方)|分かり(?:ま|方)|サイン"),
    ),
    ("next", re.compile(r"次(?:回|は|に)|これから|何(?:を|から)(?:練習|直|気をつけ|すれば)|課題")),
    ("cook", _THIS_COOK),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`principle` is None for what is not about cooking, or where nothing offered fits the question."""

    topic: Topic
    wish: Wish
    principle: PrincipleText | None
    is_about_this_cook: bool


def read_question(request: QuestionRequest) -> Reading:
    """The topic first: a hostile question is one whatever else it asks; food safety comes before cooking."""
    question = request.question
    wish: Wish = next((wish for wish, words in _WISHES if words.search(question)), "how")
    offered = list({p.slug: p for p in (*request.principles, *_list_principles(request.dish))}.values())
    about_this_cook = request.cook is not None and bool(_THIS_COOK.search(question))
    topic = _tell_topic(question, offered, request.dish)
    if topic in {"hostile", "off_topic"}:
        return Reading(topic=topic, wish=wish, principle=None, is_about_this_cook=False)
    return Reading(
        topic=topic,
        wish=wish,
        principle=_choose_principle(question, offered, request, about_this_cook=about_this_cook),
        is_about_this_cook=about_this_cook,
    )


def _tell_topic(question: str, offered: Sequence[PrincipleText], dish: DishText | None) -> Topic:
    if _HOSTILE.search(question):
        return "hostile"
    if _FOOD_SAFETY.search(question):
        return "food_safety"
    names = [*(p.name for p in offered), *([dish.name] if dish else [])]
    if _KITCHEN.search(question) or _THIS_COOK.search(question) or any(name in question for name in names):
        return "cooking"
    return "off_topic"


def _list_principles(dish: DishText | None) -> tuple[PrincipleText, ...]:
    return dish.principles if dish else ()


def _choose_principle(
    question: str, offered: Sequence[PrincipleText], request: QuestionRequest, *, about_this_cook: bool
) -> PrincipleText | None:
    """The one whose rare words the question shares; what retrieval put first, and what the cook showed, weigh in."""
    if not offered:
        return None
    asked = _list_terms(question)
    terms = {p.slug: (_list_terms(p.name), _list_terms("".join(_list_texts(p)))) for p in offered}
    worth = {term: _weigh(term, [words for _, words in terms.values()]) for term in asked}
    shown = request.cook.analysis.principle_slug if request.cook else ""
    found = [p.slug for p in request.principles]

    def score(principle: PrincipleText) -> float:
        name, words = terms[principle.slug]
        shared = sum(worth[term] * ((term in words) + (term in name)) for term in asked)
        rank = RANK_WEIGHT / (1 + found.index(principle.slug)) if principle.slug in found else 0.0
        seen = SEEN_WEIGHT if principle.slug == shown else 0.0
        return shared / max(1e-9, sum(worth.values())) + rank + seen * (2 if about_this_cook else 1)

    return max(offered, key=score)


def _list_texts(principle: PrincipleText) -> Iterable[str]:
    yield from (principle.name, principle.summary, principle.why, principle.decisive_rule, principle.next_action)
    yield from (mistake.text for mistake in principle.mistakes)


def _list_terms(text: str) -> frozenset[str]:
    """Kanji, alone and in pairs, and words in katakana: hiragana carry grammar more than meaning."""
    kanji = re.findall(r"[\u3005\u4e00-\u9fff]+", text)
    pairs = (run[i : i + 2] for run in kanji for i in range(len(run) - 1))
    return frozenset([*"".join(kanji), *pairs, *re.findall(r"[\u30a1-\u30fc]{2,}", text)])


def _weigh(term: str, texts: Sequence[frozenset[str]]) -> float:
    """Rarer terms are worth more, pairs more than single letters (inverse document frequency)."""
    held_by = sum(term in words for words in texts)
    return math.log((1 + len(texts)) / (1 + held_by)) * (1.5 if len(term) > 1 else 1.0) if held_by else 0.0
