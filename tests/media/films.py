"""Small films for tests to look at, and what to read out of them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media_tools.compose import Film, FilmRequest, compose_film
from media_tools.encoding import EncoderSettings
from media_tools.facts import VideoFacts, VideoLimits
from media_tools.ffmpeg import read_output
from media_tools.film_picture import Canvas
from media_tools.probe import probe_video
from media_tools.titles import TitleTexts
from tests.media.clips import make_speech_like
from tests.media.coded import make_coded_clip, read_codes
from tests.media.fixtures import Shelf

CANVAS = Canvas(320, 180)
PLACE = "+35.6595+139.7005/"
TITLES = TitleTexts(
    dish="チャーハン",
    session_number=1,
    next_action="卵が半熟のうちにご飯を入れます。",
    success_sign="パチパチ鳴ります。",
)
PART1 = "花子さん、今回はチャーハン作りの第1回です。とてもおいしそうですね。"
PART2 = "動画を使ってそのポイントを見てみましょう。卵が半熟のうちに入れます。"


def make_minute_of_codes(folder: Path) -> Path:
    """A minute that hisses, with the place where it was filmed in its metadata."""
    tags = ["location", "com.apple.quicktime.location.ISO6709", "comment", "title"]
    metadata = [part for tag in tags for part in ("-metadata", f"{tag}={PLACE}")]
    return make_coded_clip(folder / "minute.mov", seconds=60, metadata=[*metadata, "-movflags", "use_metadata_tags"])


def make_eight_seconds_of_codes(folder: Path) -> Path:
    return make_coded_clip(folder / "eight.mp4", seconds=8)


def make_minutes_with_one_key_frame(folder: Path) -> Path:
    return make_coded_clip(folder / "one-key-frame.mp4", seconds=132, keyframe_every=10_000)


def request_film(
    folder: Path,
    source: Path | str,
    facts: VideoFacts,
    *,
    key_moment_seconds: float = 30,
    part1_seconds: float = 4,
    part2_seconds: float = 3,
    level: float = 0.2,
) -> FilmRequest:
    """A request for a small film, in folders of its own."""
    for name in ("work", "film"):
        (folder / name).mkdir(exist_ok=True)
    return FilmRequest(
        source=source,
        facts=facts,
        key_moment_seconds=key_moment_seconds,
        part1_audio=make_speech_like(folder / "part1.wav", seconds=part1_seconds, level=level),
        part2_audio=make_speech_like(folder / "part2.wav", seconds=part2_seconds, level=level),
        part1_text=PART1,
        part2_text=PART2,
        titles=TITLES,
        output=folder / "film" / "film.mp4",
        work_folder=folder / "work",
        encoder=EncoderSettings(preset="ultrafast"),
        canvas=CANVAS,
    )


def request_of(path: Path, folder: Path, **options: float) -> FilmRequest:
    return request_film(folder, path, probe_video(path, VideoLimits()), **options)


def read_film_codes(film: Film) -> NDArray[np.int64]:
    """What each frame of the film shows, in frames of the footage; the outro is too blurred to say."""
    codes = read_codes(film.path, width_px=film.width_px, height_px=film.height_px)
    assert len(codes) == film.frames
    return codes


def find_first_edge(film: Film, frame: int) -> int:
    """The column at which a frame of the film first turns from dark to bright."""
    only = f"select=eq(n\\,{frame})"
    pixels = b"".join(
        read_output(
            ["-i", str(film.path), "-vf", only, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
        )
    )
    row = np.frombuffer(pixels, np.uint8).reshape(film.height_px, film.width_px)[round(0.8 * film.height_px)]
    return int(np.argmax(row > 125))


def count_key_frames(film: Film) -> slice:
    _, key, outro = (round(section.start_seconds * 30) for section in film.sections)
    return slice(key, outro)


@dataclass(frozen=True, slots=True)
class ComposedFilm:
    """A film, what it was asked for, the percents that were reported on the way, and what its frames show."""

    film: Film
    request: FilmRequest
    percents: list[int]
    codes: NDArray[np.int64]


@pytest.fixture(scope="session")
def minute_film(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> ComposedFilm:
    """Of a minute of footage, its moment at 30 s. Its key clip ends on a frame whose tick rounding can miss (510)."""
    request = request_of(shelf.get(make_minute_of_codes), tmp_path_factory.mktemp("minute"), part2_seconds=17)
    # The fastest preset of all leaves out what makes H.264 "High".
    return _compose(replace(request, encoder=EncoderSettings(preset="superfast")))


@pytest.fixture(scope="session")
def long_film(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> ComposedFilm:
    """Of more than two minutes that have one key frame, the moment at 60 s."""
    source = shelf.get(make_minutes_with_one_key_frame)
    return _compose(request_of(source, tmp_path_factory.mktemp("long"), key_moment_seconds=60, part1_seconds=10))


def _compose(request: FilmRequest) -> ComposedFilm:
    percents: list[int] = []
    film = compose_film(request, on_progress=percents.append)
    return ComposedFilm(film, request, percents, read_film_codes(film))
