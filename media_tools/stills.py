"""Single pictures out of a film: upright, in standard range, without the film's metadata."""

import math
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_tools.errors import MediaToolFailed
from media_tools.facts import VideoFacts
from media_tools.ffmpeg import Limits, Stream, compile_arguments, open_input, read_output, run
from media_tools.picture import shrink_picture, shrink_size

STILL_LIMITS = Limits(wall_seconds=120, cpu_seconds=120, memory_bytes=4 << 30, output_bytes=64 << 20)
STEPS_BACK_SECONDS = (0.0, 0.5, 2.0, 8.0)
POSTER_PLACES = (0.3, 0.45, 0.6, 0.75)
SAMPLE_WIDTH_PX = 160
JPEG_QUALITY = 3  # FFmpeg's scale for mjpeg: 2 is the best, 31 the worst


@dataclass(frozen=True, slots=True)
class Still:
    """`at_seconds` is where FFmpeg was sent; the picture is the first that begins there or later."""

    path: Path
    width_px: int
    height_px: int
    at_seconds: float


def draw_still(
    source: Path | str,
    facts: VideoFacts,
    target: Path,
    *,
    at_seconds: float,
    max_width_px: int = 1280,
    cancel: threading.Event | None = None,
    limits: Limits = STILL_LIMITS,
) -> Still:
    """Draw the picture at `at_seconds`, clamped into the film, as JPEG or PNG by the suffix of `target`.

    Where no picture begins between there and the end, or none can be decoded, an earlier one is taken.
    `target` appears whole or not at all. Raises MediaToolFailed, MediaCancelled.
    """
    if target.suffix not in (".jpg", ".png"):
        raise ValueError(f"a still is .jpg or .png, not {target.suffix}")
    unfinished = target.with_name(f"{target.stem}.unfinished{target.suffix}").absolute()
    try:
        for seek_seconds in _list_seeks(facts, at_seconds):
            picture = shrink_picture(_open_at(source, facts, seek_seconds), facts, max_width_px)
            run(compile_arguments(_write_picture(picture, unfinished)), cancel=cancel, limits=limits)
            # FFmpeg reports success when it found no picture at all.
            if unfinished.exists() and unfinished.stat().st_size:
                unfinished.replace(target)
                return Still(target, *shrink_size(facts, max_width_px), seek_seconds)
    finally:
        unfinished.unlink(missing_ok=True)
    raise MediaToolFailed(f"no picture could be decoded at {at_seconds:.2f} s or shortly before")


def draw_poster(
    source: Path | str,
    facts: VideoFacts,
    target: Path,
    *,
    max_width_px: int = 1280,
    cancel: threading.Event | None = None,
    limits: Limits = STILL_LIMITS,
) -> Still:
    """Draw the picture that shows most, out of a few spread over the film's middle; raises as `draw_still` does.

    The ends of a cook show the camera being put up and taken down.
    """
    best_seconds, best_richness = facts.duration_seconds / 2, -1.0
    for place in POSTER_PLACES:
        seconds = place * facts.duration_seconds
        luma = _read_luma(source, facts, seconds, cancel, limits)
        if luma is not None and (richness := measure_richness(luma)) > best_richness:
            best_seconds, best_richness = seconds, richness
    return draw_still(
        source, facts, target, at_seconds=best_seconds, max_width_px=max_width_px, cancel=cancel, limits=limits
    )


def measure_richness(luma: NDArray[np.uint8]) -> float:
    """How much a picture (height x width, 0..255) shows: bits of its tones times the root of its detail.

    Tones: Shannon entropy of the histogram in 32 steps, 0..5. Detail: mean absolute step between neighbours. A lens
    cap has neither, a blurred pan no detail, noise in the dark no tones.
    """
    shares = np.bincount(luma.ravel() // 8, minlength=32) / luma.size
    shares = shares[shares > 0]
    entropy = float(-(shares * np.log2(shares)).sum())
    levels = luma.astype(np.float32)
    detail = float(np.abs(np.diff(levels, axis=0)).mean() + np.abs(np.diff(levels, axis=1)).mean())
    return entropy * math.sqrt(detail)


def _list_seeks(facts: VideoFacts, at_seconds: float) -> list[float]:
    """Where to look in turn: the last frame of a variable rate may have begun long before the end."""
    last_seconds = facts.duration_seconds - 1 / max(facts.fps, 1)
    wanted_seconds = max(0.0, min(at_seconds, last_seconds))
    return sorted({max(0.0, wanted_seconds - back_seconds) for back_seconds in STEPS_BACK_SECONDS}, reverse=True)


def _open_at(source: Path | str, facts: VideoFacts, seek_seconds: float) -> Stream:
    """The film's picture from there on. Threads would each decode a frame ahead that nobody wants."""
    return open_input(source, seek_seconds=seek_seconds, threads=1)[str(facts.stream_index)]


def _write_picture(picture: Stream, path: Path) -> Stream:
    """One picture into one file: `update` takes the name as it is, without counting placeholders in it."""
    settings: dict[str, str | int] = {"frames:v": 1, "update": 1, "f": "image2"}
    # Exact bits, so that neither muxer nor encoder signs the picture with its version.
    settings |= {"fflags": "+bitexact", "flags:v": "+bitexact"}
    settings |= {"map_metadata": -1, "map_chapters": -1}
    if path.suffix == ".jpg":
        # JPEG files cannot say how their colours are coded: readers take BT.601 in full range (JFIF 1.02).
        picture = picture.filter(
            "scale", in_color_matrix="bt709", in_range="tv", out_color_matrix="bt601", out_range="pc"
        ).filter("format", "yuvj420p")
        settings |= {"c:v": "mjpeg", "q:v": JPEG_QUALITY}
    else:
        picture = picture.filter("scale", in_color_matrix="bt709", in_range="tv").filter("format", "rgb24")
        settings |= {"c:v": "png"}
    return picture.output(str(path), **settings)


def _read_luma(
    source: Path | str, facts: VideoFacts, seconds: float, cancel: threading.Event | None, limits: Limits
) -> NDArray[np.uint8] | None:
    """A small grey picture, height x width; None where there is none."""
    width_px, height_px = shrink_size(facts, SAMPLE_WIDTH_PX)
    picture = shrink_picture(_open_at(source, facts, seconds), facts, SAMPLE_WIDTH_PX).filter("format", "gray")
    raw = picture.output("pipe:1", **{"f": "rawvideo", "frames:v": 1})
    data = b"".join(read_output(compile_arguments(raw), cancel=cancel, limits=limits))
    if len(data) != width_px * height_px:
        return None
    return np.frombuffer(data, np.uint8).reshape(height_px, width_px)
