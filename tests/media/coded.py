"""Footage whose every frame says which it is, so that a test can read out of a film what is shown where."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_tools.ffmpeg import feed_input, read_output

BITS = 12
DARK, BRIGHT = 40, 210
READ_AT = 0.8  # of the height: below the titles


def make_coded_clip(
    path: Path,
    *,
    seconds: float,
    fps: int = 30,
    width_px: int = 320,
    height_px: int = 180,
    keyframe_every: int = 30,
    sound: list[str] | None = None,
    metadata: list[str] | None = None,
) -> Path:
    """A film in which frame n shows n as twelve bars, dark for 0, bright for 1, the lowest bit at the left.

    `sound`: FFmpeg input arguments; by default a noise like a pan's.
    """
    hiss = ["-f", "lavfi", "-i", f"anoisesrc=duration={seconds}:amplitude=0.2:color=white:seed=1"]
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width_px}x{height_px}", "-r", str(fps), "-i", "pipe:0"]
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-g", str(keyframe_every), "-sc_threshold", "0"]
    feed_input(
        [*raw, *(hiss if sound is None else sound), *encoder, "-t", str(seconds), *(metadata or []), str(path)],
        _draw_frames(round(seconds * fps), width_px, height_px),
    )
    return path


def read_codes(film: Path, *, width_px: int, height_px: int) -> NDArray[np.int64]:
    """The number that each frame of a film shows, in the film's order."""
    arguments = ["-i", str(film), "-f", "rawvideo", "-pix_fmt", "gray", "-fps_mode", "passthrough", "pipe:1"]
    pixels = np.frombuffer(b"".join(read_output(arguments)), np.uint8).reshape(-1, height_px, width_px)
    middles = [round((bit + 0.5) * width_px / BITS) for bit in range(BITS)]
    bits = pixels[:, round(height_px * READ_AT), middles] > (DARK + BRIGHT) // 2
    return np.asarray(bits @ (1 << np.arange(BITS)), np.int64)


def _draw_frames(frames: int, width_px: int, height_px: int) -> Iterator[bytes]:
    colourless = bytes([128]) * (width_px * height_px // 2)
    edges = [round(bit * width_px / BITS) for bit in range(BITS + 1)]
    for frame in range(frames):
        row = np.empty(width_px, np.uint8)
        for bit in range(BITS):
            row[edges[bit] : edges[bit + 1]] = BRIGHT if frame >> bit & 1 else DARK
        yield row.tobytes() * height_px + colourless
