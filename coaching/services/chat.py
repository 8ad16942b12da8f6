"""The learner's two rooms."""

from coaching.models import ChatRoom, User
from coaching.models.chat import RoomType


def open_rooms(user: User) -> None:
    """Give the learner both rooms; repeating it changes nothing."""
    ChatRoom.objects.bulk_create(
        [ChatRoom(user=user, room_type=room_type) for room_type in RoomType], ignore_conflicts=True
    )
