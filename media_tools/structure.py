"""Reads the outermost structure of MP4/MOV and Matroska files: which kind it is, and whether its end is missing.

FFmpeg plays a file whose end is missing as far as it goes and says that all is well, so whether the bytes are all
there is asked of the structure itself. Boxes: ISO/IEC 14496-12, 4.2; elements: RFC 8794, 4 and RFC 9559, 5.1.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

Family = Literal["mp4", "mov", "3gp", "matroska", "webm", "other"]

MAX_BOXES = 200_000  # 45 minutes in fragments of 30 ms; what follows is not looked at
ESSENTIAL_BOXES = frozenset({b"ftyp", b"mdat", b"moof", b"moov"})
QUICKTIME_BOXES = frozenset({b"mdat", b"moov", b"wide"})  # with one of these begin QuickTime files older than `ftyp`
EBML_ID = b"\x1a\x45\xdf\xa3"
DOCTYPE_ID = b"\x42\x82"
SEGMENT_ID = b"\x18\x53\x80\x67"


@dataclass(frozen=True, slots=True)
class Structure:
    """`missing` says in words what is missing of the file's end; None where nothing is, or nobody can tell."""

    family: Family
    missing: str | None


def read_structure(path: Path) -> Structure:
    """Look at the file's outermost boxes or elements; reads a few bytes of each."""
    byte_size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
        if head.startswith(EBML_ID):
            return Structure(_read_doctype(head), _find_missing_elements(file, byte_size))
        if head[4:8] == b"ftyp":
            return Structure(_name_brand(head[8:12]), _find_missing_boxes(file, byte_size))
        if head[4:8] in QUICKTIME_BOXES:
            return Structure("mov", _find_missing_boxes(file, byte_size))
    return Structure("other", None)


def _name_brand(brand: bytes) -> Family:
    if brand == b"qt  ":
        return "mov"
    return "3gp" if brand.startswith(b"3g") else "mp4"


def _find_missing_boxes(file: BinaryIO, byte_size: int) -> str | None:
    position, seen = 0, set[bytes]()
    for _ in range(MAX_BOXES):
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            break
        box_bytes, kind = struct.unpack(">I4s", header[:8])
        if box_bytes == 1 and len(header) == 16:
            (box_bytes,) = struct.unpack(">Q", header[8:])
        elif box_bytes == 0:  # it reaches to the end of the file
            box_bytes = byte_size - position
        if box_bytes < 8:
            break  # no box: cameras leave notes of their own behind the last one
        seen.add(kind)
        position += box_bytes
        if position > byte_size and kind in ESSENTIAL_BOXES:
            return f"the {kind.decode()} box ends {position - byte_size} bytes after the file"
    else:
        return None
    if b"moov" not in seen:
        return "it has no moov box: the recording was never finished, or its end is missing"
    return None


def _read_doctype(head: bytes) -> Family:
    """Both kinds have one demuxer; the EBML header, whose strings are short, tells them apart."""
    at = head.find(DOCTYPE_ID)
    return "webm" if at > 0 and head[at + 3 : at + 7] == b"webm" else "matroska"


def _find_missing_elements(file: BinaryIO, byte_size: int) -> str | None:
    position = 0
    for _ in range(MAX_BOXES):
        file.seek(position)
        header = file.read(12)
        element_id = header[: _count_octets(header)]
        size = _read_size(header[len(element_id) :])
        if not element_id or size is None:
            return None  # a live recording's segment has no size
        value, octets = size
        position += len(element_id) + octets + value
        if element_id == SEGMENT_ID:
            return f"the segment ends {position - byte_size} bytes after the file" if position > byte_size else None
        if position >= byte_size:
            return "it has no segment: its end is missing"
    return None


def _read_size(data: bytes) -> tuple[int, int] | None:
    """An EBML variable-size integer and its length in octets; None where it is absent or says "unknown"."""
    octets = _count_octets(data)
    if octets == 0 or len(data) < octets:
        return None
    value = int.from_bytes(data[:octets]) & ((1 << 7 * octets) - 1)
    return None if value == (1 << 7 * octets) - 1 else (value, octets)


def _count_octets(data: bytes) -> int:
    """The length of the variable-size integer that begins here: one more than its first octet's leading zeros."""
    return 9 - data[0].bit_length() if data and data[0] else 0
