"""Answers while they are written: pieces in a Redis stream per reply, read from a cursor on.

What is here is a preview. The answer itself is in PostgreSQL; without Redis it appears all at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import redis
from django.conf import settings

from coaching.errors import FieldFault, InvalidInput

START = "0-0"
ENTRY_TEXT, ENTRY_RESTART, ENTRY_END = "text", "restart", "end"
_CURSOR = re.compile(r"[0-9]{1,15}-[0-9]{1,6}")
_SOCKET_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What came after a cursor. `is_restart`: what was read before it is void, and `text` begins anew."""

    text: str
    cursor: str
    is_restart: bool
    is_over: bool


@cache
def connect_to_streams() -> "redis.Redis":
    """One pool of connections a process."""
    timeout_seconds = settings.CHAT_HOLD_SECONDS + _SOCKET_SECONDS  # a read that waits for words is no silent server
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=timeout_seconds, decode_responses=True)


def name_stream(reply_id: int) -> str:
    return f"chat:answer:{reply_id}"


def check_cursor(cursor: str) -> str:
    """Raises `InvalidInput` for what never was a cursor of ours; "" is the beginning."""
    if not cursor:
        return START
    if not _CURSOR.fullmatch(cursor):
        raise InvalidInput([FieldFault(field="after", code="invalid", message="この画面を読み込み直してください。")])
    return cursor


def read_pieces(*, reply_id: int, cursor: str, wait_seconds: float) -> Pieces:
    """What was written after `cursor`, waiting that long for something. Raises `redis.RedisError`."""
    block_ms = max(1, int(wait_seconds * 1000)) if wait_seconds > 0 else None
    streams = cast("list[Any]", connect_to_streams().xread({name_stream(reply_id): cursor}, block=block_ms))
    entries: list[tuple[str, Mapping[str, str]]] = streams[0][1] if streams else []
    text, is_restart, is_over = "", False, False
    for identity, fields in entries:
        cursor = identity
        if fields["kind"] == ENTRY_RESTART:
            text, is_restart = "", True
        is_over = is_over or fields["kind"] == ENTRY_END
        text += fields.get("text", "")
    return Pieces(text=text, cursor=cursor, is_restart=is_restart, is_over=is_over)
