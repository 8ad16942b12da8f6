"""Plain, warm Japanese: one script, no decoration, every sentence in です・ます."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from coaching.rules.address import MASK

_LINK = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.\w+|[A-Za-z0-9-]+\.(?:com|net|org|jp|io|app|dev|me|ly)(?![A-Za-z])",
    re.IGNORECASE,
)
# Words of an answer that speaks of itself, of its orders or of business, not of the cook: a prompt that leaked, an
# injected order that was obeyed.
_OFF_TOPIC = re.compile(
    r"プロンプト|システムメッセージ|言語モデル|人工知能|生成された文章|(?:前|上|上記|以前|これまで|以下|内部|秘密)の(?:指示|命令|指令|ルール)"
    r"|(?:指示|命令|規則|ルール|制約)[はがをにも]?(?:無視|解除|忘れ|上書き|従)|(?:指示|命令)(?:どおり|通り)|与えられた指示|指示[をは](?:すべて|全て|書き)|指示文|指示内容|(?:この|本)回答|役割を(?:演じ|変更)|開発者モード|脱獄"
    r"|(?:ユーザー|アシスタント|システム|モデル)\s*[:：]|アシスタントとして|スキーマ|ハッシュ|トークン|パスワード|管理者(?:権限|として|モード)"
    r"|クリック|ダウンロード|インストール|フォローして|チャンネル登録|友だち追加|口座|振り込|クレジットカード|割引コード|購入して|ご購入|課金|申し込み"
)
# The notes on food safety are official texts, shown apart; of its own the coach says nothing that endangers.
_UNSAFE = re.compile(
    r"(?:生|生焼け|半生|赤い|ピンク色?)の?まま(?:で|でも)?(?:食べ|召し上が|盛り付けて(?:も|大丈夫)|大丈夫|問題)"
    r"|半生[^。]{0,8}(?:おいし|美味し|大丈夫|食べ)|床に落ち[^。]{0,14}食べられ"
    r"|(?:洗わ|消さ|加熱し|火を通さ)なくても?(?:大丈夫|平気|問題|構い|かまい|食べ)"
    r"|(?:火|炎|油|煙)[^。]{0,12}水をかけ(?:て(?!は|し)|ましょう|れば)|(?:火|油)をつけたまま[^。]{0,8}離れて(?:も|みて)"
)
_MARKDOWN = re.compile(
    r"\*\*|__|`|~~|\]\(|<[/a-z]|^\s*(?:#{1,6}\s|[-*+・]\s?(?=\S)|>\s)|[|｜]|\{\{|[{\[]\s*['\"]", re.MULTILINE
)
_LATIN = re.compile(r"(?<![\d°A-Za-z])[A-Za-z\u00c0-\u024f]+(?:[ '-]+[A-Za-z\u00c0-\u024f]+)*")
_JAPANESE = re.compile(
    r"[\u3041-\u3096\u309d\u309e\u30a1-\u30fa\u30fc-\u30fe々〆〇、。，．！？!?「」『』（）()【】〈〉・：:；;…‥—―–ー〜～＝=/"
    r" \n\u3000\u201c\u201d'\"\d,.%％°℃&+\-*#_`~<>|\[\]\\]"
)
# Everyday kanji that JIS X 0208, and so the codec below, does not have.
_LATER_KANJI = frozenset("𠮟塡剝頰俱噓繫瘦蟬")

_OPENERS, _CLOSERS = "「『（(", "」』）)"
_POLITE_END = re.compile(
    r"(?:です|ます|ました|ません|でした|ましょう|でしょう|ください|下さい|ませんか|ございます)"
    r"(?:か|が|から|けれど|けれども|けど|し|とも|ので)?(?:ね|よ|よね)?$"
)
_SHORT_CALL = re.compile(
    r"(?:^|、)(?:はい|さあ|さて|では|よし|ええ|こんにちは|こんばんは|おはよう|はじめまして|ようこそ)$"
)
_WARM_END = re.compile(
    r"(?:(?:ましょう|ください|ませんか|ましょうか)(?:ね|よ)?|(?:です|ます|でした|ました|ません|でしょう)(?:ね|よ|よね))$"
)
_HARSH = re.compile(
    r"失敗作|大失敗|失格|最悪|最低で|下手|ひどい(?=出来|結果|味|です)|駄目|だめ(?:です|でし|な)|ダメ|ありえません|台無し|がっかり|論外|才能が(?:ない|ありません)|まずいです|まずかった"
)


def find_links(text: str) -> Iterator[str]:
    """Addresses of any width."""
    yield from (match[0] for match in _LINK.finditer(unicodedata.normalize("NFKC", text)))


def find_off_topic_words(text: str) -> Iterator[str]:
    yield from (match[0] for match in _OFF_TOPIC.finditer(text))


def find_unsafe_advice(text: str) -> Iterator[str]:
    yield from (match[0] for match in _UNSAFE.finditer(text))


def find_markdown(text: str) -> Iterator[str]:
    yield from (match[0].strip() for match in _MARKDOWN.finditer(text))


def find_latin_words(text: str) -> Iterator[str]:
    """Runs of Latin letters of any width; the learner's address is masked before."""
    yield from (match[0] for match in _LATIN.finditer(unicodedata.normalize("NFKC", text)))


