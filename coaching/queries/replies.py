"""Answers as a page or a program follows them: what came since it looked last, and in the end the whole."""

import logging
from dataclasses import dataclass

import redis

from coaching.errors import NotFound
from coaching.knowledge import entries
from coaching.models import Message, Principle, Reply, ReplyState, User
from coaching.queries.answer_stream import Pieces, check_cursor, read_pieces
from coaching.queries.content import parse_principle_row

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGrounds:
    """What stands beside a whole answer. `moment_seconds` is of the footage of `session_id`; None where no moment is.

    A session that was deleted took its footage along: then no moment is, whatever the answer speaks of.
    """

    principles: tuple[entries.Principle, ...]
    session_id: int | None
    moment_seconds: float | None
    moment_label: str
    safety_notes: tuple[str, ...]
    is_offline_coach: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyNews:
    """`text` is what to append after `cursor`; with `is_restart` it stands in place of what was shown before.

    Of a reply that is not pending `text` is the whole answer.
    """

    reply: Reply
    text: str
    cursor: str
    is_restart: bool

    @property
    def is_pending(self) -> bool:
        return self.reply.state == ReplyState.PENDING

    @property
    def is_news(self) -> bool:
        return bool(self.text) or self.is_restart or not self.is_pending


def follow_reply(user: User, reply_id: int, *, after: str = "", wait_seconds: float = 0.0) -> ReplyNews:
    """What is new of a reply, waiting that long for something new.

    One small query while it is pending, another when it has ended. Raises `NotFound`; `InvalidInput` for a cursor
    that is none.
    """
    cursor = check_cursor(after)
    reply = _get_pending_reply(user, reply_id)
    if reply is None:
        return _tell_whole(_get_reply(user, reply_id), cursor)
    pieces = _read_quietly(reply_id, cursor, wait_seconds)
    if pieces.is_over and _get_pending_reply(user, reply_id) is None:
        return _tell_whole(_get_reply(user, reply_id), pieces.cursor)
    return ReplyNews(reply=reply, text=pieces.text, cursor=pieces.cursor, is_restart=pieces.is_restart)


def _get_pending_reply(user: User, reply_id: int) -> Reply | None:
    """Of a poll without news, this is most of the cost: what names the reply, and no more."""
    pending = Reply.objects.filter(pk=reply_id, room__user=user, state=ReplyState.PENDING)
    return pending.only("state", "answer_id").order_by().first()


def _get_reply(user: User, reply_id: int) -> Reply:
    reply = (
        Reply.objects.select_related("answer", "question", "session__dish").filter(pk=reply_id, room__user=user).first()
    )
    if reply is None:
        raise NotFound(f"no reply {reply_id} for user {user.pk}")
    return reply


def _tell_whole(reply: Reply, cursor: str) -> ReplyNews:
    return ReplyNews(reply=reply, text=reply.answer.text, cursor=cursor, is_restart=True)


def _read_quietly(reply_id: int, cursor: str, wait_seconds: float) -> Pieces:
    """Without Redis there is no preview: the answer appears when it is whole."""
    try:
        return read_pieces(reply_id=reply_id, cursor=cursor, wait_seconds=wait_seconds)
    except redis.RedisError as error:
        logger.warning("reply %s: no preview: %s", reply_id, error)
        return Pieces(text="", cursor=cursor, is_restart=False, is_over=True)


def describe_grounds(messages: list[Message]) -> dict[int, AnswerGrounds]:
    """By message, what the answers among them rest on; one query, however many there are."""
    answers = [m for m in messages if m.metadata.get("type") == "reply" and m.text]
    wanted = {slug for message in answers for slug in message.metadata.get("principle_slugs", ())}
    rows = {row.slug: parse_principle_row(row) for row in Principle.objects.filter(slug__in=wanted)} if wanted else {}
    return {message.pk: _describe(message, rows) for message in answers}


def _describe(message: Message, principles: dict[str, entries.Principle]) -> AnswerGrounds:
    metadata = message.metadata
    moment = None if message.session_id is None else metadata.get("moment_seconds")
    return AnswerGrounds(
        principles=tuple(principles[slug] for slug in metadata.get("principle_slugs", ()) if slug in principles),
        session_id=None if moment is None else message.session_id,
        moment_seconds=moment,
        moment_label="" if moment is None else "{}:{:02d}".format(*divmod(int(moment), 60)),
        safety_notes=tuple(metadata.get("safety_notes", ())),
        is_offline_coach=bool(metadata.get("is_offline_coach")),
    )
