from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.errors import ProviderUnavailable
from coaching.providers.deadline import Deadline
from coaching.providers.local.kokoro import split_phonemes
from coaching.providers.local.utterances import speak_sentences
from coaching.providers.ports import SpeechRequest
from coaching.providers.spoken_audio import Samples, split_sentences, trim_to_speech

HZ = 24_000


def make_tone(seconds: float, *, level: float = 0.5) -> Samples:
    return (level * np.sin(2 * np.pi * 200 * np.arange(int(seconds * HZ)) / HZ)).astype(np.float32)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("一つ。二つ！三つ？", ["一つ。", "二つ！", "三つ？"]),
        ("止まらない", ["止まらない"]),
        ("「よし。」と思えたら、次です。", ["「よし。」", "と思えたら、次です。"]),
        ("えっ！？本当。", ["えっ！？", "本当。"]),
        ("一行目\n二行目", ["一行目", "二行目"]),
        ("……。\n！", []),
    ],
)
def test_a_text_is_parted_into_what_is_said_in_one_breath(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@given(st.text(alphabet="あい。！？」\n ", max_size=60))
def test_no_word_is_lost_between_sentences(text: str) -> None:
    words = [character for character in text if character in "あい"]
    assert [character for character in "".join(split_sentences(text)) if character in "あい"] == words


@given(st.text(alphabet="aɕk ,.", max_size=400), st.integers(min_value=1, max_value=50))
def test_phonemes_beyond_the_models_limit_are_parted_and_never_cut_off(phonemes: str, limit: int) -> None:
    pieces = split_phonemes(phonemes, limit=limit)
    assert "".join(pieces) == phonemes
    assert all(len(piece) <= limit for piece in pieces)


def test_long_phonemes_are_parted_at_a_comma_before_a_space() -> None:
    assert split_phonemes("aaa, bbb ccc ddd", limit=12) == ["aaa, ", "bbb ccc ddd"]
    assert split_phonemes("aaa bbb ccc", limit=9) == ["aaa bbb ", "ccc"]


def test_silence_around_speech_goes_and_its_edges_fade() -> None:
    silence = np.zeros(HZ, np.float32)
    trimmed = trim_to_speech(np.concatenate([silence, make_tone(0.5), silence]), sample_rate_hz=HZ)
    assert trimmed.size / HZ == pytest.approx(0.5 + 2 * 0.08, abs=0.01)
    assert trimmed[0] == trimmed[-1] == 0
    tight = trim_to_speech(make_tone(0.5), sample_rate_hz=HZ)
    assert abs(float(tight[0])) < 0.001
    assert abs(float(tight[-1])) < 0.01
    assert np.abs(tight[HZ // 10 : -HZ // 10]).max() == pytest.approx(0.5, abs=0.01)
    assert trim_to_speech(silence, sample_rate_hz=HZ).size == 0


def test_a_voice_beyond_full_scale_is_made_quieter_and_not_clipped(tmp_path: Path) -> None:
    speech = speak_sentences(
        SpeechRequest(text="はい。", output=tmp_path / "speech.wav"),
        say=lambda _: make_tone(0.5, level=1.4),
        sample_rate_hz=HZ,
        model="tone",
        deadline=Deadline(60, doing="testing"),
    )
    samples = np.frombuffer(speech.path.read_bytes()[44:], "<i2") / 32767
    assert np.abs(samples).max() == pytest.approx(0.9, abs=0.01)
    assert (np.abs(samples) > 0.899).mean() < 0.1  # a sine touches its peak, a clipped one dwells there


def test_the_deadline_is_looked_at_between_sentences(tmp_path: Path) -> None:
    spoken: list[str] = []
    deadline = Deadline(0.2, doing="testing")

    def say(sentence: str) -> Samples:
        spoken.append(sentence)
        while deadline.remaining_seconds:
            pass
        return make_tone(0.1)

    with pytest.raises(ProviderUnavailable):
        speak_sentences(
            SpeechRequest(text="一つ。二つ。三つ。", output=tmp_path / "speech.wav"),
            say=say,
            sample_rate_hz=HZ,
            model="tone",
            deadline=deadline,
        )
    assert spoken == ["一つ。"]
    assert list(tmp_path.iterdir()) == []
