"""Questions to the coach: asked, published, answered one by one per room, on a queue of their own."""

import logging
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Ignore
from django.db import transaction
from kombu.exceptions import OperationalError

from coaching.models import Reply, User
from coaching.services import answering, chat, replies
from tasks.messages import UnusableMessage, excerpt

logger = logging.getLogger(__name__)


def ask(*, user_id: int, text: str, idempotency_key: str, session_id: int | None = None) -> tuple[Reply, bool]:
    """Keep the question and send it on its way. Raises what `chat.ask_question` raises."""
    with transaction.atomic():
        reply, is_new = chat.ask_question(
            user_id=user_id, text=text, idempotency_key=idempotency_key, session_id=session_id
        )
        if is_new:
            transaction.on_commit(lambda: publish(reply.pk))
    return reply, is_new


def ask_again(*, user: User, reply_id: int) -> Reply:
    """Another try for an answer that failed. Raises what `replies.retry_reply` raises."""
    with transaction.atomic():
        reply = replies.retry_reply(user=user, reply_id=reply_id)
        transaction.on_commit(lambda: publish(reply.pk))
    return reply


def publish(reply_id: int) -> None:
    """Without a broker the reply stays pending, and the watchdog sends it later."""
    try:
        answer_question.apply_async((reply_id,))
    except OperationalError as error:
        logger.warning("reply %s is not published, the watchdog will: %s", reply_id, error)


@shared_task(bind=True, name="tasks.chat.answer_question")
def answer_question(self: "Task[Any, None]", *args: Any, **kwargs: Any) -> None:
    """Write one answer, then send the next of its room on its way."""
    try:
        reply_id = _read_reply_id(args, kwargs)
    except UnusableMessage as error:
        logger.warning("a message of the chat is refused: %s", error)
        raise Ignore from error
    following = answering.answer_question(reply_id=reply_id, worker=str(self.request.hostname))
    if following is not None:
        publish(following)


def _read_reply_id(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    if len(args) != 1 or kwargs or type(args[0]) is not int or not 0 < args[0] < 2**63:
        raise UnusableMessage(f"it carries {excerpt((*args, *kwargs.items()))} instead of one reply's id")
    return int(args[0])
