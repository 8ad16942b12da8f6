"""Puts a scene and a sound on film: one FFmpeg, one encode, renamed when it is whole."""

import tempfile
import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import ffmpeg
import numpy as np

from media_tools.ffmpeg import Stream, compile_arguments, feed_input, open_input
from media_tools.sample_cook.camera import Camera, write_sway
from media_tools.sample_cook.conditions import Conditions
from media_tools.sample_cook.kitchen import choose_palette
from media_tools.sample_cook.noises import SAMPLE_RATE_HZ, Samples
from media_tools.sample_cook.pencil import CANVAS_HEIGHT, CANVAS_WIDTH, MARGIN, VIEW_HEIGHT, Picture, scale_size

BT709 = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709"}


class Scene(Protocol):
    """A moving picture of the design's canvas."""

    def draw(self, now: float, drawing: int) -> Picture:
        """The canvas at second `now`, which rises from call to call; `drawing` counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmShape:
    """The size and speed of a film. A drawing is held for several frames, as animators do "on threes"."""

    size: tuple[int, int]
    fps: int
    drawings_per_second: int

    def __post_init__(self) -> None:
        width, height = self.size
        if width * 9 != height * 16 or width % 2 or height % 2 or height < 90:
            raise ValueError("a sample is 16:9, even in both sizes, at least 90 high")
        if not 1 <= self.drawings_per_second <= self.fps or self.fps % self.drawings_per_second:
            raise ValueError("drawings_per_second divides fps")

    @property
    def scale(self) -> float:
        """Pixels per design unit."""
        return self.size[1] / VIEW_HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What to film. `samples` is None for a film without a sound track; `stands_still` shows the first drawing only."""

    scene: Scene
    samples: Samples | None
    duration_seconds: int
    conditions: Conditions
    seed: int
    stands_still: bool = False


def shoot_film(film: Film, output: Path, shape: FilmShape, *, cancel: threading.Event | None = None) -> None:
    """Write `output` as MP4 (H.264, AAC), whole or not at all. Raises what `media_tools.ffmpeg.feed_input` raises."""
    with tempfile.TemporaryDirectory(prefix=".sample-", dir=output.parent) as folder:
        unfinished = Path(folder) / "film.mp4"
        streams = [_sway(film, shape)]
        if film.samples is not None:
            sound = Path(folder) / "sound.wav"
            write_wave(sound, film.samples)
            streams.append(open_input(sound, formats=("wav",)).audio)
        feed_input(compile_arguments(_encode(streams, unfinished, shape)), _draw_frames(film, shape), cancel=cancel)
        unfinished.rename(output)


def write_wave(path: Path, samples: Samples) -> None:
    """Write mono 16-bit WAV at SAMPLE_RATE_HZ."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _draw_frames(film: Film, shape: FilmShape) -> Iterator[bytes]:
    palette = choose_palette(film.seed)
    camera = Camera(
        film.conditions, duration_seconds=film.duration_seconds, seed=film.seed, palette=palette, scale=shape.scale
    )
    frame = b""
    for drawing in range(film.duration_seconds * shape.drawings_per_second):
        if not (film.stands_still and frame):
            now = drawing / shape.drawings_per_second
            frame = camera.shoot(film.scene.draw(now, drawing), now).tobytes()
        yield frame


def _sway(film: Film, shape: FilmShape) -> Stream:
    """The drawings as a stream of frames: each held, under a view that sways in whole pixels, with noise."""
    width, height = scale_size(CANVAS_WIDTH, CANVAS_HEIGHT, shape.scale)
    drawings = {"video_size": (width, height), "framerate": shape.drawings_per_second}
    canvas = ffmpeg.input("pipe:0", format="rawvideo", pixel_format="rgb24", **drawings)
    # Colours are converted once a drawing, before it is repeated.
    frames = canvas.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuv420p")
    frames = frames.filter("fps", shape.fps)
    margin_px = min((width - shape.size[0]) // 2, (height - shape.size[1]) // 2, round(MARGIN * shape.scale))
    x, y = write_sway(film.seed, film.conditions.jitter_px * shape.scale, margin_px)
    # exact: brightness moves by single pixels, and colours follow to within half of one.
    frames = frames.filter("crop", *shape.size, x=x, y=y, exact=1)
    if film.conditions.picture_noise:
        strength, seed = film.conditions.picture_noise, film.seed % 100_000
        frames = frames.filter("noise", alls=strength, allf="t", all_seed=seed)
    return frames.filter("setsar", 1)


def _encode(streams: list[Stream], output: Path, shape: FilmShape) -> Stream:
    options: dict[str, str | int] = {
        "vcodec": "libx264",
        "preset": "ultrafast",  # the film is read once and thrown away: speed counts, bytes do not
        "crf": 24,
        "g": 2 * shape.fps,
        "threads": 2,
        "movflags": "+faststart",
        "color_range": "tv",
        "map_metadata": -1,
        "map_chapters": -1,
        **BT709,
    }
    if len(streams) > 1:
        options |= {"acodec": "aac", "audio_bitrate": "128k", "aac_coder": "fast"}
    return ffmpeg.output(*streams, str(output), **options)
