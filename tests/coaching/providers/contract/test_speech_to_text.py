"""What every recogniser promises."""

from pathlib import Path

import pytest

from coaching.errors import MomentCloneError, ProviderUnavailable
from coaching.providers.local.openjtalk import OpenJTalkVoice
from coaching.providers.ports import Speech, SpeechRequest, SpeechToText
from media_tools.ffmpeg import compile_arguments, open_input, run
from tests.coaching.providers.contract.engines import RECOGNISERS, Room
from tests.coaching.providers.hearing import ask_for_transcript, measure_error_rate
from tests.coaching.providers.sounds import SECONDS, SPEECHLESS, write_sound

HINTS = ("チャーハン", "卵", "ご飯", "長ねぎ", "醤油")
MEMO = "卵を入れるのが遅くて、ご飯が固まってしまいました。次はどうしたらいいですか。"


@pytest.fixture(scope="module", params=sorted(RECOGNISERS))
def recogniser(request: pytest.FixtureRequest, room: Room) -> SpeechToText:
    return RECOGNISERS[request.param](room)


@pytest.fixture(scope="module")
def memo(fast_voice: OpenJTalkVoice, tmp_path_factory: pytest.TempPathFactory) -> Speech:
    output = tmp_path_factory.mktemp("memo") / "memo.wav"
    return fast_voice.synthesise(SpeechRequest(text=MEMO, output=output))


def test_a_memo_as_a_phone_records_it_is_written_down_with_its_times(
    recogniser: SpeechToText, memo: Speech, tmp_path: Path
) -> None:
    recorded = tmp_path / "memo.m4a"
    sound = open_input(memo.path, formats=("wav",)).audio
    run(compile_arguments(sound.output(str(recorded), acodec="aac", audio_bitrate="64k", ac=1)))
    heard = recogniser.transcribe(ask_for_transcript(recorded, duration_seconds=memo.duration_seconds, hints=HINTS))
    assert measure_error_rate(said=MEMO, heard=heard.text) <= 0.25, heard.text
    assert heard.text == "".join(segment.text for segment in heard.segments)
    times = [time for segment in heard.segments for time in (segment.start_seconds, segment.end_seconds)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= memo.duration_seconds + 0.5
    assert heard.usage.audio_seconds == pytest.approx(memo.duration_seconds, abs=0.2)


@pytest.mark.parametrize("sound", sorted(SPEECHLESS))
def test_a_memo_without_speech_is_empty_whatever_was_hinted(
    recogniser: SpeechToText, tmp_path: Path, sound: str
) -> None:
    source = write_sound(tmp_path / "memo.wav", SPEECHLESS[sound]())
    heard = recogniser.transcribe(ask_for_transcript(source, duration_seconds=SECONDS, hints=HINTS))
    assert (heard.text, heard.segments) == ("", ())


def test_a_deadline_that_is_over_is_a_passing_fault(recogniser: SpeechToText, memo: Speech) -> None:
    with pytest.raises(ProviderUnavailable):
        recogniser.transcribe(ask_for_transcript(memo.path, duration_seconds=memo.duration_seconds, deadline_seconds=0))


def test_a_file_that_is_no_sound_ends_in_an_error_of_ours(recogniser: SpeechToText, tmp_path: Path) -> None:
    source = tmp_path / "memo.m4a"
    source.write_bytes(b"#EXTM3U\nfile:///etc/passwd\n" * 100)
    with pytest.raises(MomentCloneError):
        recogniser.transcribe(ask_for_transcript(source, duration_seconds=5))
