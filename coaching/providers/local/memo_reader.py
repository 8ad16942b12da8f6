"""Reads a voice memo: which mistakes of the dish it tells of, what it asks, how it felt.

Issues are found by likeness of meaning (sentence vectors) hedged with shared words, both within the mistakes of this
dish: vectors' scores rank and do not judge by themselves. Only a sentence that complains is matched at all, and one
that stands out from the other mistakes of the dish counts. Learners say 「べちゃっとした」 where principles say
「水気が残る」: a small lexicon puts the principle's words beside the spoken ones.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping

import numpy as np

from coaching.providers.deadline import Deadline
from coaching.providers.local.memo_sentences import is_complaint, is_question, name_feeling, split_memo
from coaching.providers.local.sentence_vectors import Matrix, SentenceVectors
from coaching.providers.ports import DishText, MemoRequest, MemoUnderstanding, Usage

MODEL = "signal-coach"
PROMPT_VERSION = "offline-1"
MOST_ISSUES = 3
MOST_QUESTIONS = 3
MOST_SENTENCES = 40  # three minutes of speech hold fewer

# In standard deviations over the dish's mistakes: of 60 labelled complaints 53 have an accepted mistake on top and
# above this, 6 another one.
STANDS_OUT = 2.1
WEIGHT_OF_WORDS = 0.8

_SPOKEN_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(spoken), written)
    for spoken, written in (
        (r"べちゃ|べちょ|びちゃ|ベチャ|水っぽ|しゃばしゃば|水浸し", "水っぽい、水気が残る"),
        (r"だま|ダマ|かたまり", "塊がほぐれない"),
        (r"くっつ|へばり|こびりつ|張り付|貼り付", "鍋にはりつく"),
        (r"真っ黒|黒く|焦げ", "黒く焦げる"),
        (r"ひっくり返", "裏返す"),
        (r"炒り卵|ぼろぼろ|スクランブル", "ぽろぽろになる"),
        (r"崩れ|くずれ|ぐずぐず", "具がくずれる"),
        (r"パサパサ|ぱさぱさ|固く|硬[くいか]|かたい|固い", "固く締まる、噛み切りにくい"),
        (r"バラバラ|ばらばら|不揃い", "大きさにばらつきがある"),
        (r"弱かった|弱火", "弱火のまま進める"),
        (r"強かった|強すぎ", "強火のままにする"),
        (r"薄[くいか]|ぼやけ|味がしな", "味がぼやける"),
        (r"しょっぱ|塩辛|濃すぎ", "塩を足す"),
        (r"破れ|やぶれ|剥が|はが|割れ", "皮が破れる、はがれる"),
        (r"くたくた|しなしな|べしゃ", "蒸れてくたくたになる"),
        (r"油っぽ|脂っぽ|ギトギト|べたべた", "油が余ってたまる"),
        (r"混ざらな|分離", "油が分離する"),
        (r"慌て|バタバタ|ばたばた|間に合わ", "慌てて探す"),
        (r"濁", "汁が濁る"),
        (r"煙", "煙が出る"),
        (r"つぶれ|潰れ", "押しつけてつぶす"),
    )
)
_NO_LETTERS = re.compile(r"\W")


def understand_memo(request: MemoRequest, *, vectors: SentenceVectors) -> MemoUnderstanding:
    """Never all empty where something was said: at the least there is a feeling. Raises as `SentenceVectors` does."""
    deadline = Deadline(request.deadline_seconds, doing="reading the memo")
    sentences = split_memo(request.transcript)[:MOST_SENTENCES]
    questions = tuple(sentence.rstrip("？") for sentence in sentences if is_question(sentence))[:MOST_QUESTIONS]
    complaints = [sentence for sentence in sentences if is_complaint(sentence)]
    issues = _find_issues(complaints, request.dish, vectors, deadline) if complaints else ()
    feeling = ""
    if request.transcript.strip():
        feeling = name_feeling(request.transcript, has_questions=bool(questions), has_issues=bool(issues))
    return MemoUnderstanding(
        identified_issues=issues,
        questions=questions,
        emotional_state=feeling,
        usage=Usage(provider="local", model=MODEL, prompt_version=PROMPT_VERSION, characters=len(request.transcript)),
    )


def _find_issues(
    complaints: list[str], dish: DishText, vectors: SentenceVectors, deadline: Deadline
) -> tuple[str, ...]:
    texts = _list_mistake_texts(dish)
    if not texts:
        return ()
    owners = [slug for slug, mistake_texts in texts.items() for _ in mistake_texts]
    matrix, _ = vectors.embed_all([text for mistake_texts in texts.values() for text in mistake_texts], deadline)
    found: dict[str, float] = {}
    for complaint in complaints:
        spoken = _add_written_words(complaint)
        meaning = _rank_by_meaning(owners, matrix @ vectors.embed(spoken, deadline))
        words = _rank_by_words(texts, spoken)
        scores = {slug: meaning[slug] + WEIGHT_OF_WORDS * words[slug] for slug in texts}
        best = max(scores, key=lambda slug: scores[slug])
        if scores[best] >= STANDS_OUT:
            found[best] = max(found.get(best, 0.0), scores[best])
    return tuple(sorted(found, key=lambda slug: -found[slug])[:MOST_ISSUES])


def _list_mistake_texts(dish: DishText) -> dict[str, list[str]]:
    """Each mistake in the principle's words and in those of the dish."""
    return {
        mistake.slug: [
            mistake.text,
            *(point.typical_mistake for point in dish.key_points if point.mistake_slug == mistake.slug),
        ]
        for principle in dish.principles
        for mistake in principle.mistakes
    }


def _add_written_words(sentence: str) -> str:
    written = [words for spoken, words in _SPOKEN_WORDS if spoken.search(sentence)]
    return "。".join([sentence, *written])


def _rank_by_meaning(owners: list[str], likeness: Matrix) -> dict[str, float]:
    best: dict[str, float] = {}
    for slug, score in zip(owners, likeness.tolist(), strict=True):
        best[slug] = max(best.get(slug, -1.0), score)
    return _standardise(best)


def _rank_by_words(texts: Mapping[str, list[str]], sentence: str) -> dict[str, float]:
    """Shared pairs of characters, rare ones counting more."""
    pairs = {slug: {pair for text in mistake_texts for pair in _pair(text)} for slug, mistake_texts in texts.items()}
    frequency = Counter(pair for known in pairs.values() for pair in known)
    spoken = set(_pair(sentence))
    return _standardise(
        {
            slug: sum(math.log(1 + len(pairs) / frequency[pair]) for pair in sorted(spoken & known))
            / math.sqrt(5 + len(known))
            for slug, known in pairs.items()
        }
    )


def _pair(text: str) -> list[str]:
    plain = _NO_LETTERS.sub("", text)
    return [plain[i : i + 2] for i in range(len(plain) - 1)]


def _standardise(scores: Mapping[str, float]) -> dict[str, float]:
    values = np.array(list(scores.values()))
    spread = float(values.std()) or 1.0
    return {slug: (score - float(values.mean())) / spread for slug, score in scores.items()}
