"""The probe: facts as measured, refusals with their fault."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from media_tools.errors import InvalidMedia, MediaCancelled, MediaFault, MediaLimitExceeded
from media_tools.facts import AudioLimits, VideoLimits
from media_tools.ffmpeg import Limits, run
from media_tools.probe import probe_audio, probe_video
from media_tools.structure import read_structure
from tests.media import clips, nasty
from tests.media.fixtures import Shelf

LIMITS = VideoLimits()


def test_a_plain_clip_is_described(shelf: Shelf) -> None:
    path = shelf.get(clips.make_plain_clip)
    facts = probe_video(path, LIMITS)
    assert facts.duration_seconds == pytest.approx(4, abs=0.001)
    assert (facts.width_px, facts.height_px, facts.rotation_degrees) == (320, 180, 0)
    assert (facts.codec, facts.pixel_format, facts.bit_depth, facts.transfer) == ("h264", "yuv420p", 8, "sdr")
    assert (facts.fps, facts.is_variable_rate) == (30, False)
    assert (facts.matrix, facts.is_full_range) == ("bt601", False)
    assert (facts.audio_codec, facts.audio_channels, facts.audio_sample_rate_hz) == ("aac", 1, 48_000)
    assert (facts.container, facts.content_type) == ("mp4", "video/mp4")
    assert facts.byte_size == path.stat().st_size
    assert facts.has_audio
    assert not facts.is_hdr
    assert not facts.is_portrait


def test_a_phone_clip_is_described_upright(shelf: Shelf) -> None:
    facts = probe_video(shelf.get(clips.make_default_phone_clip), LIMITS)
    assert (facts.width_px, facts.height_px, facts.rotation_degrees) == (320, 180, 90)
    assert (facts.codec, facts.bit_depth, facts.transfer, facts.is_hdr) == ("hevc", 10, "hlg", True)
    assert facts.is_variable_rate
    assert facts.matrix == "bt2020"
    assert 18 < facts.fps < 29
    assert 0.4 < facts.start_seconds <= 0.5
    assert 5.5 < facts.duration_seconds <= 6.1
    assert facts.content_type == "video/quicktime"


@pytest.mark.parametrize(("degrees", "turn"), [(-90, 90), (90, 270), (180, 180), (0, 0)])
def test_every_quarter_turn_is_told(shelf: Shelf, tmp_path: Path, degrees: int, turn: int) -> None:
    turned = tmp_path / "turned.mp4"
    run(["-display_rotation:v:0", str(degrees), "-i", str(shelf.get(clips.make_plain_clip)), "-c", "copy", str(turned)])
    facts = probe_video(turned, LIMITS)
    assert facts.rotation_degrees == turn
    assert (facts.width_px, facts.height_px) == ((180, 320) if turn in (90, 270) else (320, 180))


@pytest.mark.parametrize(
    ("recipe", "container", "content_type"),
    [
        (clips.make_live_webm, "webm", "video/webm"),
        (clips.make_fragmented, "mp4", "video/mp4"),
        (clips.make_odd_dimensions, "webm", "video/webm"),
    ],
)
def test_the_type_is_that_of_the_content(
    shelf: Shelf, recipe: Callable[[Path], Path], container: str, content_type: str
) -> None:
    facts = probe_video(shelf.get(recipe), LIMITS)
    assert (facts.container, facts.content_type) == (container, content_type)
    assert facts.duration_seconds == pytest.approx(4, abs=0.05)


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    path = clips.make_clip(tmp_path / "film.mkv").rename(tmp_path / "holiday.jpg")
    assert probe_video(path, LIMITS).content_type == "video/x-matroska"


def test_pixels_that_are_not_square_are_counted_as_shown(shelf: Shelf) -> None:
    facts = probe_video(shelf.get(clips.make_anamorphic_clip), LIMITS)
    assert (facts.width_px, facts.height_px) == (320, 180)


def test_odd_dimensions_are_told_as_they_are(shelf: Shelf) -> None:
    facts = probe_video(shelf.get(clips.make_odd_dimensions), LIMITS)
    assert (facts.width_px, facts.height_px) == (321, 181)


def test_a_film_without_sound_has_none(shelf: Shelf) -> None:
    facts = probe_video(shelf.get(clips.make_silent_film), LIMITS)
    assert not facts.has_audio
    assert (facts.audio_stream_index, facts.audio_channels) == (None, 0)


def test_sound_that_cannot_be_decoded_counts_as_none(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    clips.make_clip(film, encoder=[*clips.FAST_H264, "-c:a", "adpcm_ima_wav"])
    assert not probe_video(film, LIMITS).has_audio


def test_a_second_sound_of_an_unknown_kind_is_passed_over(tmp_path: Path) -> None:
    both = tmp_path / "both.mkv"
    source = ["-f", "lavfi", "-i", "testsrc2=duration=4", "-f", "lavfi", "-i", "sine=duration=4"]
    sounds = ["-map", "0:v", "-map", "1:a", "-map", "1:a", "-c:a:0", "adpcm_ima_wav", "-c:a:1", "aac"]
    run([*source, *sounds, *clips.FAST_H264, str(both)])
    facts = probe_video(both, LIMITS)
    assert (facts.audio_stream_index, facts.audio_codec) == (2, "aac")


def test_a_cover_beside_the_film_is_not_the_film(shelf: Shelf, tmp_path: Path) -> None:
    cover, both = tmp_path / "cover.png", tmp_path / "both.mp4"
    run(["-f", "lavfi", "-i", "color=size=640x640", "-frames:v", "1", str(cover)])
    streams = ["-map", "1:v", "-map", "0:v", "-map", "0:a", "-c", "copy", "-disposition:v:0", "attached_pic"]
    run(["-i", str(shelf.get(clips.make_plain_clip)), "-i", str(cover), *streams, str(both)])
    facts = probe_video(both, LIMITS)
    assert (facts.codec, facts.width_px) == ("h264", 320)


def test_a_duration_in_the_header_is_not_believed(shelf: Shelf) -> None:
    claimed = probe_video(shelf.get(nasty.make_claims_to_be_long), LIMITS)
    assert claimed.duration_seconds == pytest.approx(4, abs=0.001)
    with pytest.raises(InvalidMedia) as raised:
        probe_video(shelf.get(nasty.make_claims_to_be_short), LIMITS)
    assert raised.value.fault is MediaFault.TOO_LONG


def test_the_end_of_a_long_film_is_found_without_reading_it(tmp_path: Path) -> None:
    """The hole in the middle is never touched: the file is sparse and 3 GiB long."""
    source = clips.make_clip(tmp_path / "source.mp4", seconds=10)
    data = source.read_bytes()
    at = data.index(b"mdat") - 4
    end = at + int.from_bytes(data[at : at + 4])
    big = tmp_path / "big.mp4"
    with big.open("wb") as file:  # mdat, then 3 GiB of nothing in a box of their own, then the index
        file.write(data[:end])
        file.write((1).to_bytes(4) + b"free" + (3 << 30).to_bytes(8))
        file.seek((3 << 30) - 16, 1)
        file.write(data[end:])
    facts = probe_video(big, LIMITS, process_limits=Limits(cpu_seconds=10, memory_bytes=1 << 30))
    assert facts.duration_seconds == pytest.approx(10, abs=0.001)
    assert facts.byte_size > 3 << 30


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        (replace(LIMITS, max_bytes=1000), MediaFault.TOO_LARGE),
        (replace(LIMITS, min_duration_seconds=5), MediaFault.TOO_SHORT),
        (replace(LIMITS, max_duration_seconds=3.9), MediaFault.TOO_LONG),
        (replace(LIMITS, min_side_px=200), MediaFault.DIMENSIONS_NOT_ACCEPTED),
        (replace(LIMITS, max_pixels=320 * 180 - 1), MediaFault.DIMENSIONS_NOT_ACCEPTED),
        (replace(LIMITS, codecs=("vp9",)), MediaFault.CODEC_NOT_ACCEPTED),
        (replace(LIMITS, formats=("matroska",)), MediaFault.FORMAT_NOT_ACCEPTED),
    ],
    ids=lambda value: value.value if isinstance(value, MediaFault) else "",
)
def test_each_limit_has_its_fault(shelf: Shelf, limits: VideoLimits, fault: MediaFault) -> None:
    path = shelf.get(clips.make_plain_clip)
    with pytest.raises(InvalidMedia) as raised:
        probe_video(path, limits)
    assert raised.value.fault is fault


def test_exactly_three_seconds_are_enough(shelf: Shelf) -> None:
    assert probe_video(shelf.get(clips.make_three_seconds), LIMITS).duration_seconds == pytest.approx(3)


def test_a_slow_machine_is_not_the_files_fault(shelf: Shelf) -> None:
    with pytest.raises(MediaLimitExceeded) as raised:
        probe_video(shelf.get(clips.make_plain_clip), LIMITS, process_limits=Limits(wall_seconds=0.001))
    assert raised.value.limit == "wall"


def test_a_file_that_wants_too_much_memory_is_refused(shelf: Shelf) -> None:
    with pytest.raises(InvalidMedia) as raised:
        probe_video(
            shelf.get(nasty.make_huge_h264),
            replace(LIMITS, max_pixels=1 << 30),
            process_limits=Limits(memory_bytes=190 << 20),
        )
    assert raised.value.fault is MediaFault.UNREADABLE


def test_probing_can_be_cancelled(shelf: Shelf) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(MediaCancelled):
        probe_video(shelf.get(clips.make_plain_clip), LIMITS, cancel=cancel)


def test_notes_behind_the_last_box_are_no_damage(shelf: Shelf, tmp_path: Path) -> None:
    noted = tmp_path / "noted.mp4"
    noted.write_bytes(shelf.get(clips.make_plain_clip).read_bytes() + b"\0\0\0\2camera notes" * 10)
    assert read_structure(noted).missing is None
    assert probe_video(noted, LIMITS).duration_seconds == pytest.approx(4, abs=0.001)


@pytest.mark.parametrize("recipe", [clips.make_plain_clip, clips.make_odd_dimensions, clips.make_live_webm])
def test_a_whole_file_misses_nothing_and_a_byte_less_is_seen(
    shelf: Shelf, tmp_path: Path, recipe: Callable[[Path], Path]
) -> None:
    whole = shelf.get(recipe)
    assert read_structure(whole).missing is None
    cut = tmp_path / whole.name
    cut.write_bytes(whole.read_bytes()[:-1])
    is_live = recipe is clips.make_live_webm  # a recorder that was switched off writes no end either
    assert (read_structure(cut).missing is None) == is_live


@pytest.mark.parametrize(
    ("name", "codec", "content_type"),
    [
        ("memo.m4a", "aac", "audio/mp4"),
        ("memo.webm", "opus", "audio/webm"),
        ("memo.mp3", "mp3", "audio/mpeg"),
        ("memo.ogg", "vorbis", "audio/ogg"),
        ("memo.wav", "pcm_s16le", "audio/wav"),
        ("memo.aac", "aac", "audio/aac"),
        ("memo.flac", "flac", "audio/flac"),
    ],
)
def test_memos_of_every_recorder_are_measured(tmp_path: Path, name: str, codec: str, content_type: str) -> None:
    facts = probe_audio(clips.make_memo(tmp_path, name=name, seconds=5), AudioLimits())
    assert (facts.codec, facts.content_type, facts.channels) == (codec, content_type, 1)
    assert facts.duration_seconds == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("name", ["memo.wav", "memo.m4a"])
def test_a_title_in_an_old_encoding_is_no_obstacle(tmp_path: Path, name: str) -> None:
    """Recorders sold in Japan wrote Shift_JIS."""
    plain = clips.make_memo(tmp_path, name=name, seconds=1)
    titled = tmp_path / f"titled-{name}"
    run(["-i", str(plain), "-c", "copy", "-metadata", "title=ABCDEFGH", str(titled)])
    data = titled.read_bytes()
    assert b"ABCDEFGH" in data
    titled.write_bytes(data.replace(b"ABCDEFGH", "料理メモ".encode("shift_jis")))
    assert probe_audio(titled, AudioLimits()).duration_seconds == pytest.approx(1, abs=0.1)


def test_a_film_may_serve_as_a_memo(shelf: Shelf) -> None:
    facts = probe_audio(shelf.get(clips.make_surround), AudioLimits())
    assert (facts.stream_index, facts.channels, facts.content_type) == (1, 6, "audio/mp4")


@pytest.mark.parametrize(
    ("recipe", "fault"),
    [
        (nasty.make_empty, MediaFault.EMPTY),
        (nasty.make_random_bytes, MediaFault.UNREADABLE),
        (nasty.make_text, MediaFault.UNREADABLE),
        (nasty.make_svg, MediaFault.FORMAT_NOT_ACCEPTED),
        (clips.make_silent_film, MediaFault.NO_AUDIO),
        (nasty.make_index_cut_off, MediaFault.TRUNCATED),
    ],
)
def test_a_memo_that_is_none_is_refused(shelf: Shelf, recipe: Callable[[Path], Path], fault: MediaFault) -> None:
    with pytest.raises(InvalidMedia) as raised:
        probe_audio(shelf.get(recipe), AudioLimits())
    assert raised.value.fault is fault


@pytest.mark.parametrize("name", ["memo.wav", "memo.webm"])
def test_a_memo_of_more_than_three_minutes_is_too_long(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidMedia) as raised:
        probe_audio(clips.make_memo(tmp_path, name=name, seconds=190), AudioLimits())
    assert raised.value.fault is MediaFault.TOO_LONG


def test_a_memo_that_unfolds_to_hours_is_left_early(tmp_path: Path) -> None:
    """Silence packs well: a small file may hold days of it."""
    minutes, bomb = tmp_path / "minutes.flac", tmp_path / "bomb.flac"
    run(["-f", "lavfi", "-i", "anullsrc=sample_rate=8000", "-t", "600", "-frame_size", "65535", str(minutes)])
    run(["-stream_loop", "60", "-i", str(minutes), "-c", "copy", str(bomb)])
    with pytest.raises(InvalidMedia, match=r"lasts 1[89]\d s") as raised:
        probe_audio(bomb, AudioLimits())
    assert raised.value.fault is MediaFault.TOO_LONG
