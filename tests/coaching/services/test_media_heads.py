from pathlib import Path

import pytest

from coaching.queries.links import MEMO_TYPES
from coaching.services.media_heads import (
    HEAD_BYTES,
    MEMO_FAMILIES,
    SUFFIXES,
    VIDEO_FAMILIES,
    find_family,
    name_memo_type,
    name_video_type,
    strip_parameters,
)
from media_tools.ffmpeg import run
from media_tools.probe import AUDIO_CONTENT_TYPES

H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"]
SOUND = ["-vn"]


def make(path: Path, *options: str) -> bytes:
    """The head of what FFmpeg writes, by the path's suffix."""
    picture = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=0.6"]
    tone = ["-f", "lavfi", "-i", "sine=duration=0.6"]
    run([*picture, *tone, *options, str(path)])
    return path.read_bytes()[:HEAD_BYTES]


@pytest.mark.parametrize(
    ("name", "options", "video_type", "memo_type"),
    [
        ("a.mp4", H264, "video/mp4", "audio/mp4"),
        ("a.mp4", [*H264, "-movflags", "frag_keyframe+empty_moov"], "video/mp4", "audio/mp4"),
        ("a.mov", H264, "video/quicktime", "audio/mp4"),
        ("a.3gp", H264, "video/3gpp", "audio/mp4"),
        ("a.mkv", H264, "video/x-matroska", "audio/webm"),
        ("a.webm", VP8, "video/webm", "audio/webm"),
        ("a.m4a", SOUND, "video/mp4", "audio/mp4"),
        ("a.wav", SOUND, None, "audio/wav"),
        ("a.mp3", SOUND, None, "audio/mpeg"),
        ("a.mp3", [*SOUND, "-id3v2_version", "0", "-write_xing", "0"], None, "audio/mpeg"),
        ("a.ogg", [*SOUND, "-c:a", "libopus"], None, "audio/ogg"),
        ("a.aac", [*SOUND, "-c:a", "aac"], None, "audio/aac"),
        ("a.flac", SOUND, None, "audio/flac"),
        ("a.avi", H264, None, None),
        ("a.jpg", ["-an", "-frames:v", "1"], None, None),
    ],
)
def test_a_file_is_told_by_its_first_bytes(
    tmp_path: Path, name: str, options: list[str], video_type: str | None, memo_type: str | None
) -> None:
    head = make(tmp_path / name, *options)
    assert (name_video_type(head), name_memo_type(head)) == (video_type, memo_type)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x00",
        b"<html><script>alert(1)</script></html>",
        b"PK\x03\x04 a zip",
        b"%PDF-1.7",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"\xff\xff\xff\xff\xff\xff",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    ],
)
def test_anything_else_is_neither_video_nor_sound(head: bytes) -> None:
    assert find_family(head) is None
    assert name_video_type(head) is None
    assert name_memo_type(head) is None


@pytest.mark.parametrize("box", [b"moov", b"mdat", b"wide"])
def test_quicktime_older_than_its_brand_is_known(box: bytes) -> None:
    assert name_video_type(b"\x00\x00\x00\x08" + box + b"\x00" * 40) == "video/quicktime"


def test_parameters_of_a_type_are_set_aside() -> None:
    assert strip_parameters("audio/WebM; codecs=opus") == "audio/webm"


def test_every_type_that_is_found_has_a_suffix_and_its_way_back() -> None:
    assert set(AUDIO_CONTENT_TYPES.values()) <= set(SUFFIXES)
    assert {SUFFIXES[kind]: kind for kind in AUDIO_CONTENT_TYPES.values()} == MEMO_TYPES
    for head_type in ("video/mp4", "video/quicktime", "video/3gpp", "video/webm", "video/x-matroska"):
        assert head_type in VIDEO_FAMILIES
        assert head_type in SUFFIXES
    assert set(MEMO_FAMILIES.values()) == {"iso", "matroska", "wav", "ogg", "mp3", "aac", "flac"}
