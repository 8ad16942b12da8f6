"""Request bodies: JSON of bounded size. Files come by DRF's MultiPartParser, which writes them to disk."""

from collections.abc import Mapping
from typing import IO, Any, cast

from rest_framework import parsers
from rest_framework.exceptions import ParseError

from coaching.api.authentication import DEFAULT_MAX_BODY_BYTES
from coaching.api.exceptions import PayloadTooLarge


class JSONParser(parsers.JSONParser):
    """DRF's reads whatever comes, and Python's breaks its stack on deep nesting; both are the sender's fault."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        bounded = cast("IO[Any]", _BoundedStream(stream, DEFAULT_MAX_BODY_BYTES))
        try:
            return super().parse(bounded, media_type=media_type, parser_context=parser_context)
        except RecursionError as error:
            raise ParseError("nested too deeply") from error


class _BoundedStream:
    def __init__(self, stream: Any, limit_bytes: int) -> None:
        self._stream = stream
        self._left_bytes = limit_bytes

    def read(self, size_bytes: int = -1) -> bytes:
        wanted = self._left_bytes + 1 if size_bytes < 0 else min(size_bytes, self._left_bytes + 1)
        piece: bytes = self._stream.read(wanted)
        self._left_bytes -= len(piece)
        if self._left_bytes < 0:
            raise PayloadTooLarge
        return piece
