"""Opens inputs under whitelists, and turns ffmpeg-python graphs into arguments."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import ffmpeg

Stream: TypeAlias = Any  # ffmpeg-python ships no types

FOOTAGE_FORMATS = ("mov", "matroska")  # the demuxers' own names: mov is mp4, m4a, 3gp too; matroska is webm too
MAX_PIXELS = 4096 * 3072


def open_input(
    source: Path | str,
    *,
    seek_seconds: float | None = None,
    length_seconds: float | None = None,
    is_seek_exact: bool = True,
    threads: int | None = None,
    copy: int = 0,
    formats: Sequence[str] = FOOTAGE_FORMATS,
    **options: str | float,
) -> Stream:
    """An ffmpeg-python input that opens `source` and nothing else.

    A Path is a local file whatever its name looks like; a str must be an https URL (our own signed ones). Only the
    demuxers in `formats` are tried, so that a playlist in a video's clothes cannot name its neighbours: the protocol
    whitelist alone does not stop that. A seek that is not exact begins with the key frame before it, at a negative
    time. Equal inputs of a graph are opened once, and what one branch does not need yet is kept in memory; inputs that
    differ in `copy` are opened apart. `options` are input options by FFmpeg's names, without the dash.
    """
    reading: dict[str, str | float | None] = {"format_whitelist": ",".join(formats), "max_pixels": MAX_PIXELS}
    if isinstance(source, Path):
        name = str(source) if source.is_absolute() else f"./{source}"
        reading["protocol_whitelist"] = "file"
    else:
        if urlsplit(source).scheme != "https":
            raise ValueError("only https URLs are read; give local files as Path")
        name = source
        reading |= {"protocol_whitelist": "https,tls,tcp", "tls_verify": 1, "rw_timeout": 30_000_000}
        authorities = ssl.get_default_verify_paths().cafile
        if authorities:  # a static build looks for them where it was built
            reading["ca_file"] = authorities
    if seek_seconds is not None:
        reading["ss"] = f"{seek_seconds:.6f}"
    if not is_seek_exact:
        reading["noaccurate_seek"] = None  # ffmpeg-python's way to write an option without a value
    if length_seconds is not None:
        reading["t"] = f"{length_seconds:.6f}"
    if copy:  # an option that changes nothing here: 8 is the default
        reading["thread_queue_size"] = 8 + copy
    if threads is not None:
        reading["threads"] = threads
    return ffmpeg.input(name, **(reading | options))


def compile_arguments(*outputs: Stream) -> list[str]:
    """FFmpeg's arguments, without the binary, for one or more ffmpeg-python outputs (with their global arguments)."""
    arguments: list[str] = ffmpeg.compile(ffmpeg.merge_outputs(*outputs))
    return arguments[1:]
