"""What a file is by its first bytes, so that an upload whose type lies is refused before any work.

Only a first look: the probe (media_tools) decides later, by decoding. Containers are told by their own marks:
ISO/IEC 14496-12 `ftyp` and its brands, RFC 9559 (Matroska, WebM), RIFF/WAVE, RFC 3533 (Ogg), MPEG audio, fLaC.
puremagic and filetype were compared: both miss QuickTime files older than `ftyp`, which cameras still write, and
puremagic calls an .m4a a video.
"""

from typing import Literal

Family = Literal["iso", "matroska", "wav", "ogg", "mp3", "aac", "flac"]

HEAD_BYTES = 4096

_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"})
_QUICKTIME_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip"})
_MARKS: dict[bytes, Family] = {b"\x1a\x45\xdf\xa3": "matroska", b"OggS": "ogg", b"fLaC": "flac"}

VIDEO_FAMILIES: dict[str, Family] = {
    "video/mp4": "iso",
    "video/quicktime": "iso",
    "video/x-m4v": "iso",
    "video/3gpp": "iso",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/matroska": "matroska",
}
MEMO_FAMILIES: dict[str, Family] = {
    "audio/mp4": "iso",
    "audio/m4a": "iso",
    "audio/x-m4a": "iso",
    "audio/3gpp": "iso",
    "video/mp4": "iso",
    "video/quicktime": "iso",
    "audio/webm": "matroska",
    "video/webm": "matroska",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/ogg": "ogg",
    "application/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
}
SUFFIXES: dict[str, str] = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/3gpp": "3gp",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "audio/mp4": "m4a",
    "audio/3gpp": "3gp",
    "audio/webm": "webm",
    "audio/x-matroska": "mka",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/flac": "flac",
}
_AUDIO_TYPES: dict[Family, str] = {
    "iso": "audio/mp4",
    "matroska": "audio/webm",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "flac": "audio/flac",
}


def strip_parameters(content_type: str) -> str:
    """ "audio/webm;codecs=opus" -> "audio/webm"."""
    return content_type.partition(";")[0].strip().lower()


def find_family(head: bytes) -> Family | None:
    """The container's family; None for anything that is neither video nor sound."""
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _PICTURE_BRANDS else "iso"
    if head[4:8] in _QUICKTIME_BOXES:
        return "iso"
    if head[8:12] == b"WAVE":
        return "wav" if head[:4] in {b"RIFF", b"RF64"} else None
    return _MARKS.get(head[:4]) or _find_mpeg_family(head)


def _find_mpeg_family(head: bytes) -> Family | None:
    """An ID3 tag, or a frame header: 12 bits of sync, then the layer (ISO/IEC 11172-3, 2.4.1.3; 0 is ADTS)."""
    if head.startswith(b"ID3"):
        return "mp3"
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer = head[1] >> 1 & 0b11
    if layer == 0:
        return "aac" if head[1] & 0xF0 == 0xF0 and head[2] >> 2 & 0b1111 != 0b1111 else None
    is_frame = head[2] >> 4 != 0b1111 and head[2] >> 2 & 0b11 != 0b11
    return "mp3" if is_frame else None


def name_video_type(head: bytes) -> str | None:
    """The media type of a video file; None for anything else."""
    family = find_family(head)
    if family == "iso":
        if head[4:8] != b"ftyp" or head[8:12] == b"qt  ":
            return "video/quicktime"
        return "video/3gpp" if head[8:10] == b"3g" else "video/mp4"
    if family == "matroska":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    return None


def name_memo_type(head: bytes) -> str | None:
    """The media type of a sound file; None for anything else."""
    family = find_family(head)
    return _AUDIO_TYPES[family] if family else None
