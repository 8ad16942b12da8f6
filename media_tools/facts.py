"""What the probe finds in a file, and what a file may be."""

from dataclasses import dataclass
from typing import Literal

from media_tools.ffmpeg import MAX_PIXELS

Transfer = Literal["sdr", "hlg", "pq"]
Matrix = Literal["bt601", "bt709", "bt2020"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """A film as measured, not as its header claims.

    `duration_seconds` ends with the last video frame and counts, like `seek_seconds` of `open_input`, from the
    file's own start, which `start_seconds` gives on the file's clock. Width and height are those of the upright
    picture with square pixels; `rotation_degrees` is the clockwise turn that FFmpeg applies by itself to get there.
    `content_type` is what the content is, whatever the upload was called. `matrix` is how its colours are coded, by
    its own word or, where it says nothing, by its size, as players take it.
    """

    duration_seconds: float
    start_seconds: float
    container: str
    content_type: str
    byte_size: int
    stream_index: int
    codec: str
    width_px: int
    height_px: int
    rotation_degrees: Literal[0, 90, 180, 270]
    fps: float
    is_variable_rate: bool
    pixel_format: str
    bit_depth: int
    transfer: Transfer
    matrix: Matrix
    is_full_range: bool
    audio_stream_index: int | None
    audio_codec: str | None
    audio_channels: int
    audio_sample_rate_hz: int

    @property
    def has_audio(self) -> bool:
        return self.audio_stream_index is not None

    @property
    def is_hdr(self) -> bool:
        return self.transfer != "sdr"

    @property
    def is_portrait(self) -> bool:
        return self.height_px > self.width_px


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFacts:
    """A recording as measured: `duration_seconds` adds up what its packets hold."""

    duration_seconds: float
    container: str
    content_type: str
    byte_size: int
    stream_index: int
    codec: str
    channels: int
    sample_rate_hz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoLimits:
    """What is accepted as a video of a cook. Formats are FFmpeg's names of demuxers, codecs its names of codecs."""

    min_duration_seconds: float = 3
    max_duration_seconds: float = 45 * 60
    max_bytes: int = 4 << 30
    min_side_px: int = 64
    max_pixels: int = MAX_PIXELS
    formats: tuple[str, ...] = ("mov", "matroska")
    codecs: tuple[str, ...] = ("h264", "hevc", "av1", "vp9", "vp8", "mpeg4")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioLimits:
    """What is accepted as a voice memo: what browsers and phones record. 64 MiB hold 3 minutes of 24-bit stereo."""

    min_duration_seconds: float = 0.3
    max_duration_seconds: float = 3 * 60
    max_bytes: int = 64 << 20
    formats: tuple[str, ...] = ("mov", "matroska", "ogg", "mp3", "wav", "aac", "flac")
    codecs: tuple[str, ...] = (
        "aac",
        "alac",
        "amr_nb",
        "amr_wb",
        "flac",
        "mp3",
        "opus",
        "pcm_f32le",
        "pcm_s16be",
        "pcm_s16le",
        "pcm_s24le",
        "pcm_s32le",
        "vorbis",
    )
