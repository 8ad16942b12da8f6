"""A page of a room, as it is shown: oldest message first, what is unread marked."""

from dataclasses import dataclass
from typing import Any

from coaching.models import ChatRoom, Message, Reply, User
from coaching.models.chat import MessageKind, RoomType, Sender
from coaching.queries.chat import ROOM_NAMES_JA, list_messages
from coaching.queries.links import sign_film, sign_poster, sign_raw_video
from coaching.queries.replies import AnswerGrounds, describe_grounds

MESSAGES_PER_PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomMessage:
    """`video_url` is None where there is no footage (any more). `is_first_unread` marks where a learner left off.

    `reply` is there on the coach's answers, whatever became of them, `grounds` on those that are whole.
    """

    message: Message
    video_url: str | None
    poster_url: str | None
    is_film: bool
    is_own: bool
    is_first_unread: bool
    is_offline_coach: bool
    reply: Reply | None
    grounds: AnswerGrounds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPage:
    """`older_before` is the cursor of the next older page; None where this page holds the room's first message."""

    room_type: RoomType
    name_ja: str
    messages: tuple[RoomMessage, ...]
    older_before: int | None
    is_newest: bool

    @property
    def newest_id(self) -> int:
        return self.messages[-1].message.pk if self.messages else 0


def read_room_page(user: User, room_type: RoomType, *, before: int | None = None) -> RoomPage:
    """The newest messages, or those before the message `before`; three queries, however many there are."""
    room = ChatRoom.objects.filter(user=user, room_type=room_type).first()
    rows = list_messages(user, room_type).order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: MESSAGES_PER_PAGE + 1])
    shown = found[:MESSAGES_PER_PAGE][::-1]
    return RoomPage(
        room_type=room_type,
        name_ja=ROOM_NAMES_JA[room_type],
        messages=tuple(_describe_messages(shown, read_up_to=room.read_up_to if room else 0)),
        older_before=shown[0].pk if len(found) > MESSAGES_PER_PAGE else None,
        is_newest=before is None,
    )


def _describe_messages(shown: list[Message], *, read_up_to: int) -> list[RoomMessage]:
    first_unread = next((m.pk for m in shown if m.pk > read_up_to and m.sender != Sender.USER), None)
    is_all_new = bool(shown) and first_unread == shown[0].pk
    grounds = describe_grounds(shown)
    return [
        RoomMessage(
            message=message,
            is_first_unread=message.pk == first_unread and not is_all_new,
            is_own=message.sender == Sender.USER,
            is_film=message.kind == MessageKind.COACHING_VIDEO,
            is_offline_coach=bool(message.metadata.get("is_offline_coach")),
            reply=getattr(message, "reply_of", None),
            grounds=grounds.get(message.pk),
            **_sign_media(message),
        )
        for message in shown
    ]


def _sign_media(message: Message) -> dict[str, Any]:
    session = message.session
    if session is None or not message.video_path:
        return {"video_url": None, "poster_url": None}
    is_cook = message.kind == MessageKind.COOKING_VIDEO
    return {
        "video_url": sign_raw_video(session) if is_cook else sign_film(session),
        "poster_url": sign_poster(session.thumbnail_path),
    }
