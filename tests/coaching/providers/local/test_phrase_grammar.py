"""The grammar of the coach's phrases, on every phrase that the knowledge has."""

import pyopenjtalk
import pytest

from coaching.knowledge.loader import read_catalogue
from coaching.providers.local.phrase_grammar import (
    Form,
    before_noun,
    drop_brackets,
    find_form,
    find_senses,
    make_polite,
    make_polite_past,
    regret,
    regret_before_noun,
    say_moment,
    split_into_sentences,
)
from coaching.rules import check_text

CATALOGUE = read_catalogue()
MISTAKES = sorted(
    {mistake.ja for principle in CATALOGUE.principles for mistake in principle.mistakes}
    | {point.typical_mistake_ja for dish in CATALOGUE.dishes for point in dish.key_points}
)
CUES = sorted(
    {text for dish in CATALOGUE.dishes for p in dish.key_points for text in (p.watch_for_ja, p.success_sign_ja)}
    | {text for p in CATALOGUE.principles for text in (p.cues_ja.sound, p.cues_ja.look, p.cues_ja.feel_or_smell)}
)
MOMENTS = sorted({point.moment_ja for dish in CATALOGUE.dishes for point in dish.key_points})


def find_last_verb(sentence: str) -> str:
    """The dictionary form of the last independent verb, as OpenJTalk's dictionary has it."""
    words = pyopenjtalk.run_frontend(sentence, use_vanilla=True)
    verbs = [word["orig"] for word in words if word["pos"] == "動詞"]
    return str(verbs[-1]) if verbs else ""


@pytest.mark.parametrize(
    ("phrase", "form", "polite"),
    [
        ("粒が軽く流れる", Form.VERB, "粒が軽く流れます"),
        ("肉汁が流れ出る", Form.VERB, "肉汁が流れ出ます"),
        ("繊維に沿って切る", Form.VERB, "繊維に沿って切ります"),
        ("仕上がりをよそう", Form.VERB, "仕上がりをよそいます"),
        ("色が変わっていく", Form.VERB, "色が変わっていきます"),
        ("元気な音が戻ってくる", Form.VERB, "元気な音が戻ってきます"),
        ("煙が出るまで熱する", Form.VERB, "煙が出るまで熱します"),
        ("ばらつきがある", Form.EXISTENCE, "ばらつきがあります"),
        ("まだ光っている", Form.STATE, "まだ光っています"),
        ("別に置いてある", Form.STATE, "別に置いてあります"),
        ("油が残らない", Form.NEGATIVE, "油が残りません"),
        ("音が途切れない", Form.NEGATIVE, "音が途切れません"),
        ("水が出ない", Form.NEGATIVE, "水が出ません"),
        ("焦げ臭くない", Form.NEGATIVE, "焦げ臭くありません"),
        ("すき間がない", Form.NEGATIVE, "すき間がありません"),
        ("汁が少ない", Form.ADJECTIVE, "汁が少ないです"),
        ("衣が軽い", Form.ADJECTIVE, "衣が軽いです"),
        ("まだ淡い色", Form.NOUN, "まだ淡い色です"),
        ("香ばしい匂い", Form.NOUN, "香ばしい匂いです"),
    ],
)
def test_each_form_is_told_apart_and_made_polite(phrase: str, form: Form, polite: str) -> None:
    assert find_form(phrase) is form
    assert make_polite(phrase) == polite


@pytest.mark.parametrize(
    ("mistake", "said", "named"),
    [
        ("温まる前に肉を入れる", "温まる前に肉を入れてしまいました", "温まる前に肉を入れてしまった"),
        ("そのまま焼く", "そのまま焼いてしまいました", "そのまま焼いてしまった"),
        ("香りが飛ぶ", "香りが飛んでしまいました", "香りが飛んでしまった"),
        ("肉を冷ましてしまう", "肉を冷ましてしまいました", "肉を冷ましてしまった"),
        ("ばらつきがある", "ばらつきがありました", "ばらつきがあった"),
        ("色を見ていない", "色を見ていませんでした", "色を見ていなかった"),
        ("余地がない", "余地がありませんでした", "余地がなかった"),
        ("火が強い", "火が強かったです", "火が強かった"),
    ],
)
def test_a_mistake_is_regretted_where_it_happened_and_stated_where_it_was_so(
    mistake: str, said: str, named: str
) -> None:
    assert regret(mistake) == said
    assert regret_before_noun(mistake) == named


def test_every_phrase_of_the_knowledge_becomes_a_polite_sentence() -> None:
    said = [say(phrase) for phrase in (*MISTAKES, *CUES) for say in (make_polite, make_polite_past)]
    assert [text for text in said if check_text(f"{text}。", field="part1", first_name="花子")] == []


def test_conjugation_keeps_the_verb_that_the_dictionary_reads() -> None:
    phrases = [phrase for phrase in (*MISTAKES, *CUES) if find_form(phrase) is Form.VERB]
    assert len(phrases) > 500
    changed = [phrase for phrase in phrases if find_last_verb(make_polite(phrase)) != find_last_verb(phrase)]
    # よそう it takes for 寄す, and of 熱する it knows two dictionary forms: the tables above have both.
    assert [phrase for phrase in changed if not phrase.endswith(("よそう", "熱する"))] == []


def test_every_moment_becomes_a_time() -> None:
    endings = ("とき", "ころ", "前", "直前", "直後", "あと", "間", "あいだ")
    assert [moment for moment in MOMENTS if not say_moment(moment).endswith(endings)] == []
    assert say_moment("裏返す判断") == "裏返すとき"
    assert say_moment("卵を入れてからご飯を入れるまで") == "卵を入れてからご飯を入れるまでのあいだ"
    assert say_moment("麺をゆでる湯の準備") == "麺をゆでる湯を準備するとき"
    assert say_moment("焼く準備") == "焼く準備をするとき"
    assert say_moment("仕上げ") == "仕上げのとき"


def test_a_noun_takes_its_copula_before_another_noun() -> None:
    assert before_noun("まだ淡い色") == "まだ淡い色である"
    assert before_noun("油が残らない") == "油が残らない"


def test_a_cue_names_the_senses_that_notice_it() -> None:
    assert find_senses("表面がゆらめく") == ("目",)
    assert find_senses("乾いたジュッという音がする") == ("耳",)
    assert find_senses("手をかざすと、はっきり熱気が届く") == ("手",)
    assert set(find_senses("湿った音が消え、鍋底に水が光っていない")) == {"耳", "目"}
    assert find_senses("なんとなくよい") == ("目",)


def test_small_things_of_spoken_text() -> None:
    assert drop_brackets("トマトパスタ（ポモドーロ）") == "トマトパスタ"
    assert split_into_sentences("一。「あと少し。」と二。三") == ("一。", "「あと少し。」", "と二。", "三")
