"""Stills and posters: the right moment, upright, in the right colours, and nothing else in the file."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from media_tools.encoding import EncoderSettings
from media_tools.errors import MediaCancelled, MediaToolFailed
from media_tools.facts import VideoFacts, VideoLimits
from media_tools.ffmpeg import compile_arguments, open_input, read_output, run
from media_tools.picture import fit_picture, fit_size
from media_tools.probe import probe_video
from media_tools.stills import draw_poster, draw_still, measure_richness
from tests.media import clips
from tests.media.fixtures import Shelf

RED, WHITE = (253, 0, 0), (254, 254, 254)


def probe(path: Path) -> VideoFacts:
    return probe_video(path, VideoLimits())


def read_pixels(path: Path) -> NDArray[Any]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize(
    "recipe",
    [clips.make_plain_clip, clips.make_default_phone_clip, clips.make_portrait_clip, clips.make_odd_dimensions],
)
def test_a_still_is_upright_and_as_large_as_it_says(
    shelf: Shelf, tmp_path: Path, recipe: Callable[[Path], Path], suffix: str
) -> None:
    source = shelf.get(recipe)
    facts = probe(source)
    still = draw_still(source, facts, tmp_path / f"still{suffix}", at_seconds=1)
    pixels = read_pixels(still.path)
    assert pixels.shape == (still.height_px, still.width_px, 3)
    assert (still.height_px > still.width_px) == facts.is_portrait
    # The pattern's first bar is red, and it stands at the left, whatever way the film was stored.
    middle, edge = pixels[still.height_px // 4 * 3], 4
    assert middle[edge][0] > 150
    assert max(middle[edge][1], middle[edge][2]) < 110
    assert [path.name for path in tmp_path.iterdir()] == [still.path.name]


@pytest.mark.parametrize("recipe", [clips.make_default_phone_clip, clips.make_pq_clip])
def test_hdr_looks_like_the_pattern_it_was_made_of(
    shelf: Shelf, tmp_path: Path, recipe: Callable[[Path], Path]
) -> None:
    """Shown as it is, HLG is 75 levels off and PQ 92; tone-mapped both are 32, for a pattern of purest colours."""
    source, plain = shelf.get(recipe), shelf.get(clips.make_plain_clip)
    hdr = read_pixels(draw_still(source, probe(source), tmp_path / "hdr.png", at_seconds=1).path)
    sdr = read_pixels(draw_still(plain, probe(plain), tmp_path / "sdr.png", at_seconds=1).path)
    assert np.abs(hdr - sdr).mean() < 45
    assert abs(float(hdr.mean()) - float(sdr.mean())) < 15


CODED_COLOURS = [
    ("bt709", "bt709", "160x90"),
    ("smpte170m", "smpte170m", "160x90"),
    ("bt2020nc", "bt2020nc", "160x90"),
    ("bt709", "unknown", "1280x720"),
    ("smpte170m", "unknown", "160x90"),
]


def make_red_film(path: Path, coded: str, tag: str, size: str) -> Path:
    matrix = {"bt2020nc": "bt2020"}.get(coded, coded)
    convert = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p,setparams=colorspace={tag}"
    run(["-f", "lavfi", "-i", f"color=red:size={size}:duration=3:rate=5", "-vf", convert, *clips.FAST_H264, str(path)])
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize(("coded", "tag", "size"), CODED_COLOURS)
def test_colours_are_those_of_the_film(tmp_path: Path, suffix: str, coded: str, tag: str, size: str) -> None:
    """Red through the wrong matrix is orange or brick; an untagged film is taken by its size."""
    film = make_red_film(tmp_path / "red.mp4", coded, tag, size)
    still = draw_still(film, probe(film), tmp_path / f"red{suffix}", at_seconds=1)
    assert np.abs(read_pixels(still.path) - RED).max() <= 6


@pytest.mark.parametrize(("coded", "tag", "size"), CODED_COLOURS)
def test_colours_stay_through_an_encode(tmp_path: Path, coded: str, tag: str, size: str) -> None:
    """What the film does: fit, encode with its tags."""
    source, film = make_red_film(tmp_path / "red.mp4", coded, tag, size), tmp_path / "film.mp4"
    fitted = fit_picture(open_input(source).video, probe(source), 320, 180)
    run(compile_arguments(fitted.output(str(film), **EncoderSettings(preset="ultrafast").list_options())))
    facts = probe(film)
    assert (facts.matrix, facts.is_full_range) == ("bt709", False)
    still = draw_still(film, facts, tmp_path / "red.png", at_seconds=1)
    assert np.abs(read_pixels(still.path) - RED).max() <= 8


def test_a_full_range_film_keeps_its_whites(tmp_path: Path) -> None:
    film = tmp_path / "white.mp4"
    full = ["-vf", "scale=out_range=pc,format=yuvj420p", "-color_range", "pc", "-c:v", "libx264"]
    run(["-f", "lavfi", "-i", "color=white:size=160x90:duration=3", *full, str(film)])
    assert probe(film).is_full_range
    still = draw_still(film, probe(film), tmp_path / "white.png", at_seconds=1)
    assert np.abs(read_pixels(still.path) - WHITE).max() <= 4


@pytest.mark.parametrize(("asked", "frame"), [(-5.0, 0), (1.0, 30), (2.55, 77), (99.0, 119)])
def test_the_moment_is_exact_and_clamped(shelf: Shelf, tmp_path: Path, asked: float, frame: int) -> None:
    source = shelf.get(clips.make_plain_clip)
    still = draw_still(source, probe(source), tmp_path / "still.png", at_seconds=asked)
    every = open_input(source).output("pipe:1", format="rawvideo", pix_fmt="rgb24")
    frames = np.frombuffer(b"".join(read_output(compile_arguments(every))), np.uint8).reshape(-1, 180, 320, 3)
    distances = np.abs(frames.astype(int) - read_pixels(still.path)).mean(axis=(1, 2, 3))
    assert distances.argmin() == frame


def test_a_last_frame_that_lasts_is_found(shelf: Shelf, tmp_path: Path) -> None:
    """The camera's clock ran on for two seconds after the last picture."""
    source = tmp_path / "lasting.mp4"
    lasting = "setts=duration='if(eq(N,119),30720,DURATION)'"
    run(["-i", str(shelf.get(clips.make_silent_film)), "-c", "copy", "-bsf:v", lasting, str(source)])
    facts = probe(source)
    assert facts.duration_seconds == pytest.approx(3.967 + 2, abs=0.01)
    still = draw_still(source, facts, tmp_path / "still.jpg", at_seconds=5.9)
    assert still.path.stat().st_size > 0


