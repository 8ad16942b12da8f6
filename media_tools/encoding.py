"""How the film is encoded: the settings that may vary, and the arguments that follow from them."""

import os
from dataclasses import dataclass
from typing import Literal

from media_tools.film_clock import FRAMES_PER_SECOND, SAMPLE_RATE_HZ

X264_PRESETS = frozenset(
    {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"}
)
NVENC_PRESETS = frozenset({"p1", "p2", "p3", "p4", "p5", "p6", "p7"})
PRESETS = {"libx264": X264_PRESETS, "h264_nvenc": NVENC_PRESETS}
MOST_THREADS = 8
"""x264 takes memory for every thread, and counts the machine's cores, not the container's share of them."""

TIMESCALE = 90_000
SOUND_OPTIONS = {"acodec": "aac", "audio_bitrate": "160k", "ar": SAMPLE_RATE_HZ, "ac": 2}


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """The H.264 encoder, its own name for how hard it tries, and its constant quality (lower is better, 0 to 51).

    Raises ValueError for what the encoder does not know.
    """

    codec: Literal["libx264", "h264_nvenc"] = "libx264"
    preset: str = "veryfast"
    crf: int = 23

    def __post_init__(self) -> None:
        if self.codec not in PRESETS:
            raise ValueError(f"codec {self.codec!r} is none of {', '.join(PRESETS)}")
        if self.preset not in PRESETS[self.codec]:
            raise ValueError(f"preset {self.preset!r} is none of {self.codec}'s: {', '.join(PRESETS[self.codec])}")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf {self.crf} is not between 0 and 51")

    def list_options(self) -> dict[str, str | int]:
        """ffmpeg-python's output options for the picture: H.264 high, 4:2:0, a key frame every two seconds."""
        common: dict[str, str | int] = {
            "vcodec": self.codec,
            "preset": self.preset,
            "profile:v": "high",
            "pix_fmt": "yuv420p",
            "g": 2 * FRAMES_PER_SECOND,
            "colorspace": "bt709",
            "color_primaries": "bt709",
            "color_trc": "bt709",
            "color_range": "tv",
            "video_track_timescale": TIMESCALE,
        }
        if self.codec == "h264_nvenc":
            return common | {"rc": "vbr", "cq": self.crf, "b:v": 0}
        return common | {"crf": self.crf, "threads": min(MOST_THREADS, os.cpu_count() or 1)}