def find_foreign_characters(text: str) -> Iterator[tuple[str, str]]:
    """(code, character): "script" for letters of other languages, "emoji" for pictures and ornaments, "control"."""
    seen = set()
    for character in unicodedata.normalize("NFC", text):
        if character in seen or character == MASK or _JAPANESE.match(character):
            continue
        seen.add(character)
        kind = unicodedata.category(character)[0]
        if kind == "L":
            if not _is_japanese_letter(character):
                yield "script", character
        elif kind in "CZ":
            yield "control", character
        elif unicodedata.normalize("NFKC", character)[0].isalnum():
            continue  # ① and ㎝: the measurements' business
        else:
            yield "emoji", character


def _is_japanese_letter(character: str) -> bool:
    """Kanji that Japan's own character set knows: 锅 and 热 are not among them. Latin has a finding of its own."""
    if _LATIN.match(unicodedata.normalize("NFKC", character)) or character in _LATER_KANJI:
        return True
    if "\uff61" <= character <= "\uff9f":  # half-width katakana and its marks
        return True
    try:
        encoded = character.encode("shift_jis")
    except UnicodeEncodeError:
        return False
    return "CJK" in unicodedata.name(character, "") and len(encoded) == 2


def has_no_kana(text: str) -> bool:
    """A text of some length without any kana is not Japanese, whatever its characters are."""
    return len(text) >= 6 and not re.search(r"[ぁ-ゖァ-ヺ]", text)


def split_sentences(text: str) -> list[str]:
    """Sentences without their final marks; a mark inside quotes, or before the と that quotes, ends nothing."""
    sentences, current, depth = [], "", 0
    for character, following in pairwise(text + "\n"):
        depth = max(0, depth + (character in _OPENERS) - (character in _CLOSERS))
        if character == "\n" or (depth == 0 and _ends_sentence(character, following)):
            sentences.append(current.strip())
            current = ""
        else:
            current += character
    sentences.append(current.strip())
    return [sentence for sentence in sentences if sentence]


def _ends_sentence(mark: str, following: str) -> bool:
    return mark == "。" or (mark in "！？!?" and following not in "と、")


def find_plain_endings(text: str) -> Iterator[str]:
    """The ends of sentences that are not in です・ます."""
    for sentence in split_sentences(text):
        if not (is_polite(sentence) or _SHORT_CALL.search(sentence) or has_no_kana(sentence)):
            yield sentence[-12:]


def is_polite(sentence: str) -> bool:
    return bool(_POLITE_END.search(re.sub(r"[\Wー]+$", "", sentence)))


def has_warm_ending(text: str) -> bool:
    """Does any sentence end in ましょう, ください, ですね, ますよ or the like?"""
    return any(_WARM_END.search(sentence) for sentence in split_sentences(text))


def find_harsh_words(text: str) -> Iterator[str]:
    yield from (match[0] for match in _HARSH.finditer(text))
