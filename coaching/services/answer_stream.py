"""Shows an answer while it is written (`queries.answer_stream` reads it). A preview: its loss is logged, no more.

Each attempt begins with a `restart`, so that the words of a worker that was killed are not continued by another's.
"""

import logging

import redis

from coaching.queries.answer_stream import ENTRY_END, ENTRY_RESTART, ENTRY_TEXT, connect_to_streams, name_stream

logger = logging.getLogger(__name__)

LIFE_SECONDS = 900
MOST_ENTRIES = 2000


def show_restart(reply_id: int) -> None:
    _add(reply_id, kind=ENTRY_RESTART)


def show_text(reply_id: int, text: str) -> None:
    _add(reply_id, kind=ENTRY_TEXT, text=text)


def show_end(reply_id: int) -> None:
    """Whatever became of the answer, PostgreSQL knows it now."""
    _add(reply_id, kind=ENTRY_END)


def _add(reply_id: int, *, kind: str, text: str = "") -> None:
    name = name_stream(reply_id)
    try:
        with connect_to_streams().pipeline(transaction=False) as pipe:
            pipe.xadd(name, {"kind": kind, "text": text}, maxlen=MOST_ENTRIES)
            pipe.expire(name, LIFE_SECONDS)
            pipe.execute()
    except redis.RedisError as error:
        logger.warning("reply %s: the preview is not shown: %s", reply_id, error)
