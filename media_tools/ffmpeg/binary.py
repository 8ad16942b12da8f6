"""Finds an FFmpeg that can do our work."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator

from media_tools.errors import MissingTool

OLDEST_SYSTEM_VERSION = 7
NEEDED_FILTERS = frozenset({"ass", "tonemap", "zscale"})
NEEDED_ENCODERS = frozenset({"aac", "libx264"})


@functools.cache
def find_ffmpeg() -> str:
    """The path of an FFmpeg that can do our work.

    $FFMPEG_BINARY where it is set; else the system's, if it is version 7 or later; else imageio-ffmpeg's.
    Raises MissingTool, saying what each candidate lacked.
    """
    chosen = os.environ.get("FFMPEG_BINARY")
    if chosen:
        lack = _find_lack(chosen, oldest_version=0)
        if lack:
            raise MissingTool(f"FFMPEG_BINARY={chosen} {lack}")
        return chosen
    lacks: list[str] = []
    for candidate in _list_candidates():
        lack = _find_lack(candidate, oldest_version=OLDEST_SYSTEM_VERSION)
        if lack is None:
            return candidate
        lacks.append(f"{candidate} {lack}")
    found = "; ".join(lacks) or "none was found"
    raise MissingTool(
        f"no usable FFmpeg ({found}): install FFmpeg {OLDEST_SYSTEM_VERSION} or later with libass, zimg and x264, "
        "or the Python package imageio-ffmpeg, or set FFMPEG_BINARY"
    )


def list_encoders() -> frozenset[str]:
    """Names of the encoders that this machine's FFmpeg was built with."""
    return _list_parts(find_ffmpeg(), "-encoders")


def _list_candidates() -> Iterator[str]:
    system = shutil.which("ffmpeg")
    if system:
        yield system
    try:
        import imageio_ffmpeg  # part of the embedded group: the production image has a system FFmpeg instead
    except ImportError:
        return
    try:
        yield imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        return  # a wheel without a binary, on a platform that has none


def _find_lack(binary: str, *, oldest_version: int) -> str | None:
    """What keeps this FFmpeg from our work, or None."""
    try:
        banner = subprocess.run([binary, "-version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"does not run ({error})"
    version = re.match(r"ffmpeg version n?(\d+)\.", banner)
    if version and int(version[1]) < oldest_version:  # a git snapshot has no number and is newer
        return f"is version {version[1]}"
    lacking = (NEEDED_FILTERS - _list_parts(binary, "-filters")) | (NEEDED_ENCODERS - _list_parts(binary, "-encoders"))
    return f"lacks {', '.join(sorted(lacking))}" if lacking else None


@functools.cache
def _list_parts(binary: str, option: str) -> frozenset[str]:
    """Names in the tables of `-filters` and `-encoders`: flags, name, description."""
    table = subprocess.run([binary, "-hide_banner", option], capture_output=True, text=True, timeout=30, check=True)
    return frozenset(re.findall(r"^ [A-Z.|]{2,6} (\w+) ", table.stdout, flags=re.MULTILINE))
