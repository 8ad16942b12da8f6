"""What stands in a learner's two rooms."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Max, Q, QuerySet

from coaching.errors import NotFound
from coaching.models import ChatRoom, Message, User
from coaching.models.chat import RoomType, Sender

ROOM_NAMES_JA: dict[RoomType, str] = {
    RoomType.COOKING_VIDEOS: "料理の動画",
    RoomType.COACHING: "コーチング",
}

# What somebody else said since the learner last looked.
UNREAD = Q(messages__id__gt=F("read_up_to")) & ~Q(messages__sender=Sender.USER)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomView:
    room_type: RoomType
    name_ja: str
    message_count: int
    unread_count: int
    last_message_at: datetime | None


def list_rooms(user: User) -> list[RoomView]:
    """Both rooms, also the one in which nothing was said yet."""
    found = (
        ChatRoom.objects.filter(user=user)
        .values("room_type")
        .annotate(
            message_count=Count("messages"),
            unread_count=Count("messages", filter=UNREAD),
            last_message_at=Max("messages__created_at"),
        )
    )
    rows = {row["room_type"]: row for row in found}
    return [
        RoomView(
            room_type=room_type,
            name_ja=ROOM_NAMES_JA[room_type],
            message_count=rows.get(room_type, {}).get("message_count", 0),
            unread_count=rows.get(room_type, {}).get("unread_count", 0),
            last_message_at=rows.get(room_type, {}).get("last_message_at"),
        )
        for room_type in RoomType
    ]


def list_messages(user: User, room_type: str) -> QuerySet[Message]:
    """Newest first; raises `NotFound` for a room that there is not."""
    if room_type not in RoomType.values:
        raise NotFound(f"no room {room_type!r}")
    return (
        Message.objects.filter(chat_room__user=user, chat_room__room_type=room_type)
        .select_related("session__dish", "reply_of")
        .order_by("-created_at", "-id")
    )
