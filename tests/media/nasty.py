"""Recipes for files that nobody should send, and what becomes of each: facts, or a refusal with its fault.

Each recipe writes one file into a folder of its own and returns its path. `NASTY_FILES` is the list; tests of the
probe, of the composition and of the whole way run it.
"""

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from media_tools.errors import MediaFault
from media_tools.ffmpeg import run
from tests.media import clips

Recipe = Callable[[Path], Path]


@dataclass(frozen=True, slots=True)
class NastyFile:
    """`fault` is what the probe refuses it for; None where it has to end in facts."""

    make: Recipe
    fault: MediaFault | None

    @property
    def name(self) -> str:
        return self.make.__name__.removeprefix("make_")


def make_empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def make_random_bytes(folder: Path) -> Path:
    path = folder / "random.mp4"
    path.write_bytes(random.Random(3).randbytes(300_000))
    return path


def make_index_cut_off(folder: Path) -> Path:
    """The index lies at the end, and the end is missing."""
    return _keep_first(clips.make_clip(folder / "cut.mp4"), share=0.7)


def make_data_cut_off(folder: Path) -> Path:
    """The index lies in front, so players begin happily and stop early."""
    return _keep_first(clips.make_clip(folder / "cut.mp4", muxer=["-movflags", "+faststart"]), share=0.6)


def make_matroska_cut_off(folder: Path) -> Path:
    return _keep_first(clips.make_clip(folder / "cut.mkv"), share=0.6)


def make_fragments_cut_off(folder: Path) -> Path:
    return _keep_first(clips.make_fragmented(folder), share=0.6)


def make_overwritten(folder: Path) -> Path:
    """400 places of the data overwritten, none of the index."""
    path = clips.make_clip(folder / "overwritten.mp4", seconds=10, muxer=["-movflags", "+faststart"])
    data, dice = bytearray(path.read_bytes()), random.Random(3)
    first = data.index(b"mdat") + 8
    for _ in range(400):
        position = dice.randrange(first, len(data) - 40)
        data[position : position + 20] = dice.randbytes(20)
    path.write_bytes(data)
    return path


def make_overwritten_offsets(folder: Path) -> Path:
    """The table that says where each chunk lies is noise."""
    path = clips.make_clip(folder / "offsets.mp4", muxer=["-movflags", "+faststart"])
    data = bytearray(path.read_bytes())
    at = data.index(b"stco") + 12
    data[at : at + 200] = random.Random(3).randbytes(200)
    path.write_bytes(data)
    return path


def make_text(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("これは動画ではありません。\n" * 50)
    return path


def make_svg(folder: Path) -> Path:
    path = folder / "svg.mp4"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="64">'
        '<image xlink:href="file:///etc/hostname" width="64" height="64"/></svg>'
    )
    return path


def make_avi(folder: Path) -> Path:
    """A sound film in a container that is not accepted, called .mp4."""
    path = clips.make_clip(folder / "film.avi")
    return path.rename(folder / "avi.mp4")


def make_picture_bomb(folder: Path) -> Path:
    """A MOV of 100 PNG pictures of 300 kB that unfold to 300 MB each."""
    side_px = 10_000
    png = _make_png(side_px, side_px)
    path = folder / "bomb.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width = stream.height = side_px
        stream.pix_fmt = "rgb24"
        for number in range(100):
            packet = av.Packet(png)
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, number, number, True
            packet.time_base = Fraction(1, 25)
            container.mux(packet)
    return path


def make_huge_h264(folder: Path) -> Path:
    """An accepted codec with more pixels than are accepted: 6,000 x 4,000, one colour."""
    path = folder / "huge.mp4"
    run(
        [
            *["-f", "lavfi", "-i", "color=size=6000x4000:rate=0.5:duration=4", "-threads", "1"],
            *[*clips.FAST_H264, "-x264-params", "ref=1:rc-lookahead=0:sync-lookahead=0", str(path)],
        ]
    )
    return path


def make_cover_art_only(folder: Path) -> Path:
    """Sound with a picture on its sleeve, which FFmpeg lists as a video stream."""
    cover = folder / "cover.png"
    cover.write_bytes(_make_png(64, 64))
    path = folder / "cover-art.mp4"
    run(
        [
            *["-f", "lavfi", "-i", "sine=duration=5", "-i", str(cover), "-map", "0:a", "-map", "1:v"],
            *["-c:v", "copy", "-disposition:v:0", "attached_pic", str(path)],
        ]
    )
    return path


def make_sound_only(folder: Path) -> Path:
    path = folder / "sound.mp4"
    run(["-f", "lavfi", "-i", "sine=duration=5", str(path)])
    return path


def make_too_short(folder: Path) -> Path:
    return clips.make_clip(folder / "short.mp4", seconds=2)


def make_too_long(folder: Path) -> Path:
    """46 minutes, a frame every ten seconds."""
    path = folder / "long.mp4"
    run(["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=0.1:duration=2760", *clips.FAST_H264, str(path)])
    return path


def make_claims_to_be_long(folder: Path) -> Path:
    """4 seconds whose header says 2 hours."""
    return _claim_duration(clips.make_clip(folder / "claim.mp4"), seconds=7200)


def make_claims_to_be_short(folder: Path) -> Path:
    """46 minutes whose header says 10 seconds."""
    return _claim_duration(make_too_long(folder), seconds=10)


