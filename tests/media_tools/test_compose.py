"""A film is composed whole or not at all, and shows and sounds what was planned: read back out of the film itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from scipy.io import wavfile

from media_tools.compose import FilmRequest, compose_film
from media_tools.encoding import EncoderSettings
from media_tools.errors import InvalidMedia, MediaCancelled, MediaLimitExceeded, MediaToolFailed
from media_tools.facts import VideoLimits
from media_tools.ffmpeg import Limits, read_output
from media_tools.film_picture import Canvas, group_shots
from media_tools.film_plan import plan_film
from media_tools.narration import measure_speech
from media_tools.probe import probe_video
from media_tools.timelapse import plan_timelapse
from tests.media.clips import make_clip, make_speech_like
from tests.media.coded import make_coded_clip
from tests.media.films import (
    PART1,
    PART2,
    PLACE,
    ComposedFilm,
    count_key_frames,
    find_first_edge,
    make_eight_seconds_of_codes,
    make_minute_of_codes,
    read_film_codes,
    request_film,
    request_of,
)
from tests.media.fixtures import Shelf
from tests.media.servers import FilmHost


@contextmanager
def expecting_nothing_left(request: FilmRequest) -> Iterator[None]:
    """Whatever happens inside: no file of the film, none in the work folder, and no process remain."""
    yield
    assert list(request.output.parent.iterdir()) == []
    assert list(request.work_folder.iterdir()) == []
    assert [child.name() for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()] == []


# The picture


def test_the_intro_spans_the_whole_cook_but_its_first_and_last_second(minute_film: ComposedFilm) -> None:
    film = minute_film.film
    shown = minute_film.codes[: count_key_frames(film).start]
    assert shown[0] == 30
    assert 58 * 30 < shown[-1] < 59 * 30
    assert np.all(np.diff(shown) > 0)


def test_the_key_clip_shows_the_moment_at_its_own_speed(minute_film: ComposedFilm) -> None:
    film = minute_film.film
    shown = minute_film.codes[count_key_frames(film)]
    assert list(shown) == list(range(28 * 30, 28 * 30 + 510))
    assert minute_film.codes[round(film.moment_seconds * 30)] == 30 * 30


def test_the_frames_are_those_of_the_sections(minute_film: ComposedFilm) -> None:
    film = minute_film.film
    assert film.frames == 4 * 30 + 17 * 30 + 7 * 30
    assert film.duration_seconds == film.frames / 30
    assert [section.name for section in film.sections] == ["intro", "key_moment", "outro"]
    assert film.sections[0].start_seconds == 0
    assert film.sections[1].start_seconds == film.key_start_seconds == 4
    assert film.sections[2].end_seconds == film.duration_seconds


def test_the_outros_card_fades_in_and_stays(minute_film: ComposedFilm) -> None:
    film = minute_film.film
    pixels = b"".join(read_output(["-i", str(film.path), "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]))
    outro = np.frombuffer(pixels, np.uint8).reshape(-1, 180, 320)[count_key_frames(film).stop :].astype(np.int64)
    assert len(outro) == 210
    brightness = outro[:, 40:140, 60:260].mean(axis=(1, 2))
    assert brightness[14] > brightness[0] + 60  # cream on a dark veil
    assert np.all(np.abs(np.diff(brightness[20:])) < 1)


@pytest.mark.parametrize(
    ("key_moment_seconds", "first", "moment"), [(58.0, 44 * 30, 58 * 30), (99.0, 44 * 30, 59 * 30 - 1)]
)
def test_a_moment_near_an_end_is_shown_and_the_last_second_is_not(
    shelf: Shelf, tmp_path: Path, key_moment_seconds: float, first: int, moment: int
) -> None:
    request = request_of(shelf.get(make_minute_of_codes), tmp_path, key_moment_seconds=key_moment_seconds)
    film = compose_film(request)
    codes = read_film_codes(film)
    shown = codes[count_key_frames(film)]
    assert (shown[0], shown[-1]) == (first, first + 449)
    assert codes[round(film.moment_seconds * 30)] == moment
    assert max(codes[: count_key_frames(film).stop]) < 59 * 30


def test_a_narration_longer_than_the_footage_gets_a_replay_and_the_moment_and_never_the_end(
    shelf: Shelf, tmp_path: Path
) -> None:
    request = request_of(
        shelf.get(make_eight_seconds_of_codes), tmp_path, key_moment_seconds=4, part1_seconds=20, part2_seconds=18
    )
    film = compose_film(request)
    codes = read_film_codes(film)
    intro, key = codes[: count_key_frames(film).start], codes[count_key_frames(film)]
    assert list(intro[:180]) == list(range(30, 210))  # once at its own speed
    slow = intro[180:540]
    assert (slow[0], slow[-1]) == (30, 209)  # once at half
    assert np.all(np.diff(slow) <= 1)
    assert len(set(intro[540:])) == 1  # and a still
    assert list(key[:180]) == list(range(30, 210))
    replay = key[180:360]
    assert (replay[0], replay[-1]) == (90, 179)
    assert np.all(np.diff(replay) <= 1)
    assert set(key[360:]) == {120}  # the moment's own frame, at 4 s
    edges = [find_first_edge(film, frame) for frame in (600 + 360, 600 + 539)]
    assert edges[0] == pytest.approx(80, abs=1)  # bits 3 to 6 of 120 are bright
    assert edges[1] == pytest.approx(73, abs=1)  # under a slow zoom of 8 % towards the middle
    assert codes[: 600 + 540].max() == 209


def test_beats_of_a_long_cook_go_on_through_it_even_with_one_key_frame(long_film: ComposedFilm) -> None:
    """A beat may begin early to save decoding, but no earlier than its slack, wherever the key frames lie."""
    film, codes = long_film.film, long_film.codes
    shown = codes[: count_key_frames(film).start]
    plan = plan_timelapse(132, 10)
    assert len(plan) == 4
    for number, shot in enumerate(plan):
        beat = shown[number * 75 : (number + 1) * 75]
        assert beat[0] == pytest.approx((shot.start_seconds - shot.slack_seconds) * 30, abs=1)
        assert set(np.diff(beat)) == {1, 2}


def test_a_beat_begins_at_the_key_frame_before_it(tmp_path: Path) -> None:
    source = make_coded_clip(tmp_path / "long.mp4", seconds=132, keyframe_every=150)
    film = compose_film(request_of(source, tmp_path, key_moment_seconds=60, part1_seconds=10))
    shown = read_film_codes(film)
    assert [int(shown[number * 75]) % 150 for number in (1, 2, 3)] == [0, 0, 0]


def test_large_footage_is_composed_in_parts_that_fit_into_memory(long_film: ComposedFilm) -> None:
    """Facts of 4K footage in 10 bits make several parts; the film is the same."""
    film, request, whole = long_film.film, long_film.request, long_film.codes
    large = replace(request.facts, width_px=3840, height_px=2160, bit_depth=10)
    shots = plan_timelapse(132, 8)
    assert len(list(group_shots(shots, request.facts))) == 1
    groups = list(group_shots(shots, large))
    assert len(groups) > 1
    assert [shot for group in groups for shot in group] == list(shots)
    in_parts = compose_film(replace(request, facts=large))
    assert in_parts == film
    assert np.array_equal(read_film_codes(in_parts)[: 8 * 30 + 450], whole[: 8 * 30 + 450])


def test_portrait_footage_is_shown_upright_and_whole_whatever_its_folder_is_called(tmp_path: Path) -> None:
    """The folder's name is full of what filter graphs and lists take for punctuation."""
    folder = tmp_path / "o'd:d, [f]o;l=d%er \\ 卵"
    folder.mkdir()
    source = make_coded_clip(folder / "-x'y.mp4", seconds=6, width_px=180, height_px=320)
    request = replace(request_of(source, folder, key_moment_seconds=3), canvas=Canvas(180, 320))
    film = compose_film(request)
    assert list(read_film_codes(film)[count_key_frames(film)][:120]) == list(range(30, 150))


