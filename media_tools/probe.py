"""Says what a file is, measured rather than believed, or why it is refused.

The parsing happens in a child process (`probe_child.py`) with the runner's limits, because libav reads strangers' bytes
in the address space of its caller: a picture of 500 kB can ask for hundreds of megabytes, and a crash or an endless
loop would take a worker with it, again at every retry. The start of the child costs a quarter of a second, once per
upload. What is cheap and safe in Python, the size and the outer structure, is looked at before.
"""

import json
import threading
from pathlib import Path
from typing import Any, Literal

from media_tools.errors import InvalidMedia, MediaFault, MediaLimitExceeded, MediaToolFailed
from media_tools.facts import AudioFacts, AudioLimits, VideoFacts, VideoLimits
from media_tools.ffmpeg import Limits, run_script
from media_tools.structure import Structure, read_structure

__all__ = ["AudioFacts", "AudioLimits", "VideoFacts", "VideoLimits", "probe_audio", "probe_video"]

PROBE_LIMITS = Limits(wall_seconds=180, cpu_seconds=60, memory_bytes=1 << 30, output_bytes=1 << 20)
CHILD = Path(__file__).with_name("probe_child.py")
QUARTER_TURNS: dict[int, Literal[0, 90, 180, 270]] = {90: 90, 180: 180, 270: 270}
CONTENT_TYPES = {
    "3gp": "video/3gpp",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "matroska": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "webm": "video/webm",
}
AUDIO_CONTENT_TYPES = CONTENT_TYPES | {
    "3gp": "audio/3gpp",
    "matroska": "audio/x-matroska",
    "mov": "audio/mp4",
    "mp4": "audio/mp4",
    "webm": "audio/webm",
}


def probe_video(
    source: Path, limits: VideoLimits, *, cancel: threading.Event | None = None, process_limits: Limits = PROBE_LIMITS
) -> VideoFacts:
    """Measure a film of a cook.

    Raises InvalidMedia with the named fault where `limits` refuse it, MediaLimitExceeded where the machine was too
    slow, MediaCancelled.
    """
    byte_size, structure = _look_outside(source, limits.max_bytes)
    request = {
        "kind": "video",
        "formats": limits.formats,
        "video_codecs": limits.codecs,
        "audio_codecs": AudioLimits().codecs,
        "max_pixels": limits.max_pixels,
    }
    found = _ask_child(source, request, cancel, process_limits)
    facts = _read_video_facts(found, byte_size, structure)
    _check_duration(facts.duration_seconds, limits.min_duration_seconds, limits.max_duration_seconds)
    if (
        min(facts.width_px, facts.height_px) < limits.min_side_px
        or facts.width_px * facts.height_px > limits.max_pixels
    ):
        raise InvalidMedia(MediaFault.DIMENSIONS_NOT_ACCEPTED, f"it is {facts.width_px} x {facts.height_px} pixels")
    return facts


def probe_audio(
    source: Path, limits: AudioLimits, *, cancel: threading.Event | None = None, process_limits: Limits = PROBE_LIMITS
) -> AudioFacts:
    """Measure a voice memo by decoding it. Raises as `probe_video` does."""
    byte_size, structure = _look_outside(source, limits.max_bytes)
    request = {
        "kind": "audio",
        "formats": limits.formats,
        "video_codecs": (),
        "audio_codecs": limits.codecs,
        "max_pixels": 1,
        "max_duration_seconds": limits.max_duration_seconds,
    }
    found = _ask_child(source, request, cancel, process_limits)
    _check_duration(found["duration_seconds"], limits.min_duration_seconds, limits.max_duration_seconds)
    container = _name_container(found, structure)
    return AudioFacts(
        duration_seconds=found["duration_seconds"],
        container=container,
        content_type=AUDIO_CONTENT_TYPES[container],
        byte_size=byte_size,
        stream_index=found["stream_index"],
        codec=found["codec"],
        channels=found["channels"],
        sample_rate_hz=found["sample_rate_hz"],
    )


def _look_outside(source: Path, max_bytes: int) -> tuple[int, Structure]:
    byte_size = source.stat().st_size
    if byte_size == 0:
        raise InvalidMedia(MediaFault.EMPTY, "it has no bytes")
    if byte_size > max_bytes:
        raise InvalidMedia(MediaFault.TOO_LARGE, f"it has {byte_size} bytes, {max_bytes} are accepted")
    structure = read_structure(source)
    if structure.missing:
        raise InvalidMedia(MediaFault.TRUNCATED, structure.missing)
    return byte_size, structure


def _ask_child(source: Path, request: dict[str, Any], cancel: threading.Event | None, limits: Limits) -> dict[str, Any]:
    try:
        printed = run_script(
            CHILD, json.dumps(request | {"path": str(source.absolute())}), cancel=cancel, limits=limits
        )
    except MediaLimitExceeded as error:
        if error.limit == "wall":  # a busy machine is not the file's fault
            raise
        raise InvalidMedia(MediaFault.UNREADABLE, f"opening it took too much: {error}") from error
    except MediaToolFailed as error:
        if error.exit_code is not None and error.exit_code < 0:
            raise InvalidMedia(MediaFault.UNREADABLE, f"opening it crashed libav: {error}") from error
        raise
    found: dict[str, Any] = json.loads(printed)
    if "fault" in found:
        raise InvalidMedia(MediaFault(found["fault"]), found["detail"])
    return found


def _read_video_facts(found: dict[str, Any], byte_size: int, structure: Structure) -> VideoFacts:
    container = _name_container(found, structure)
    # libav counts the turn counter-clockwise. FFmpeg swaps the sides for quarter turns only.
    rotation = QUARTER_TURNS.get(-found["rotation"] % 360, 0)
    width_px, height_px = round(found["coded_width_px"] * found["sample_aspect"]), found["coded_height_px"]
    if rotation in (90, 270):
        width_px, height_px = height_px, width_px
    audio = found["audio"]
    return VideoFacts(
        duration_seconds=found["duration_seconds"],
        start_seconds=found["start_seconds"],
        container=container,
        content_type=CONTENT_TYPES[container],
        byte_size=byte_size,
        stream_index=found["stream_index"],
        codec=found["codec"],
        width_px=width_px,
        height_px=height_px,
        rotation_degrees=rotation,
        fps=found["fps"],
        is_variable_rate=found["is_variable_rate"],
        pixel_format=found["pixel_format"],
        bit_depth=found["bit_depth"],
        transfer=found["transfer"],
        matrix=found["matrix"],
        is_full_range=found["is_full_range"],
        audio_stream_index=audio["stream_index"] if audio else None,
        audio_codec=audio["codec"] if audio else None,
        audio_channels=audio["channels"] if audio else 0,
        audio_sample_rate_hz=audio["sample_rate_hz"] if audio else 0,
    )


def _name_container(found: dict[str, Any], structure: Structure) -> str:
    """The demuxer's name, or the finer one that the structure gave: mov and mp4, matroska and webm share theirs."""
    demuxer = str(found["format"]).split(",", maxsplit=1)[0]
    if demuxer in ("mov", "matroska") and structure.family != "other":
        return structure.family
    return demuxer


def _check_duration(seconds: float, min_seconds: float, max_seconds: float) -> None:
    if seconds < min_seconds:
        raise InvalidMedia(MediaFault.TOO_SHORT, f"it lasts {seconds:.1f} s, at least {min_seconds:g} s are needed")
    if seconds > max_seconds:
        raise InvalidMedia(MediaFault.TOO_LONG, f"it lasts {seconds:.0f} s, at most {max_seconds:g} s are accepted")
