from pathlib import Path

import numpy as np
import pytest

from coaching.errors import MediaWorkFailed
from coaching.providers.local.engine import Deadline
from coaching.providers.local.openjtalk import OpenJTalkVoice
from coaching.providers.local.whisper import WhisperRecogniser, decode_speech, is_speech
from coaching.providers.ports import MediaLocation, SpeechRequest
from media_tools.ffmpeg import compile_arguments, open_input, run
from tests.coaching.providers.hearing import ask_for_transcript, measure_error_rate
from tests.coaching.providers.sounds import COUNT, HZ, make_hum, make_sizzle, write_sound


def decode(source: Path, *, duration_seconds: float) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    location = MediaLocation(object_path="memos/memo", source=source)
    return decode_speech(location, duration_seconds=duration_seconds, deadline=Deadline(60, doing="decoding"))


def test_speech_over_a_loud_pan_is_still_heard(
    listener: WhisperRecogniser, fast_voice: OpenJTalkVoice, tmp_path: Path
) -> None:
    said = "味が少し薄かったです。次は何を変えたらいいですか。"
    speech = fast_voice.synthesise(SpeechRequest(text=said, output=tmp_path / "speech.wav"))
    spoken = decode(speech.path, duration_seconds=speech.duration_seconds)
    noisy = spoken + 0.15 * np.resize(make_sizzle(), spoken.size)
    source = write_sound(tmp_path / "memo.wav", 0.8 * noisy)
    heard = listener.transcribe(ask_for_transcript(source, duration_seconds=speech.duration_seconds))
    assert measure_error_rate(said=said, heard=heard.text) <= 0.3, heard.text


def test_what_the_model_is_unsure_of_or_repeats_is_no_speech() -> None:
    assert is_speech(-0.8, 1.2)
    assert not is_speech(-1.2, 1.0)
    assert not is_speech(-0.3, 3.0)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("m4a", {"acodec": "aac"}), ("webm", {"acodec": "libopus"}), ("flac", {"acodec": "flac"}), ("mp3", {})],
)
def test_sound_is_decoded_to_16_khz_mono_whatever_the_phone_recorded(
    tmp_path: Path, suffix: str, options: dict[str, str]
) -> None:
    source = write_sound(tmp_path / "tone.wav", make_hum())
    recorded = tmp_path / f"memo.{suffix}"
    sound = open_input(source, formats=("wav",)).audio
    run(compile_arguments(sound.output(str(recorded), ac=2, ar=48_000, **options)))
    samples = decode(recorded, duration_seconds=6)
    assert samples.dtype == np.float32
    assert samples.size / HZ == pytest.approx(6, abs=0.2)
    assert float(np.abs(samples).max()) == pytest.approx(float(np.abs(make_hum()).max()), abs=0.08)


def test_a_file_longer_than_the_probe_said_is_read_no_further(tmp_path: Path) -> None:
    source = write_sound(tmp_path / "memo.wav", np.tile(make_hum(), 5))
    assert decode(source, duration_seconds=6).size == COUNT + HZ


def test_a_playlist_in_a_memos_clothes_opens_nothing(tmp_path: Path) -> None:
    write_sound(tmp_path / "secret.wav", make_hum())
    source = tmp_path / "memo.m4a"
    source.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nsecret.wav\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaWorkFailed):
        decode(source, duration_seconds=6)