def make_refers_to_neighbour(folder: Path) -> Path:
    """A MOV whose data reference is a Macintosh alias of `neighbour.mov`, in the form that libav can follow."""
    path = clips.make_clip(folder / "reference.mov", channels=0)
    data = path.read_bytes()
    at = data.index(b"dref")
    box = data[at - 4 : at - 4 + struct.unpack(">I", data[at - 4 : at])[0]]
    volume, name = b"Macintosh HD", b"neighbour.mov"
    absolute = b"Macintosh HD:neighbour.mov\0"
    body = b"".join(
        [
            *[bytes(10), bytes([len(volume)]), volume.ljust(27, b"\0"), bytes(12)],
            *[bytes([len(name)]), name.ljust(63, b"\0"), bytes(16), struct.pack(">HH", 1, 1), bytes(16)],
            *[struct.pack(">HH", 2, len(absolute)), absolute, bytes(len(absolute) & 1), struct.pack(">hH", -1, 0)],
        ]
    )
    entry = struct.pack(">I4sI", 12 + len(body), b"alis", 0) + body
    new_box = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    path.write_bytes(_replace_in_boxes(data, box, new_box, (b"moov", b"trak", b"mdia", b"minf", b"dinf")))
    return path


def write_playlist(path: Path, kind: str, target: str) -> Path:
    """A text of `kind` that asks its reader to open `target` (a path, a URL, or FFmpeg's `concat:` list)."""
    texts = {
        "m3u8": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:4.0,\n"
        f"{target}\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{target}'\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT4S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000" codecs="avc1.42c01e">'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
        f"a=rtpmap:96 H264/90000\na=control:{target}\n",
        "svg": '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" '
        f'height="64"><image xlink:href="{target}" width="64" height="64"/></svg>\n',
    }
    path.write_text(texts[kind])
    return path


PLAYLIST_KINDS = ("m3u8", "ffconcat", "dash", "sdp", "svg")

NASTY_FILES = (
    NastyFile(make_empty, MediaFault.EMPTY),
    NastyFile(make_random_bytes, MediaFault.UNREADABLE),
    NastyFile(make_index_cut_off, MediaFault.TRUNCATED),
    NastyFile(make_data_cut_off, MediaFault.TRUNCATED),
    NastyFile(make_matroska_cut_off, MediaFault.TRUNCATED),
    NastyFile(make_fragments_cut_off, MediaFault.TRUNCATED),
    NastyFile(make_overwritten, None),
    NastyFile(make_overwritten_offsets, MediaFault.UNREADABLE),
    NastyFile(make_text, MediaFault.UNREADABLE),
    NastyFile(make_svg, MediaFault.FORMAT_NOT_ACCEPTED),
    NastyFile(make_avi, MediaFault.FORMAT_NOT_ACCEPTED),
    NastyFile(make_picture_bomb, MediaFault.CODEC_NOT_ACCEPTED),
    NastyFile(make_huge_h264, MediaFault.DIMENSIONS_NOT_ACCEPTED),
    NastyFile(make_cover_art_only, MediaFault.NO_VIDEO),
    NastyFile(make_sound_only, MediaFault.NO_VIDEO),
    NastyFile(make_too_short, MediaFault.TOO_SHORT),
    NastyFile(make_too_long, MediaFault.TOO_LONG),
    NastyFile(make_claims_to_be_long, None),
    NastyFile(make_claims_to_be_short, MediaFault.TOO_LONG),
    NastyFile(make_refers_to_neighbour, MediaFault.UNREADABLE),
    NastyFile(clips.make_silent_film, None),
    NastyFile(clips.make_three_seconds, None),
    NastyFile(clips.make_sparse_keyframes, None),
    NastyFile(clips.make_default_phone_clip, None),
    NastyFile(clips.make_pq_clip, None),
    NastyFile(clips.make_surround, None),
    NastyFile(clips.make_odd_dimensions, None),
    NastyFile(clips.make_live_webm, None),
    NastyFile(clips.make_fragmented, None),
    NastyFile(clips.make_dash_name, None),
    NastyFile(clips.make_portrait_clip, None),
    NastyFile(clips.make_anamorphic_clip, None),
)


def _keep_first(path: Path, *, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _claim_duration(path: Path, *, seconds: int) -> Path:
    """Overwrite every duration in the headers (version 0 boxes of ISO/IEC 14496-12, 8.2.2, 8.3.2, 8.4.2)."""
    data = bytearray(path.read_bytes())
    for kind, scale_at, duration_at in ((b"mvhd", 16, 20), (b"mdhd", 16, 20), (b"tkhd", None, 24)):
        at = data.find(kind)
        while at > 0:
            movie_scale = data.index(b"mvhd") + 16
            scale = at + scale_at if scale_at else movie_scale
            (units_per_second,) = struct.unpack(">I", data[scale : scale + 4])
            data[at + duration_at : at + duration_at + 4] = struct.pack(">I", seconds * units_per_second)
            at = data.find(kind, at + 4)
    path.write_bytes(data)
    return path


def _replace_in_boxes(data: bytes, old: bytes, new: bytes, parents: tuple[bytes, ...]) -> bytes:
    """Put one box for another of a different length, and correct the sizes of those around it (index at the end)."""
    at = data.index(old)
    result = bytearray(data[:at] + new + data[at + len(old) :])
    for kind in parents:
        size_at = result.rindex(kind, 0, at) - 4
        (size,) = struct.unpack(">I", result[size_at : size_at + 4])
        result[size_at : size_at + 4] = struct.pack(">I", size + len(new) - len(old))
    return bytes(result)


def _make_png(width_px: int, height_px: int) -> bytes:
    """A black RGB picture (PNG specification, 5 and 11)."""

    def make_chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * width_px)
    packed = b"".join(packer.compress(row) for _ in range(height_px)) + packer.flush()
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + make_chunk(b"IHDR", header) + make_chunk(b"IDAT", packed) + make_chunk(b"IEND", b"")