def test_it_is_never_wider_than_asked_nor_than_the_film(shelf: Shelf, tmp_path: Path) -> None:
    source = shelf.get(clips.make_plain_clip)
    facts = probe(source)
    assert draw_still(source, facts, tmp_path / "a.jpg", at_seconds=1, max_width_px=100).width_px == 100
    assert draw_still(source, facts, tmp_path / "b.jpg", at_seconds=1, max_width_px=5000).width_px == 320


def test_a_poster_shows_something(tmp_path: Path) -> None:
    """Two thirds of the film are black: the lens cap was on."""
    film = tmp_path / "cap.mp4"
    black = "drawbox=color=black:thickness=fill:enable='lt(t,4)'"
    clips.make_clip(film, seconds=6, encoder=["-vf", black, *clips.FAST_H264])
    poster = draw_poster(film, probe(film), tmp_path / "poster.jpg")
    assert poster.at_seconds >= 4
    assert read_pixels(poster.path).std() > 40


def test_a_black_film_gets_a_black_poster(tmp_path: Path) -> None:
    film = tmp_path / "black.mp4"
    run(["-f", "lavfi", "-i", "color=black:size=160x90:duration=4", *clips.FAST_H264, str(film)])
    poster = draw_poster(film, probe(film), tmp_path / "poster.jpg")
    assert 1 < poster.at_seconds < 3.5
    assert read_pixels(poster.path).max() < 5


