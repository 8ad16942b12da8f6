"""The learner's two rooms, and what is asked in one of them."""

import unicodedata
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Now

from coaching.errors import Conflict, FieldFault, InvalidInput, NotFound, TooManyQuestions
from coaching.models import ChatRoom, Message, Reply, Session, SessionStatus, User
from coaching.models.chat import RoomType, Sender
from coaching.services.learner_text import TextRefused, clean_paragraphs
from coaching.services.replies import PUBLISH_AGAIN_SECONDS

KEY_MAX_CHARACTERS = 64


def open_rooms(user: User) -> None:
    """Give the learner both rooms; repeating it changes nothing."""
    ChatRoom.objects.bulk_create(
        [ChatRoom(user=user, room_type=room_type) for room_type in RoomType], ignore_conflicts=True
    )


@transaction.atomic
def ask_question(*, user_id: int, text: str, idempotency_key: str, session_id: int | None = None) -> tuple[Reply, bool]:
    """Keep a question and its pending answer; the same key again answers with the first ones and False.

    The question belongs to `session_id`, by default to the latest completed session, or to none. The caller publishes
    after commit. Raises `InvalidInput` (empty, too long, no words, an unusable key), `NotFound` (somebody else's
    session), `Conflict` (a session without coaching yet), `TooManyQuestions`.
    """
    question = _check_question(text)
    key = _check_key(idempotency_key)
    user = User.objects.select_for_update().get(pk=user_id)  # questions of one learner are taken one by one
    room, _ = ChatRoom.objects.get_or_create(user=user, room_type=RoomType.COACHING)
    if known := Reply.objects.select_related("question", "answer").filter(room=room, idempotency_key=key).first():
        return known, False
    session = _find_session(user, session_id)
    _check_rate(room)
    asked = Message.objects.create(chat_room=room, sender=Sender.USER, session=session, text=question)
    answer = Message.objects.create(chat_room=room, sender=Sender.AI, session=session, metadata={"type": "reply"})
    reply = Reply.objects.create(
        room=room, question=asked, answer=answer, session=session, idempotency_key=key, publications=1
    )
    Reply.objects.filter(pk=reply.pk).update(due_at=Now() + Value(timedelta(seconds=PUBLISH_AGAIN_SECONDS)))
    return reply, True


def _check_question(text: str) -> str:
    try:
        question = clean_paragraphs(text, max_length=settings.CHAT_MESSAGE_MAX_CHARACTERS)
    except TextRefused as error:
        raise InvalidInput([FieldFault(field="text", code=error.code, message=str(error))]) from error
    if not question:
        raise InvalidInput([FieldFault(field="text", code="blank", message="ききたいことを書いてください。")])
    if not any(unicodedata.category(character)[0] == "L" for character in question):
        message = "絵文字や記号だけでは、うまく受け取れません。ことばで書いてください。"
        raise InvalidInput([FieldFault(field="text", code="no_words", message=message)])
    return question


def _check_key(key: str) -> str:
    if not key or len(key) > KEY_MAX_CHARACTERS or not key.isascii() or not key.isprintable():
        message = "この画面を読み込み直してから、もう一度お送りください。"
        raise InvalidInput([FieldFault(field="idempotency_key", code="invalid", message=message)])
    return key


def _find_session(user: User, session_id: int | None) -> Session | None:
    own = Session.objects.filter(user=user)
    if session_id is None:
        return own.filter(status=SessionStatus.COMPLETED).order_by("-pipeline_started_at", "-pk").first()
    session = own.filter(pk=session_id).first()
    if session is None:
        raise NotFound(f"no session {session_id} of user {user.pk}")
    if not session.coaching_video_gcs_path:
        raise Conflict(
            f"session {session_id} has no coaching yet",
            learner_message="この回のコーチングは、まだできあがっていません。届いてから聞いてください。",
        )
    return session


def _check_rate(room: ChatRoom) -> None:
    within_hour = Reply.objects.filter(room=room, asked_at__gt=Now() - Value(timedelta(hours=1))).count()
    if within_hour >= settings.CHAT_QUESTIONS_PER_HOUR:
        raise TooManyQuestions(f"room {room.pk}: {within_hour} questions within an hour")