def test_the_film_has_the_shape_of_the_footage(shelf: Shelf, tmp_path: Path) -> None:
    speech = measure_speech(make_speech_like(tmp_path / "speech.wav", seconds=2))
    request = replace(request_of(shelf.get(make_eight_seconds_of_codes), tmp_path), canvas=None)
    assert plan_film(request, speech, speech).canvas == Canvas(1280, 720)
    upright = replace(request, facts=replace(request.facts, width_px=1080, height_px=1920))
    assert plan_film(upright, speech, speech).canvas == Canvas(720, 1280)


def test_two_runs_give_the_same_film(shelf: Shelf, tmp_path: Path) -> None:
    request = request_of(shelf.get(make_eight_seconds_of_codes), tmp_path, key_moment_seconds=4)
    first = compose_film(request)
    codes = read_film_codes(first)
    second = compose_film(request)
    assert second == first
    assert np.array_equal(read_film_codes(second), codes)


# The file


def test_the_file_is_what_players_expect(minute_film: ComposedFilm) -> None:
    film = minute_film.film
    with av.open(str(film.path)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, picture.profile, picture.pix_fmt) == ("h264", "High", "yuv420p")
        assert picture.average_rate == picture.base_rate == 30
        assert (sound.codec_context.name, sound.sample_rate, sound.layout.name) == ("aac", 48_000, "stereo")
        assert picture.duration is not None
        assert float(picture.duration * (picture.time_base or 0)) == pytest.approx(film.duration_seconds)
        times = sorted(packet.pts for packet in container.demux(video=0) if packet.pts is not None)
        assert set(np.diff(times)) == {3000}  # not a tick off at the seams of the parts
    data = film.path.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")


