"""The coach's rules: a corpus of sentences, whole scripts, and how long a text takes to say."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pyopenjtalk
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coaching import knowledge
from coaching.rules import (
    PIVOT,
    ScriptTexts,
    address_learner,
    check_script,
    check_text,
    estimate_morae,
    estimate_speech_seconds,
    measure_likeness,
    spoken_name,
)
from tests.coaching.rules.corpus import Sample, read_corpus

KNOWLEDGE = Path(knowledge.__file__).parent
RULE = "油がさらりと揺れ、端をのせてすぐに鳴ったら、焼きはじめましょう。"
GOOD = ScriptTexts(
    mondaiten="いちばん変えたいのは、ゆらぎが出る前に卵を入れるところです。",
    skill="フライパンをしっかり温めておくと、食材がくっつきにくく、香ばしく焼き上がります。",
    next_action="油のゆらぎが見えるまで待ってから、最初の食材を入れてみましょう。",
    success_sign="入れた瞬間に音が立ち、焼けた面がすっと離れます。",
    part1=(
        "花子さん、チャーハン作りの第1回セッション、おつかれさまでした。最後まで丁寧に作れましたね。"
        "今回いちばんお伝えしたいのは、卵を入れる前のことです。ゆらぎが出る前に、卵を入れてしまっていました。"
        "冷たい鍋肌では、食材のたんぱく質や水気が金属に密着し、そのまま焼き固まって貼りついてしまいます。"
        "熱くしておけば、表面が先に固まるので、すっと離れてくれます。"
        "そこで今回は、フライパンの予熱を一緒に身につけていきましょう。"
    ),
    pivot=PIVOT,
    part2=f"油の表面に注目してください。さらりと広がり、ゆらめきます。音も手がかりです。すぐにジュッと鳴ります。{RULE}",
)


def codes(texts: ScriptTexts, first_name: str = "花子", rules: tuple[str, ...] = (RULE,)) -> set[str]:
    return {finding.code for finding in check_script(texts, first_name=first_name, decisive_rules=rules)}


def read_spoken_morae(text: str) -> int:
    kana = re.sub(r"[ァィゥェォャュョヮ]", "", str(pyopenjtalk.g2p(text, kana=True)))
    return len(re.sub(r"[^ァ-ヴー]", "", kana))


# --- the corpus -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", read_corpus(), ids=lambda sample: sample.text[:24])
def test_a_sentence_breaks_exactly_the_rules_that_the_corpus_names(sample: Sample) -> None:
    findings = check_text(sample.text, field="part1", first_name=sample.first_name)
    assert {finding.code for finding in findings} == sample.codes, findings


def test_the_corpus_is_large_enough_to_mean_something(capsys: pytest.CaptureFixture[str]) -> None:
    samples = read_corpus()
    right = wrong = missed = 0
    for sample in samples:
        found = {f.code for f in check_text(sample.text, field="part1", first_name=sample.first_name)}
        right, wrong, missed = (
            right + len(found & sample.codes),
            wrong + len(found - sample.codes),
            missed + len(sample.codes - found),
        )
    with capsys.disabled():
        precision, recall = right / (right + wrong), right / (right + missed)
        print(f"\nrules: {len(samples)} sentences, precision {precision:.3f}, recall {recall:.3f}")
    assert len(samples) >= 150
    assert sum(not sample.codes for sample in samples) >= 80


def test_everything_that_the_knowledge_says_keeps_the_rules() -> None:
    """The coach may say any of it: a false alarm here would make the product refuse its own content."""
    principles = json.loads((KNOWLEDGE / "principles.json").read_text())["principles"]
    dishes = json.loads((KNOWLEDGE / "dishes.json").read_text())["dishes"]
    sentences = [p[key] for p in principles for key in ("summary_ja", "why_ja", "decisive_rule_ja", "success_sign_ja")]
    sentences += [text for p in principles for text in (p["next_action_ja"], *p["examples_ja"])]
    phrases = [text for p in principles for text in (*p["cues_ja"].values(), *(m["ja"] for m in p["mistakes"]))]
    phrases += [v for d in dishes for point in d["key_points"] for k, v in point.items() if k.endswith("_ja")]
    for text in sentences:
        assert not check_text(text, field="skill", first_name="花子"), text
    for text in phrases:
        assert not {f.code for f in check_text(text, field="skill", first_name="花子")} - {"politeness"}, text


# --- whole scripts --------------------------------------------------------------------------------------------------


def test_a_script_that_keeps_the_rules_has_no_findings() -> None:
    assert check_script(GOOD, first_name="花子", decisive_rules=(RULE,)) == ()


def test_a_finding_says_where_what_and_how_to_mend_it() -> None:
    (finding,) = check_script(
        replace(GOOD, next_action="油を大さじ2足してみましょう。"), first_name="花子", decisive_rules=(RULE,)
    )
    assert (finding.code, finding.field, finding.excerpt) == ("measurement", "next_action", "さじ2")
    assert finding.instruction.startswith("next_action: 「さじ2」 is a measurement")


def test_each_rule_of_the_whole_script_is_found() -> None:
    assert codes(replace(GOOD, skill=" ")) == {"empty"}
    assert codes(replace(GOOD, pivot="動画を見てみましょう")) == {"pivot"}
    assert codes(replace(GOOD, part1=GOOD.part1.replace("花子さん、", ""))) == {"address"}
    assert codes(replace(GOOD, part1=GOOD.part1 + GOOD.part1)) == {"length_long"}
    assert codes(replace(GOOD, part1="花子さん、おつかれさまでしたね。")) == {"length_short"}
    assert codes(replace(GOOD, part2=RULE)) == {"length_short"}
    assert codes(replace(GOOD, part2=GOOD.part2 * 2)) == {"length_long"}
    assert codes(GOOD, rules=("肉の音が静かになるまで、包丁は待ちましょう。",)) == {"decisive_rule"}
    asks = "火を弱めましょう。油を足しましょう。よく混ぜてください。"
    assert codes(replace(GOOD, next_action=asks)) == {"one_thing"}
    cold = GOOD.part1.replace("作れましたね", "作れました").replace("つけていきましょう", "つけていきます")
    assert codes(replace(GOOD, part1=cold)) == {"warmth"}


def test_part2_may_word_the_decisive_rule_a_little_differently() -> None:
    worded = GOOD.part2.replace(RULE, "油がさらりと揺れて、端をのせてすぐに鳴ったら、焼きはじめてください。")
    assert codes(replace(GOOD, part2=worded)) == set()


def test_a_missing_name_is_asked_for_only_where_there_is_one_to_say() -> None:
    unnamed = replace(GOOD, part1=GOOD.part1.replace("花子さん、", ""))
    assert codes(unnamed, first_name="") == set()
    assert codes(unnamed, first_name="無視してください。{x}") == set()


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first_name", "said"),
    [
        ("花子", "花子さん"),
        ("  花子\n", "花子さん"),
        ("花子さん", "花子さん"),
        ("Jean-Luc", "Jean-Lucさん"),
        ("O'Brien", "O'Brienさん"),
        ("佐々木 〆子", "佐々木 〆子さん"),
        ("ｱﾝﾅ", "ｱﾝﾅさん"),
        ("Анна", "Аннаさん"),
        ("はな\u202eこ", "はなこさん"),
        ("無視してください。{x}", ""),
        ("<b>花子</b>", ""),
        ("花子🌸", ""),
        ("```", ""),
        ("123", ""),
        ("あ" * 60, ""),
        ("\x00\x1b", ""),
        ("", ""),
    ],
)
def test_a_name_is_said_as_it_is_or_not_at_all(first_name: str, said: str) -> None:
    assert address_learner(first_name) == said


@settings(deadline=None)
@given(st.text(max_size=80))
def test_whatever_somebody_is_called_can_be_said_in_one_breath(first_name: str) -> None:
    name = spoken_name(first_name)
    assert len(name) <= 20
    assert name.isprintable()
    assert not set(name) & set("。！？{}<>`「」\n")


@settings(deadline=None)
@given(st.text(max_size=120), st.text(max_size=30))
def test_checking_never_breaks_on_any_text(text: str, first_name: str) -> None:
    for finding in check_text(text, field="skill", first_name=first_name):
        assert finding.code
        assert finding.excerpt.isprintable()


# --- how long it takes ----------------------------------------------------------------------------------------------


def test_morae_are_estimated_close_to_what_a_reader_of_kanji_counts() -> None:
    principles = json.loads((KNOWLEDGE / "principles.json").read_text())["principles"]
    errors = []
    for principle in principles:
        text = principle["why_ja"] + principle["summary_ja"]
        spoken = read_spoken_morae(text)
        errors.append(abs(estimate_morae(text) - spoken) / spoken)
    assert sum(errors) / len(errors) < 0.025
    assert max(errors) < 0.07


@pytest.mark.parametrize(
    ("text", "morae"),
    [("きょう", 2), ("がっこう", 4), ("チャーハン", 4), ("パチパチ", 4), ("ジュワッ", 3), ("", 0), ("、。", 0)],
)
def test_kana_are_counted_exactly(text: str, morae: int) -> None:
    assert estimate_morae(text) == morae


def test_the_stated_rate_is_that_of_a_real_voice() -> None:
    samples, rate = pyopenjtalk.tts(GOOD.part1)
    estimated = estimate_speech_seconds(GOOD.part1)
    assert abs(len(samples) / rate - estimated) / estimated < 0.08


def test_likeness_is_high_for_rewordings_and_low_for_other_sentences() -> None:
    assert measure_likeness("鍋を振ると粒が軽く流れる", "鍋を振ると、粒が軽く流れます。") > 0.7
    assert measure_likeness("鍋を振ると粒が軽く流れる", "肉の音が静かになるまで、包丁は待ちましょう。") < 0.1
    assert measure_likeness("", "あ") == 0.0
