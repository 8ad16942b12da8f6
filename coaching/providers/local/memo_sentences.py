"""Takes a spoken memo apart: sentences without punctuation, what is asked, what is complained of, how it felt.

Recognisers leave out full stops, so sentences are also parted after です, ました, かな and their kin. The lexicons are
of what learners say of a cook, spoken forms included (〜ちゃった, べちゃっと).
"""

import re
import unicodedata

MAX_SENTENCE_CHARACTERS = 120
_SHORTEST_SENTENCE = 4

_MARKS = re.compile(r"[。．！!？?\n]+")
_TAIL = r"(?:ね|よ|けれども|けれど|けど|から|ので|のに|が|し|か)*"
_SPOKEN_END = re.compile(
    rf"(?:ませんでした|でした|ました|ません|でしょう|ましょう|です|ます|かな|かも){_TAIL}"
    r"(?!？|[ぁ-ん]?[、。]|[ねよかがしのでなもとはをに])"
)
_FILLERS = re.compile(
    r"^(?:えーと|えっと|えー|あのー?|その|まあ|なんか|うーん|んー|はい|で|あと|それで|それから)[、\s]*"
)

_INTERROGATIVE = (
    r"(?:なぜ|なんで|何で|どうして|どう(?:すれ|やっ|した)|どの(?:くらい|ぐらい|よう)|どれ(?:くらい|ぐらい)|いつ|何[がをで]|"
    r"どっち|どちら)"
)
_QUESTION = re.compile(
    r"(?:です|ます|でしょう|ません|ました|でした)か(?:ね|な)?$|(?:の|ん)?(?:かな|かなあ|かしら|でしょうか)$|"
    r"(?:いい|よかった|べき|正しい|合ってる|合っている)の(?:か|かな)?$|教えて(?:ください|ほしい)|知りたい"
)
_WONDER = re.compile(rf"{_INTERROGATIVE}.*(?:わから|分から|迷|悩|んだろう|のだろう|のか|ですか|いいの)")

_ONLY_ASKING = re.compile(r"^(?:教えて(?:ください|ほしい|もらえますか).*|どうですか|いいですか)$")

_COMPLAINT = re.compile(
    r"てしま|でしま|ちゃっ|じゃっ|ちゃい|すぎ|過ぎ|なくて|なかった|ません|足りな|少な|べちゃ|べちょ|びちゃ|ベチャ|水っぽ|"
    r"しゃばしゃば|ダマ|だま|塊|かたまり|焦げ|焦が|黒く|真っ黒|くっつ|へばり|こびりつ|張り付|貼り付|はが|剥が|破れ|割れ|"
    r"崩れ|くずれ|つぶれ|潰れ|固[くま]|硬|かた[くい]|生焼け|生っぽ|薄[かく]|薄まっ|ぼやけ|濃|しょっぱ|塩辛|苦[いくみ]|油っぽ|"
    r"脂っぽ|べたべた|ギトギト|分離|混ざらな|絡まな|濁|煙|はね|跳ね|パサパサ|ぱさ|くたくた|しなしな|ばらばら|バラバラ|"
    r"ばらつ|不揃い|失敗|うまくいか|うまくでき|上手く|難し|むずかし|心配|不安|気にな|迷|慌て|焦っ|忘れ|遅|間に合わ|弱かっ|"
    r"強かっ|強すぎ|酸っぱ|酸味が強|水が出|汁が.{0,5}出|炒り卵|残念|もう少し|いまいち|イマイチ|なのに|たのに|なくな"
)
_PRAISE = re.compile(
    r"(?:うまく|上手に|上手く|ちゃんと|きれいに)(?:でき|いき|焼け|巻け|作れ)(?:た|まし)|ちょうどよ|好評|大成功|ばっちり"
)

_FEELING_WORDS = {
    "frustrated": (
        "悔し くやし 残念 がっかり 失敗 うまくいか うまくでき(?:な|ま) だめだ ダメだ いらいら 悲し へこ ショック"
    ),
    "uncertain": (
        "不安 心配 自信がな 自信な わから 分から 迷 悩 怖 どきどき ドキドキ 緊張 難し むずかし たぶん かもしれ かな"
    ),
    "proud": (
        "嬉し うれし 美味し(?:か|い|く|そ) おいし(?:か|い|く|そ) うまくいっ うまくでき(?:た|まし) 上手にでき "
        "よくでき 成功 最高 好評 褒め ほめられ 楽し 満足 ばっちり"
    ),
    "tired": "疲れ つかれ しんど 大変でし 大変だっ くたくたで へとへと 眠",
    "curious": "知りたい 教えて 気になり なぜ どうして なんで 不思議 面白",
}
_FEELINGS = {feeling: re.compile("|".join(words.split())) for feeling, words in _FEELING_WORDS.items()}
_NOT_SO = re.compile(r"(?:嬉し|うれし|美味し|おいし|楽し|満足)(?:く(?:は|も)?な|でき(?:な|ま))")
_ENGAGED = re.compile(r"次[はこも]|今度|頑張|がんば|練習|試し|挑戦|覚え|工夫|気をつけ|もう一度|また作")


def split_memo(transcript: str) -> tuple[str, ...]:
    """The sentences of a transcript, cleaned of fillers and control characters, each at most 120 characters."""
    text = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFKC", transcript))
    text = _MARKS.sub(lambda match: "？\n" if "?" in match[0] else "\n", text)
    text = _SPOKEN_END.sub(lambda match: f"{match[0]}\n", text)
    sentences = []
    for line in text.splitlines():
        sentence = _FILLERS.sub("", line.strip(" 、,　")).strip(" 、,　")
        if len(sentence.rstrip("？")) >= _SHORTEST_SENTENCE:
            sentences.append(sentence[:MAX_SENTENCE_CHARACTERS])
    return tuple(sentences)


def is_question(sentence: str) -> bool:
    """By form only: a mark, a questioning end, or a question word that is wondered about."""
    plain = sentence.rstrip("？")
    if _ONLY_ASKING.match(plain):
        return False
    return plain != sentence or bool(_QUESTION.search(plain) or _WONDER.search(plain))


def is_complaint(sentence: str) -> bool:
    """Does the sentence tell of something that went wrong, or may have?"""
    return bool(_COMPLAINT.search(sentence)) and not _PRAISE.search(sentence)


def name_feeling(transcript: str, *, has_questions: bool, has_issues: bool) -> str:
    """A stable English slug for how the learner felt: "calm" where the words tell nothing."""
    counts = {feeling: len(words.findall(transcript)) for feeling, words in _FEELINGS.items()}
    unhappy = len(_NOT_SO.findall(transcript))
    counts["proud"] = max(0, counts["proud"] - unhappy)
    counts["frustrated"] += unhappy
    strongest = max(counts, key=lambda feeling: counts[feeling])
    if not counts[strongest]:
        return "curious" if has_questions else "reflective" if has_issues else "calm"
    if strongest == "uncertain" and (has_questions or _ENGAGED.search(transcript)):
        return "uncertain_but_engaged"
    if strongest == "frustrated" and _ENGAGED.search(transcript):
        return "frustrated_but_motivated"
    return strongest
