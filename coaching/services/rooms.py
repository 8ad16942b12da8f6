"""What a learner has seen of a room."""

from coaching.models import ChatRoom, User
from coaching.models.chat import RoomType


def mark_room_read(*, user: User, room_type: RoomType, up_to: int) -> None:
    """Everything up to the message `up_to` has been seen; a slower tab never takes that back."""
    ChatRoom.objects.filter(user=user, room_type=room_type, read_up_to__lt=up_to).update(read_up_to=up_to)