def test_no_place_is_left_in_the_film(minute_film: ComposedFilm) -> None:
    film, request = minute_film.film, minute_film.request
    assert isinstance(request.source, Path)
    assert PLACE.encode() in request.source.read_bytes()
    assert b"35.6595" not in film.path.read_bytes()
    with av.open(str(film.path)) as container:
        found = [container.metadata, *(stream.metadata for stream in container.streams)]
    assert not any("35.6595" in value for metadata in found for value in metadata.values())
    assert {key for metadata in found for key in metadata} <= {
        *("major_brand", "minor_version", "compatible_brands", "encoder"),
        *("language", "handler_name", "vendor_id"),
    }


def test_captions_and_chapters_lie_beside_it(minute_film: ComposedFilm) -> None:
    film = minute_film.film
    captions = film.captions_path.read_text(encoding="utf-8")
    assert captions.startswith("WEBVTT")
    spoken = [line for line in captions.splitlines() if line and not line.isdigit() and "-->" not in line]
    assert "".join(spoken[1:]) == PART1 + PART2
    chapters = film.chapters_path.read_text(encoding="utf-8")
    assert "00:00:04.000 --> 00:00:21.000\nここがポイント" in chapters
    assert sorted(path.name for path in film.path.parent.iterdir()) == [
        "film.captions.vtt",
        "film.chapters.vtt",
        "film.mp4",
    ]


def test_progress_rises_to_a_hundred(minute_film: ComposedFilm) -> None:
    percents = minute_film.percents
    assert percents == sorted(set(percents))
    assert percents[-1] == 100
    assert len(percents) > 5


def test_nothing_is_left_in_the_work_folder(minute_film: ComposedFilm) -> None:
    assert list(minute_film.request.work_folder.iterdir()) == []


def test_a_silent_narration_makes_a_film_without_captions(shelf: Shelf, tmp_path: Path) -> None:
    request = request_of(shelf.get(make_eight_seconds_of_codes), tmp_path, key_moment_seconds=4, level=0)
    film = compose_film(replace(request, part2_audio=request.part1_audio))  # and one recording may serve twice
    assert film.captions_path.read_text(encoding="utf-8").strip() == "WEBVTT"
    assert film.frames == 4 * 30 + 450 + 210


