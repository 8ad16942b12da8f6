"""Every nasty file ends in facts or in a refusal with its fault, within limits, and opens nothing but itself."""

import random
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from media_tools.compose import FilmRequest, compose_film
from media_tools.encoding import EncoderSettings
from media_tools.errors import InvalidMedia, MediaFault
from media_tools.facts import AudioLimits, VideoLimits
from media_tools.ffmpeg import Limits
from media_tools.film_picture import Canvas
from media_tools.probe import probe_audio, probe_video
from media_tools.stills import draw_poster
from media_tools.titles import TitleTexts
from tests.media import clips
from tests.media.canaries import OpenedFiles, SilentServer
from tests.media.fixtures import Shelf
from tests.media.nasty import NASTY_FILES, PLAYLIST_KINDS, NastyFile, write_playlist

LIMITS = VideoLimits()
COMPOSING = Limits(wall_seconds=120, cpu_seconds=60, memory_bytes=2 << 30, output_bytes=64 << 20)
TIGHT = Limits(wall_seconds=120, cpu_seconds=20, memory_bytes=512 << 20)


@pytest.mark.parametrize("nasty_file", NASTY_FILES, ids=lambda nasty_file: nasty_file.name)
def test_every_file_ends_in_facts_or_its_fault(shelf: Shelf, tmp_path: Path, nasty_file: NastyFile) -> None:
    path = shelf.get(nasty_file.make)
    with OpenedFiles(path.parent) as opened:
        if nasty_file.fault is None:
            facts = probe_video(path, LIMITS, process_limits=TIGHT)
            assert LIMITS.min_duration_seconds <= facts.duration_seconds <= LIMITS.max_duration_seconds
            poster = draw_poster(path, facts, tmp_path / "poster.jpg")
            assert poster.path.stat().st_size > 500
        else:
            with pytest.raises(InvalidMedia) as raised:
                probe_video(path, LIMITS, process_limits=TIGHT)
            assert raised.value.fault is nasty_file.fault
            assert raised.value.detail
        assert opened.list_names() <= {path.name}


FILMS = [
    (clips.make_three_seconds, 2.9),
    (clips.make_three_seconds, 99.0),
    (clips.make_sparse_keyframes, 9.9),
    *(
        (nasty_file.make, -2.0)
        for nasty_file in NASTY_FILES
        if nasty_file.fault is None and nasty_file.make not in (clips.make_three_seconds, clips.make_sparse_keyframes)
    ),
]
FOR_LONG_RUNS = (clips.make_fragmented, clips.make_live_webm, clips.make_anamorphic_clip)


@pytest.mark.parametrize(
    ("recipe", "key_seconds"),
    [pytest.param(*film, marks=pytest.mark.long if film[0] in FOR_LONG_RUNS else []) for film in FILMS],
    ids=lambda value: f"{value:g}" if isinstance(value, float) else value.__name__,
)
def test_every_accepted_file_ends_in_a_whole_film(
    shelf: Shelf, tmp_path: Path, recipe: Callable[[Path], Path], key_seconds: float
) -> None:
    """A negative key moment counts from the end of the file."""
    source = shelf.get(recipe)
    facts = probe_video(source, LIMITS)
    with OpenedFiles(source.parent) as opened:
        film = compose_film(
            FilmRequest(
                source=source,
                facts=facts,
                key_moment_seconds=key_seconds % facts.duration_seconds if key_seconds < 0 else key_seconds,
                part1_audio=clips.make_speech_like(tmp_path / "part1.wav", seconds=2),
                part2_audio=clips.make_speech_like(tmp_path / "part2.wav", seconds=3),
                part1_text="今日もおいしそうです。",
                part2_text="ここを見てください。",
                titles=TitleTexts(dish="卵焼き", session_number=1, next_action="弱火で待つ", success_sign="音が静か"),
                output=tmp_path / "film.mp4",
                work_folder=tmp_path,
                encoder=EncoderSettings(preset="ultrafast"),
                canvas=Canvas(160, 90),
            ),
            limits=COMPOSING,
        )
        assert opened.list_names() == {source.name}
    with av.open(str(film.path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert len(packets) == film.frames == 30 * film.duration_seconds
    shown = probe_video(film.path, LIMITS)
    assert (shown.width_px, shown.height_px, shown.fps, shown.transfer) == (160, 90, 30, "sdr")
    assert shown.rotation_degrees == 0
    assert b"35.6595" not in film.path.read_bytes()


@pytest.mark.parametrize("kind", PLAYLIST_KINDS)
@pytest.mark.parametrize("reference", ["absolute", "relative", "http", "concat", "subfile"])
def test_a_playlist_in_any_clothes_is_refused_and_opens_nothing(tmp_path: Path, kind: str, reference: str) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    clips.make_clip(own / "neighbour.mp4", seconds=0.2)
    secret = clips.make_clip(other / "secret.mp4", seconds=0.2)
    with SilentServer() as server, OpenedFiles(own) as opened_here, OpenedFiles(other) as opened_there:
        target = {
            "absolute": str(secret),
            "relative": "neighbour.mp4",
            "http": f"http://127.0.0.1:{server.port}/film.mp4",
            "concat": f"concat:{secret}|{own / 'neighbour.mp4'}",
            "subfile": f"subfile,,start,0,end,100,,:{secret}",
        }[reference]
        film = write_playlist(own / "film.mp4", kind, target)
        assert refuse_video(film) in (MediaFault.FORMAT_NOT_ACCEPTED, MediaFault.UNREADABLE)
        memo = film.rename(own / "memo.wav")
        assert refuse_audio(memo) in (MediaFault.FORMAT_NOT_ACCEPTED, MediaFault.UNREADABLE)
        assert opened_here.list_names() <= {"film.mp4", "memo.wav"}
        assert opened_there.list_names() == set()
        assert not server.was_called()


MUTABLE = (
    clips.make_plain_clip,
    clips.make_live_webm,
    clips.make_fragmented,
    clips.make_default_phone_clip,
    clips.make_odd_dimensions,
)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.long if seed else []) for seed in range(20)])
def test_files_with_wrong_bytes_end_in_facts_or_a_fault(shelf: Shelf, tmp_path: Path, seed: int) -> None:
    """Headers with a few bytes changed: any other error than InvalidMedia is a bug of ours."""
    dice = random.Random(seed)
    path = tmp_path / "mutated.mp4"
    for _ in range(8):
        data = bytearray(shelf.get(dice.choice(MUTABLE)).read_bytes())
        header = max(0, data.find(b"moov"))
        for _ in range(dice.choice((1, 3, 10, 40))):
            position = dice.randrange(header, min(len(data), header + 3000))
            data[position] = dice.choice((0, 127, 255, dice.randrange(256)))
        path.write_bytes(data)
        try:
            facts = probe_video(path, LIMITS, process_limits=TIGHT)
        except InvalidMedia:
            continue
        assert LIMITS.min_duration_seconds <= facts.duration_seconds <= LIMITS.max_duration_seconds


def refuse_video(path: Path) -> MediaFault:
    with pytest.raises(InvalidMedia) as raised:
        probe_video(path, LIMITS, process_limits=TIGHT)
    return raised.value.fault


def refuse_audio(path: Path) -> MediaFault:
    with pytest.raises(InvalidMedia) as raised:
        probe_audio(path, AudioLimits(), process_limits=TIGHT)
    return raised.value.fault
