"""Cloud Text-to-Speech before a server that speaks its protocol: chunks, joints, faults."""

import time
import wave
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.cloud import texttospeech_v1 as service
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from coaching.errors import (
    EmptyAnswer,
    MalformedAnswer,
    Misconfigured,
    MomentCloneError,
    ProviderRateLimited,
    ProviderRefused,
    ProviderUnavailable,
)
from coaching.providers.google.text_to_speech import SAMPLE_RATE_HZ, GoogleVoice, pack_sentences
from coaching.providers.ports import SpeechRequest
from coaching.providers.spoken_audio import PAUSE_SECONDS
from tests.emulators.fault_table import FaultTable
from tests.emulators.faults import Fault
from tests.emulators.grpc_server import compose_retry_info
from tests.emulators.iam import PROJECT
from tests.emulators.text_to_speech import TextToSpeechEmulator, compose_wav

SERVICE = "Text-to-Speech"
LONG_SECONDS = 20.0
SENTENCE = "花子さん、卵が半熟のうちにご飯を入れましょう。"
Code = grpc.StatusCode


def read_samples(path: Path) -> NDArray[np.float64]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE_HZ)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


@given(st.text(alphabet="あ漢、。！\n aB", min_size=1, max_size=400), st.integers(min_value=9, max_value=200))
def test_chunks_hold_whole_sentences_and_fit(text: str, limit_bytes: int) -> None:
    chunks = list(pack_sentences(text, limit_bytes=limit_bytes))
    assert all(0 < len(chunk.encode()) <= limit_bytes for chunk in chunks)
    assert "".join(chunks) == "".join(pack_sentences(text, limit_bytes=10**6))
    for chunk in chunks[:-1]:
        assert chunk[-1] in "。！、" or len(chunk.encode()) > limit_bytes - 4


def test_a_long_text_is_spoken_in_parts_below_the_limit_and_joined_without_a_click(
    voice: GoogleVoice, voice_server: TextToSpeechEmulator, tmp_path: Path
) -> None:
    """The server's tone begins and ends in full swing; where two parts meet, nothing jumps."""
    text = SENTENCE * 160
    speech = voice.synthesise(SpeechRequest(text=text, output=tmp_path / "speech.wav"))
    parts = [call.message.input.text for call in voice_server.log]
    assert "".join(parts) == text
    assert len(parts) == 3
    assert all(part.endswith("。") and len(part.encode()) <= 5000 for part in parts)
    samples = read_samples(speech.path)
    loud = np.abs(samples) > 0.05
    silences = np.flatnonzero(np.diff(np.flatnonzero(loud)) > 0.9 * PAUSE_SECONDS * SAMPLE_RATE_HZ)
    assert len(silences) == 2
    # The steepest step of a 220 Hz tone at this level; a joint left alone jumps by the whole level.
    steepest = 0.5 * 2 * np.pi * 220 / SAMPLE_RATE_HZ
    assert np.abs(np.diff(samples)).max() < 1.2 * steepest
    assert np.abs(samples[[0, -1]]).max() < 0.01
    assert speech.usage.characters == len(text)
    assert speech.usage.cost_usd == pytest.approx(len(text) * 16 / 1e6)
    assert voice_server.complaints == []


def test_what_is_asked_for_is_the_voice_of_the_settings_as_pcm(
    voice: GoogleVoice, voice_server: TextToSpeechEmulator, tmp_path: Path
) -> None:
    voice.synthesise(SpeechRequest(text=SENTENCE, output=tmp_path / "speech.wav"))
    (call,) = voice_server.log
    assert (call.message.voice.name, call.message.voice.language_code) == ("ja-JP-Neural2-B", "ja-JP")
    assert call.message.audio_config.audio_encoding is service.AudioEncoding.LINEAR16
    assert call.metadata["authorization"].startswith("Bearer ")


def test_an_answer_of_more_than_four_mebibytes_is_taken(
    voice: GoogleVoice, voice_server: TextToSpeechEmulator, tmp_path: Path
) -> None:
    tone = 0.3 * np.sin(np.arange(110 * SAMPLE_RATE_HZ) / 20)
    recording = compose_wav(tone, sample_rate_hz=SAMPLE_RATE_HZ)
    assert len(recording) > 5 * 1024**2
    voice_server.script.plan(Fault(reply=service.SynthesizeSpeechResponse(audio_content=recording)))
    speech = voice.synthesise(SpeechRequest(text=SENTENCE, output=tmp_path / "speech.wav"))
    assert speech.duration_seconds == pytest.approx(110, abs=0.1)


def answer_sound(content: bytes) -> Fault:
    return Fault(reply=service.SynthesizeSpeechResponse(audio_content=content))


