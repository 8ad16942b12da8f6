"""The Content-Range and Range headers of RFC 9110, 14, as far as the upload protocol and players use them."""

import re
from dataclasses import dataclass

from coaching.providers.ports import ByteRange

_DIGITS = r"\d{1,18}"  # more would be no file
_CHUNK = re.compile(rf"bytes ({_DIGITS})-({_DIGITS})/({_DIGITS}|\*)", re.ASCII | re.IGNORECASE)
_QUERY = re.compile(rf"bytes \*/({_DIGITS}|\*)", re.ASCII | re.IGNORECASE)
_RANGE = re.compile(rf"bytes=\s*({_DIGITS})?-({_DIGITS})?\s*", re.ASCII | re.IGNORECASE)


class BadRange(ValueError):
    """The header cannot be read."""


class UnsatisfiableRange(ValueError):
    """The range lies outside of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Which bytes a request brings. `last_byte` and `total_bytes` are None where the header leaves them open."""

    first_byte: int
    last_byte: int | None
    total_bytes: int | None


def read_content_range(header: str) -> Chunk | None:
    """The chunk; None for a status query (`bytes */N`, `bytes */*`). Raises `BadRange`."""
    if _QUERY.fullmatch(header.strip()):
        return None
    found = _CHUNK.fullmatch(header.strip())
    if found is None:
        raise BadRange(f"not a Content-Range: {header[:100]!r}")
    first_byte, last_byte, total = int(found[1]), int(found[2]), found[3]
    total_bytes = None if total == "*" else int(total)
    if last_byte < first_byte or (total_bytes is not None and last_byte >= total_bytes):
        raise BadRange(f"not a range of bytes: {header[:100]!r}")
    return Chunk(first_byte=first_byte, last_byte=last_byte, total_bytes=total_bytes)


def read_range(header: str, *, size_bytes: int) -> ByteRange | None:
    """The one range that is asked for; None means the whole file (no header, several ranges, another unit).

    Raises `UnsatisfiableRange` where the file has none of these bytes.
    """
    found = _RANGE.fullmatch(header)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:  # the last so many bytes
        wanted = int(found[2])
        if wanted == 0 or size_bytes == 0:
            raise UnsatisfiableRange(header)
        return ByteRange(first_byte=max(0, size_bytes - wanted), last_byte=size_bytes - 1)
    first_byte = int(found[1])
    last_byte = int(found[2]) if found[2] else size_bytes - 1
    if found[2] and last_byte < first_byte:
        return None  # invalid, so it counts as absent
    if first_byte >= size_bytes:
        raise UnsatisfiableRange(header)
    return ByteRange(first_byte=first_byte, last_byte=min(last_byte, size_bytes - 1))
