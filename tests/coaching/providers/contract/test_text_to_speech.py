"""What every voice promises."""

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from coaching.errors import ProviderRefused, ProviderUnavailable
from coaching.providers.local.whisper import WhisperRecogniser
from coaching.providers.ports import Speech, SpeechRequest, TextToSpeech
from tests.coaching.providers.contract.engines import VOICES, Room
from tests.coaching.providers.hearing import ask_for_transcript, measure_error_rate

TEXT = "太郎さん、卵が半熟のうちにご飯を入れましょう。音が軽くなったら、次に進みます！"


@pytest.fixture(scope="module", params=sorted(VOICES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def voice(name: str, room: Room) -> TextToSpeech:
    return VOICES[name].make(room)


@pytest.fixture(scope="module")
def speech(voice: TextToSpeech, tmp_path_factory: pytest.TempPathFactory) -> Speech:
    """Spoken once for all that is asked about it: speech is dear."""
    return voice.synthesise(SpeechRequest(text=TEXT, output=tmp_path_factory.mktemp("spoken") / "speech.wav"))


def read_samples(path: Path) -> NDArray[np.float64]:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def test_what_is_spoken_can_be_heard_back(name: str, speech: Speech, listener: WhisperRecogniser) -> None:
    heard = listener.transcribe(
        ask_for_transcript(speech.path, duration_seconds=speech.duration_seconds, hints=("卵", "ご飯"))
    )
    assert measure_error_rate(said=TEXT, heard=heard.text) <= VOICES[name].most_errors, heard.text


def test_the_file_is_mono_16_bit_and_as_long_as_the_answer_says(speech: Speech) -> None:
    with wave.open(str(speech.path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert file.getframerate() == speech.sample_rate_hz >= 24_000
        assert file.getnframes() / file.getframerate() == pytest.approx(speech.duration_seconds, abs=0.001)
    assert speech.usage.audio_seconds == pytest.approx(speech.duration_seconds, abs=0.001)
    assert speech.usage.characters == len(TEXT)


def test_the_speech_is_loud_enough_unclipped_and_begins_and_ends_soon(speech: Speech) -> None:
    samples = np.abs(read_samples(speech.path))
    loud = np.flatnonzero(samples > 0.05)
    assert 0.1 < samples.max() < 0.999
    assert loud[0] / speech.sample_rate_hz < 0.4
    assert (samples.size - loud[-1]) / speech.sample_rate_hz < 0.6


def test_sentences_are_parted_by_a_breath_without_clicks(speech: Speech) -> None:
    samples = read_samples(speech.path)
    window = int(0.02 * speech.sample_rate_hz)
    levels = np.abs(samples[: samples.size // window * window]).reshape(-1, window).max(axis=1)
    quiet = "".join("." if level < 0.01 else "x" for level in levels).strip(".")
    assert max(len(run) for run in quiet.split("x")) * 0.02 >= 0.25
    # A click is a step out of silence: none of 5 ms of it ends in a jump.
    still = int(0.005 * speech.sample_rate_hz)
    silent = np.convolve(np.abs(samples) < 0.0005, np.ones(still), mode="valid") == still
    ends = np.flatnonzero(silent[:-1]) + still
    assert np.abs(samples[ends] - samples[ends - 1]).max() < 0.01


@pytest.mark.parametrize("text", ["", "  \n", "……。「」！"])
def test_a_text_without_words_is_refused_for_good(voice: TextToSpeech, tmp_path: Path, text: str) -> None:
    with pytest.raises(ProviderRefused):
        voice.synthesise(SpeechRequest(text=text, output=tmp_path / "speech.wav"))
    assert list(tmp_path.iterdir()) == []


def test_a_deadline_that_is_over_is_a_passing_fault_and_leaves_no_file(voice: TextToSpeech, tmp_path: Path) -> None:
    with pytest.raises(ProviderUnavailable):
        voice.synthesise(SpeechRequest(text=TEXT, output=tmp_path / "speech.wav", deadline_seconds=0))
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_attempts_file_is_replaced_and_nothing_else_is_left(voice: TextToSpeech, tmp_path: Path) -> None:
    output = tmp_path / "speech.wav"
    output.write_bytes(b"half a file")
    speech = voice.synthesise(SpeechRequest(text="はい。", output=output))
    assert list(tmp_path.iterdir()) == [output]
    assert read_samples(output).size == pytest.approx(speech.duration_seconds * speech.sample_rate_hz, abs=1)