FAULTS: dict[str, tuple[Fault, type[MomentCloneError]]] = {
    "INVALID_ARGUMENT": (Fault(code=Code.INVALID_ARGUMENT), ProviderRefused),
    "UNAUTHENTICATED": (Fault(code=Code.UNAUTHENTICATED), Misconfigured),
    "PERMISSION_DENIED": (Fault(code=Code.PERMISSION_DENIED), Misconfigured),
    "NOT_FOUND": (Fault(code=Code.NOT_FOUND), Misconfigured),
    "ABORTED": (Fault(code=Code.ABORTED), ProviderUnavailable),
    "FAILED_PRECONDITION": (Fault(code=Code.FAILED_PRECONDITION), ProviderRefused),
    "OUT_OF_RANGE": (Fault(code=Code.OUT_OF_RANGE), ProviderRefused),
    "RESOURCE_EXHAUSTED": (Fault(code=Code.RESOURCE_EXHAUSTED), ProviderRateLimited),
    "CANCELLED": (Fault(code=Code.CANCELLED), ProviderUnavailable),
    "UNKNOWN": (Fault(code=Code.UNKNOWN), ProviderUnavailable),
    "UNIMPLEMENTED": (Fault(code=Code.UNIMPLEMENTED), ProviderUnavailable),
    "INTERNAL": (Fault(code=Code.INTERNAL), ProviderUnavailable),
    "UNAVAILABLE": (Fault(code=Code.UNAVAILABLE), ProviderUnavailable),
    "DATA_LOSS": (Fault(code=Code.DATA_LOSS), ProviderUnavailable),
    "DEADLINE_EXCEEDED": (Fault(code=Code.DEADLINE_EXCEEDED), ProviderUnavailable),
    "dropped": (Fault(drop=True), ProviderUnavailable),
    "garbage instead of a message": (Fault(reply=b"\xff\xff\xff\xff"), ProviderUnavailable),
    "no sound": (answer_sound(b""), EmptyAnswer),
    "no WAV": (answer_sound(b"\xff\xf3MP3" * 99), MalformedAnswer),
    "half a WAV header": (answer_sound(compose_wav(np.ones(9), sample_rate_hz=24_000)[:20]), MalformedAnswer),
    "another rate": (answer_sound(compose_wav(np.ones(99), sample_rate_hz=8_000)), MalformedAnswer),
    "silence": (answer_sound(compose_wav(np.zeros(999), sample_rate_hz=24_000)), MalformedAnswer),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_service_does(
    *, voice: GoogleVoice, voice_server: TextToSpeechEmulator, tmp_path: Path, fault_table: FaultTable, name: str
) -> None:
    fault, error = FAULTS[name]
    voice_server.script.plan(fault)
    with fault_table.expect(error, service=SERVICE, fault=name) as raised:
        voice.synthesise(SpeechRequest(text=SENTENCE, output=tmp_path / "speech.wav"))
    assert str(raised[0]).startswith("Text-to-Speech, synthesis of part 1 of 1 (ja-JP-Neural2-B)")
    assert "Speech" not in raised[0].learner_message
    assert list(tmp_path.iterdir()) == []
    assert len(voice_server.log) == 1


def test_how_long_to_wait_is_carried_along(
    voice: GoogleVoice, voice_server: TextToSpeechEmulator, tmp_path: Path, fault_table: FaultTable
) -> None:
    voice_server.script.plan(Fault(code=Code.RESOURCE_EXHAUSTED, details=[compose_retry_info(7.5)]))
    with fault_table.expect(ProviderRateLimited, service=SERVICE, fault="RetryInfo") as raised:
        voice.synthesise(SpeechRequest(text=SENTENCE, output=tmp_path / "speech.wav"))
    assert isinstance(raised[0], ProviderRateLimited)
    assert raised[0].retry_after_seconds == 7.5


@pytest.mark.parametrize("name", ["UNAVAILABLE", "dropped", "INTERNAL"])
def test_a_passing_fault_is_repeated_at_once(
    *, voice_server: TextToSpeechEmulator, tmp_path: Path, fault_table: FaultTable, name: str
) -> None:
    voice = GoogleVoice(project=PROJECT, endpoint=voice_server.url)
    voice_server.script.plan(FAULTS[name][0])
    with fault_table.expect_success(service=SERVICE, fault=f"{name}, once", how="repeated"):
        voice.synthesise(SpeechRequest(text=SENTENCE, output=tmp_path / "speech.wav"))
    assert len(voice_server.log) == 2


def test_the_deadline_holds(
    voice: GoogleVoice, voice_server: TextToSpeechEmulator, tmp_path: Path, fault_table: FaultTable
) -> None:
    """The SDK has no limit of its own for this call."""
    voice_server.script.plan(Fault(delay_seconds=LONG_SECONDS))
    began = time.monotonic()
    with fault_table.expect(ProviderUnavailable, service=SERVICE, fault="silence beyond the deadline"):
        voice.synthesise(SpeechRequest(text=SENTENCE, output=tmp_path / "speech.wav", deadline_seconds=0.5))
    assert time.monotonic() - began < LONG_SECONDS / 2


def test_nobody_there_is_a_passing_fault(tmp_path: Path, fault_table: FaultTable, voice_server: object) -> None:
    voice = GoogleVoice(project=PROJECT, endpoint="http://127.0.0.1:1", tries=1)
    with fault_table.expect(ProviderUnavailable, service=SERVICE, fault="connection refused"):
        voice.synthesise(SpeechRequest(text=SENTENCE, output=tmp_path / "speech.wav", deadline_seconds=5))


def test_an_unknown_voice_is_named_with_its_setting(
    voice_server: TextToSpeechEmulator, tmp_path: Path, fault_table: FaultTable
) -> None:
    voice = GoogleVoice(project=PROJECT, endpoint=voice_server.url, voice="ja-JP-Neural9-Z", tries=1)
    with fault_table.expect(Misconfigured, service=SERVICE, fault="unknown voice") as raised:
        voice.synthesise(SpeechRequest(text=SENTENCE, output=tmp_path / "speech.wav"))
    assert "GOOGLE_VOICE is ja-JP-Neural9-Z" in str(raised[0])