def test_richness_ranks_pictures_as_people_do() -> None:
    dice = np.random.default_rng(1)
    black = np.zeros((90, 160), np.uint8)
    dark_noise = dice.integers(0, 12, (90, 160), dtype=np.uint8)
    blurred = np.tile(np.linspace(60, 190, 160).astype(np.uint8), (90, 1))
    scene = blurred // 2 + np.kron(dice.integers(0, 120, (9, 16)), np.ones((10, 10))).astype(np.uint8)
    ranks = [measure_richness(picture) for picture in (black, dark_noise, blurred, scene)]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 4


def test_nothing_of_the_films_metadata_is_left(shelf: Shelf, tmp_path: Path) -> None:
    source = shelf.get(clips.make_default_phone_clip)
    assert b"+35.6595+139.7005" in source.read_bytes()
    for name in ("still.jpg", "still.png"):
        data = draw_still(source, probe(source), tmp_path / name, at_seconds=1).path.read_bytes()
        for trace in (b"35.6595", b"Apple", b"Lavc", b"Lavf", b"location", b"Exif"):
            assert trace not in data


def test_a_film_without_pictures_leaves_no_file(shelf: Shelf, tmp_path: Path) -> None:
    source = tmp_path / "film" / "emptied.mp4"
    source.parent.mkdir()
    data = bytearray(shelf.get(clips.make_silent_film).read_bytes())
    facts = probe(shelf.get(clips.make_silent_film))
    start = data.index(b"mdat") + 4
    data[start : data.index(b"moov") - 4] = bytes(data.index(b"moov") - 4 - start)
    source.write_bytes(data)
    stills = tmp_path / "stills"
    stills.mkdir()
    with pytest.raises(MediaToolFailed):
        draw_still(source, facts, stills / "still.jpg", at_seconds=1)
    assert list(stills.iterdir()) == []


def test_drawing_can_be_cancelled_and_leaves_no_file(shelf: Shelf, tmp_path: Path) -> None:
    source, cancel = shelf.get(clips.make_plain_clip), threading.Event()
    cancel.set()
    with pytest.raises(MediaCancelled):
        draw_poster(source, probe(source), tmp_path / "poster.jpg", cancel=cancel)
    assert list(tmp_path.iterdir()) == []


def test_other_kinds_of_picture_are_not_drawn(shelf: Shelf, tmp_path: Path) -> None:
    source = shelf.get(clips.make_plain_clip)
    with pytest.raises(ValueError, match="webp"):
        draw_still(source, probe(source), tmp_path / "still.webp", at_seconds=1)


@pytest.mark.parametrize(
    ("recipe", "inner"),
    [
        (clips.make_plain_clip, (640, 360)),
        (clips.make_portrait_clip, (202, 360)),
        (clips.make_anamorphic_clip, (640, 360)),
        (clips.make_odd_dimensions, (638, 360)),
    ],
)
def test_a_fitted_picture_is_whole_and_centred(
    shelf: Shelf, recipe: Callable[[Path], Path], inner: tuple[int, int]
) -> None:
    source = shelf.get(recipe)
    facts = probe(source)
    assert fit_size(facts, 640, 360) == inner
    fitted = fit_picture(open_input(source, length_seconds=0.1).video, facts, 640, 360)
    raw = compile_arguments(fitted.output("pipe:1", format="rawvideo", pix_fmt="gray", **{"frames:v": 1}))
    picture = np.frombuffer(b"".join(read_output(raw)), np.uint8).reshape(360, 640)
    lit = np.flatnonzero(picture.max(axis=0) > 40)
    border = (640 - inner[0]) // 2
    assert abs(int(lit[0]) - border) <= 2
    assert abs(int(lit[-1]) - (639 - border)) <= 2
