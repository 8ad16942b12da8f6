"""The one room that runs FFmpeg.

Graphs are built with ffmpeg-python from `open_input`, turned into arguments by `compile_arguments`, and run by
`run` (writes files), `read_output` (yields its standard output) or `feed_input` (is fed raw frames). Every process
runs in a session of its own under a wall clock and resource limits, with none of our secrets in its environment, and
dies with us. Nothing here keeps or removes output files: callers write to a temporary name and rename it when it
has been verified.
"""

import re
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path

from media_tools.ffmpeg.binary import find_ffmpeg, list_encoders
from media_tools.ffmpeg.inputs import FOOTAGE_FORMATS, MAX_PIXELS, Stream, compile_arguments, open_input
from media_tools.ffmpeg.process import DEFAULT_LIMITS, Limits, Process, RunReport

__all__ = [
    "DEFAULT_LIMITS",
    "FOOTAGE_FORMATS",
    "MAX_PIXELS",
    "Limits",
    "RunReport",
    "Stream",
    "compile_arguments",
    "feed_input",
    "find_ffmpeg",
    "list_encoders",
    "open_input",
    "read_output",
    "run",
    "run_script",
]


def run(
    arguments: Sequence[str],
    *,
    total_frames: int | None = None,
    on_progress: Callable[[int], None] | None = None,
    cancel: threading.Event | None = None,
    limits: Limits = DEFAULT_LIMITS,
    work_folder: Path | None = None,
) -> RunReport:
    """Run FFmpeg to its end. `work_folder` is its current folder.

    With `total_frames`, `on_progress` gets rising whole percents: at most 99 while it runs, 100 once it has succeeded.
    Raises MediaCancelled, MediaLimitExceeded, MediaToolFailed, MissingTool.
    """
    reporting = ["-nostdin", "-progress", "pipe:1", "-nostats", "-stats_period", "0.5"]
    with Process(_command(*reporting, *arguments), cancel=cancel, limits=limits, work_folder=work_folder) as process:
        percent = 0
        for line in _split_lines(process.read()):
            process.sample_memory()
            # Of all the counts only this one is safe: out_time_ms is in microseconds and may be N/A.
            counted = re.fullmatch(rb"frame=\s*(\d+)\s*", line)
            if counted and total_frames:
                reached = min(99, 100 * int(counted[1]) // total_frames)
                if reached > percent:
                    percent = reached
                    _tell(on_progress, percent)
        report = process.finish()
    _tell(on_progress, 100)
    return report


def read_output(
    arguments: Sequence[str],
    *,
    cancel: threading.Event | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Generator[bytes, None, RunReport]:
    """Yield what FFmpeg writes to `pipe:1`, in pieces of any length; returns the report. Closing it ends FFmpeg.

    Raises as `run` does; a failure shows after the last piece, so what was read before it is not yet sound.
    """
    with Process(_command("-nostdin", *arguments), cancel=cancel, limits=limits) as process:
        read_bytes = 0
        for piece in process.read():
            read_bytes += len(piece)
            if read_bytes > limits.output_bytes:
                raise process.exceed("output")
            process.sample_memory()
            yield piece
        return process.finish()


def feed_input(
    arguments: Sequence[str],
    chunks: Iterable[bytes],
    *,
    cancel: threading.Event | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> RunReport:
    """Run FFmpeg with `chunks` as its `pipe:0`; one that ends before it took them all fails, unless it says success.

    Raises as `run` does.
    """
    with Process(_command(*arguments), cancel=cancel, limits=limits, feeds=True) as process:
        for _ in process.read(iter(chunks)):
            process.sample_memory()
        return process.finish()


def run_script(
    script: Path, *arguments: str, cancel: threading.Event | None = None, limits: Limits = DEFAULT_LIMITS
) -> bytes:
    """Run a Python script of ours that opens strangers' files; what it printed.

    It sees installed packages, but neither this project nor its environment. Raises as `run` does.
    """
    with Process([sys.executable, "-I", str(script), *arguments], cancel=cancel, limits=limits) as process:
        printed = b"".join(process.read())
        process.finish()
    return printed


def _command(*arguments: str) -> list[str]:
    return [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *arguments]


def _split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


def _tell(on_progress: Callable[[int], None] | None, percent: int) -> None:
    if on_progress is not None:
        on_progress(percent)
