"""Captions break where a reader would and come when the words are spoken."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyopenjtalk
import pytest
from scipy.io import wavfile

from media_tools.captions import make_captions
from media_tools.ffmpeg import read_output
from media_tools.japanese_lines import break_lines, measure_em, split_sentences
from media_tools.narration import Loudness, Pause, Speech, join_speech, measure_speech
from media_tools.speech_timing import SpokenText, count_morae
from media_tools.webvtt import Cue, format_webvtt, write_webvtt

TEXT = (
    "花子さん、今回はチャーハン作りの第1回セッションです。ご飯を炒める音が、とても元気でしたね。"
    "今回いちばん大切なのは、卵が半熟のうちにご飯を入れることです。"
    "卵が固まりきってしまうと、ご飯と卵がなじまず、ばらばらになってしまいます。"
)


def make_speech(duration_seconds: float, pauses: Sequence[tuple[float, float]], *, is_silent: bool = False) -> Speech:
    level = None if is_silent else -16.0
    return Speech(
        duration_seconds=duration_seconds,
        loudness=Loudness(integrated_lufs=level, true_peak_dbfs=level),
        pauses=tuple(Pause(start, end) for start, end in pauses),
    )


def speak(path: Path, text: str) -> Path:
    samples, rate_hz = pyopenjtalk.tts(text)
    wavfile.write(path, int(rate_hz), samples.astype(np.int16))
    return path


# Lines


@pytest.mark.parametrize("max_em", [8, 12, 20])
def test_lines_keep_the_text_and_the_width_and_never_begin_with_a_mark(max_em: int) -> None:
    lines = break_lines(TEXT, max_em)
    assert "".join(lines) == TEXT
    assert all(measure_em(line) <= max_em for line in lines)
    assert not any(line[0] in "、。っゃゅょー」）" for line in lines)


def test_lines_end_between_phrases() -> None:
    assert break_lines("油を今の倍くらい入れて、卵が固まりきる前にご飯を入れてみましょう", 20) == [
        "油を今の倍くらい入れて、",
        "卵が固まりきる前にご飯を入れてみましょう",
    ]


def test_a_demonstrative_stays_with_its_noun() -> None:
    for max_em in range(8, 20):
        lines = break_lines("動画を使ってそのポイントを見てみましょう。", max_em)
        assert not any(line.endswith("その") for line in lines)


def test_foreign_words_and_numbers_stay_whole() -> None:
    lines = break_lines("Alexandraさん、今回は第12回です。", 8)
    assert "".join(lines) == "Alexandraさん、今回は第12回です。"
    assert any("Alexandra" in line for line in lines)
    assert any("12" in line for line in lines)


def test_a_word_longer_than_a_line_is_cut() -> None:
    assert [len(line) for line in break_lines("あ" * 25, 10)] == [10, 10, 5]


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_gives_no_lines(text: str) -> None:
    assert break_lines(text, 20) == []
    assert split_sentences(text) == []


def test_sentences_end_at_their_marks() -> None:
    assert split_sentences("いいですね！「はい。」と言えました。次も\nやりましょう……！！終わり") == [
        "いいですね！",
        "「はい。」と言えました。",
        "次も",
        "やりましょう……！！",
        "終わり",
    ]


# Cues


def test_cues_have_two_lines_of_twenty_characters_at_most_and_hold_the_whole_text() -> None:
    cues = make_captions(TEXT, make_speech(24, []), 0)
    assert "".join(cue.text.replace("\n", "") for cue in cues) == TEXT
    for cue in cues:
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        assert all(measure_em(line) <= 20 for line in lines)


def test_cues_follow_one_another_within_their_recording() -> None:
    cues = make_captions(TEXT, make_speech(24, [(0, 0.3), (4.9, 5.3), (23.5, 24)]), 100)
    assert cues[0].start_seconds == pytest.approx(100.3)
    assert cues[-1].end_seconds <= 124
    assert all(cue.end_seconds > cue.start_seconds for cue in cues)
    assert all(later.start_seconds >= earlier.end_seconds for earlier, later in pairwise(cues))


def test_a_cue_stays_a_moment_in_the_pause_behind_it() -> None:
    cues = make_captions("ご飯を炒めましょう。卵を入れて混ぜましょう。", make_speech(8, [(3, 5)]), 0)
    assert [(cue.start_seconds, cue.end_seconds) for cue in cues] == [pytest.approx((0, 3.4)), pytest.approx((5, 8))]


def test_a_short_exclamation_shares_its_cue() -> None:
    cues = make_captions("いいですね！次は火を弱めてみましょう。", make_speech(5, []), 0)
    assert [cue.text.replace("\n", "") for cue in cues] == ["いいですね！次は火を弱めてみましょう。"]


def test_silence_and_emptiness_have_no_captions() -> None:
    assert make_captions(TEXT, make_speech(20, [(0, 20)], is_silent=True), 0) == []
    assert make_captions("", make_speech(20, []), 0) == []


# Timing


def test_a_pause_in_the_middle_of_a_phrase_is_not_taken_for_a_sentence_end() -> None:
    """The speaker hesitates for a moment at 1.2 s, and the sentence ends at 4 s."""
    text = "熱したフライパンに溶いた卵を加えます。ふちがふくらんだら、ご飯を入れましょう。"
    spoken = SpokenText(text, make_speech(8.5, [(1.2, 1.4), (4.0, 4.5)]))
    assert spoken.find_end_seconds(text.index("ふち")) == pytest.approx(4.0)
    assert spoken.find_start_seconds(text.index("ふち")) == pytest.approx(4.5)


def test_sentences_of_uneven_pace_are_told_apart_by_their_pauses() -> None:
    sentences = ["ゆっくりと話す文です。", "こちらはとても速く話してしまう文です。", "最後はふつうです。"]
    spans = [(0.2, 3.2), (3.7, 5.7), (6.3, 8.0)]
    pauses = [(0, 0.2), (3.2, 3.7), (5.7, 6.3), (8.0, 8.4)]
    spoken = SpokenText("".join(sentences), make_speech(8.4, pauses))
    index = 0
    for sentence, (start_seconds, end_seconds) in zip(sentences, spans, strict=True):
        assert spoken.find_start_seconds(index) == pytest.approx(start_seconds)
        index += len(sentence)
        assert spoken.find_end_seconds(index) == pytest.approx(end_seconds)


def test_speech_without_a_pause_is_timed_by_its_morae() -> None:
    text = "あああああ。いいいいいいいいいい。"
    spoken = SpokenText(text, make_speech(3, []))
    assert spoken.find_start_seconds(6) == pytest.approx(1)


@pytest.mark.parametrize(
    ("character", "morae"), [("か", 1), ("カ", 1), ("ゃ", 0), ("っ", 1), ("ー", 1), ("卵", 1.9), ("。", 0), ("・", 0)]
)
def test_morae_are_counted_by_character(character: str, morae: float) -> None:
    assert count_morae(character) == morae


def test_captions_come_when_the_words_are_spoken(tmp_path: Path) -> None:
    """Real speech of known times: each sentence is spoken alone and they are joined."""
    sentences = split_sentences(TEXT)
    pieces = [speak(tmp_path / f"{number}.wav", sentence) for number, sentence in enumerate(sentences)]
    joined = join_speech(pieces, tmp_path / "joined.wav", pause_seconds=0.2)
    text = "".join(sentences)
    spoken = SpokenText(text, measure_speech(joined.path))
    index = 0
    for sentence, piece, start_seconds in zip(sentences, pieces, joined.starts_seconds, strict=True):
        first_word_seconds = measure_speech(piece).pauses[0].end_seconds
        assert spoken.find_start_seconds(index) == pytest.approx(start_seconds + first_word_seconds, abs=0.1)
        index += len(sentence)


# WebVTT


def test_text_in_a_webvtt_file_is_only_text(tmp_path: Path) -> None:
    nasty = "a < b & c\n\n00:00.000 --> 99:59.999\n<script>alert(1)</script>\r\n\u202eNOTE\x00"
    write_webvtt(tmp_path / "film.vtt", [Cue(0, 1.5, nasty), Cue(3661.25, 3662, "次へ")])
    blocks = (tmp_path / "film.vtt").read_text(encoding="utf-8").split("\n\n")
    assert blocks[0] == "WEBVTT"
    assert len(blocks) == 3
    assert "<" not in blocks[1].replace("-->", "")
    assert len(re.findall("-->", blocks[1])) == 1
    assert "\x00" not in blocks[1]
    assert "\u202e" not in blocks[1]
    assert "01:01:01.250 --> 01:01:02.000" in blocks[2]


def test_players_read_the_text_back(tmp_path: Path) -> None:
    write_webvtt(tmp_path / "film.vtt", [Cue(1, 2, "卵 < ご飯 & 油\n二行目"), Cue(2, 3, "次")])
    arguments = ["-f", "webvtt", "-i", str(tmp_path / "film.vtt"), "-f", "srt", "pipe:1"]
    read = b"".join(read_output(arguments)).decode().replace("\r", "")
    assert read.split("\n\n")[0] == "1\n00:00:01,000 --> 00:00:02,000\n卵 < ご飯 & 油\n二行目"


def test_cues_that_players_refuse_are_left_out() -> None:
    assert format_webvtt([Cue(1, 1, "no time"), Cue(1, 2, "  "), Cue(1, 2, "shown")]).count("-->") == 1