# What goes wrong


def test_cancelling_in_the_middle_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    request = request_of(shelf.get(make_minute_of_codes), tmp_path, part1_seconds=10)
    cancel = threading.Event()
    seen: list[int] = []

    def cancel_in_mid_compose(percent: int) -> None:
        seen.append(percent)
        if percent > 3:  # the picture is being encoded
            cancel.set()

    with expecting_nothing_left(request), pytest.raises(MediaCancelled):
        compose_film(request, on_progress=cancel_in_mid_compose, cancel=cancel)
    assert 3 < seen[-1] < 100


def test_a_full_disk_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    request = request_of(shelf.get(make_eight_seconds_of_codes), tmp_path, key_moment_seconds=4)
    with expecting_nothing_left(request), pytest.raises(MediaLimitExceeded) as raised:
        compose_film(request, limits=Limits(output_bytes=300_000))
    assert raised.value.limit == "output"


def test_a_failure_keeps_the_film_that_was_there(shelf: Shelf, tmp_path: Path) -> None:
    request = request_of(shelf.get(make_eight_seconds_of_codes), tmp_path, key_moment_seconds=4)
    request.output.write_bytes(b"the film of yesterday")
    with pytest.raises(MediaLimitExceeded):
        compose_film(request, limits=Limits(wall_seconds=0.01))
    assert request.output.read_bytes() == b"the film of yesterday"
    assert [path.name for path in request.output.parent.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("break_source", [lambda path: path.unlink(), lambda path: path.write_bytes(b"no film" * 999)])
def test_footage_that_vanished_or_changed_since_the_probe_fails(
    tmp_path: Path, break_source: Callable[[Path], object]
) -> None:
    source = make_clip(tmp_path / "clip.mp4", seconds=4)
    request = request_of(source, tmp_path, key_moment_seconds=2)
    break_source(source)
    with expecting_nothing_left(request), pytest.raises(MediaToolFailed):
        compose_film(request)


def test_footage_shorter_than_its_facts_say_fails_rather_than_giving_a_shorter_film(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", seconds=4)
    request = request_of(source, tmp_path, key_moment_seconds=2)
    claimed = replace(request, facts=replace(request.facts, duration_seconds=120.0), key_moment_seconds=100)
    with expecting_nothing_left(request), pytest.raises(MediaToolFailed, match="frames"):
        compose_film(claimed)


def test_a_recording_without_sound_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    request = request_of(shelf.get(make_eight_seconds_of_codes), tmp_path, key_moment_seconds=4)
    wavfile.write(request.part2_audio, 48_000, np.zeros(0, np.int16))
    with expecting_nothing_left(request), pytest.raises(InvalidMedia):
        compose_film(request)


def test_footage_is_read_from_our_own_https(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = shelf.get(make_eight_seconds_of_codes)
    facts = probe_video(source, VideoLimits())
    with FilmHost(source.parent, tmp_path) as host:
        monkeypatch.setenv("SSL_CERT_FILE", str(host.certificate))
        film = compose_film(request_film(tmp_path, f"{host.url}/{source.name}", facts, key_moment_seconds=4))
    assert list(read_film_codes(film)[count_key_frames(film)][:180]) == list(range(30, 210))


@pytest.mark.parametrize(
    "settings", [{"codec": "mpeg2"}, {"preset": "p4"}, {"codec": "h264_nvenc"}, {"crf": 60}, {"crf": -1}]
)
def test_encoder_settings_that_make_no_sense_are_refused(settings: dict[str, str | int]) -> None:
    with pytest.raises(ValueError):
        EncoderSettings(**settings)  # type: ignore[arg-type]  # wrong on purpose


def test_a_graphics_card_takes_its_own_options() -> None:
    options = EncoderSettings(codec="h264_nvenc", preset="p4", crf=24).list_options()
    assert (options["vcodec"], options["cq"]) == ("h264_nvenc", 24)
    assert "crf" not in options
