from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from coaching.errors import MediaWorkFailed
from coaching.providers.deadline import Deadline
from coaching.providers.local.openjtalk import OpenJTalkVoice
from coaching.providers.local.whisper import WhisperRecogniser, decode_speech, find_stretches, is_speech
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


def test_a_memo_longer_than_the_model_hears_at_once_loses_no_sentence(
    listener: WhisperRecogniser, fast_voice: OpenJTalkVoice, tmp_path: Path
) -> None:
    said = (
        "今日はチャーハンを作りました。卵を入れるのが遅くて、ご飯が固まってしまいました。長ねぎは最後に入れました。"
        "途中で音がしなくなりました。味は少し薄かったと思います。次はどうしたらいいですか。"
    ) * 3
    speech = fast_voice.synthesise(SpeechRequest(text=said, output=tmp_path / "speech.wav"))
    assert speech.duration_seconds > 31
    heard = listener.transcribe(ask_for_transcript(speech.path, duration_seconds=speech.duration_seconds))
    assert measure_error_rate(said=said, heard=heard.text) <= 0.15, heard.text
    assert len(heard.segments) >= 2
    assert heard.segments[-1].end_seconds == pytest.approx(speech.duration_seconds, abs=1)


def test_sound_is_parted_where_nobody_speaks_into_stretches_the_model_can_hear(
    fast_voice: OpenJTalkVoice, tmp_path: Path
) -> None:
    speech = fast_voice.synthesise(SpeechRequest(text="味が薄かったです。", output=tmp_path / "speech.wav"))
    spoken = decode(speech.path, duration_seconds=speech.duration_seconds)
    pause = np.zeros(5 * HZ, np.float32)
    assert find_stretches(pause) == []
    parted = find_stretches(np.concatenate([spoken, pause, spoken, pause]))
    assert len(parted) == 2
    assert parted[1].start / HZ == pytest.approx(speech.duration_seconds + 5, abs=0.5)
    without_a_pause = find_stretches(np.tile(spoken, 40))
    assert all((stretch.stop - stretch.start) / HZ <= 28 for stretch in without_a_pause)
    assert sum(stretch.stop - stretch.start for stretch in without_a_pause) > 0.9 * 40 * spoken.size


@dataclass
class Judgement:
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float = 1.1


@pytest.mark.parametrize(
    ("judgement", "spoken"),
    [
        (Judgement(-0.1, 0.01), True),
        (Judgement(-0.86, 0.02), True),  # one word over a loud pan
        (Judgement(-0.3, 0.4), True),  # sure of its words
        (Judgement(-0.94, 0.33), False),  # a violin
        (Judgement(-1.3, 0.02), False),
        (Judgement(-0.2, 0.02, compression_ratio=3), False),
    ],
)
def test_what_the_model_doubts_or_repeats_is_no_speech(judgement: Judgement, spoken: bool) -> None:
    assert is_speech(judgement) is spoken


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
