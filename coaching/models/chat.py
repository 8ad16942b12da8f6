"""The two rooms in which a learner meets the coach."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coaching.models.session import Session


class RoomType(models.TextChoices):
    COOKING_VIDEOS = "cooking_videos", "Cooking Videos"
    COACHING = "coaching", "My Coaching"


class ChatRoom(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chat_rooms")
    room_type = models.CharField(max_length=16, choices=RoomType.choices)
    read_up_to = models.PositiveBigIntegerField(default=0)  # id of the newest message that the learner has seen
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "room_type"], name="one_room_per_user_and_type")]

    def __str__(self) -> str:
        return f"{self.room_type} of {self.user_id}"


class Sender(models.TextChoices):
    USER = "user", "User"
    AI = "ai", "AI"
    SYSTEM = "system", "System"


class MessageKind(models.TextChoices):
    COOKING_VIDEO = "cooking_video", "The learner's own cook"
    COACHING_TEXT = "coaching_ready", "The coaching text"
    COACHING_VIDEO = "coaching_video", "The coaching film"


class Message(models.Model):
    """A message. The pipeline's own three have a `kind`, once a session: a re-run updates them."""

    chat_room = models.ForeignKey(ChatRoom, on_delete=models.CASCADE, related_name="messages")
    sender = models.CharField(max_length=8, choices=Sender.choices)
    session = models.ForeignKey(Session, null=True, blank=True, on_delete=models.SET_NULL, related_name="messages")
    kind = models.CharField(max_length=24, choices=MessageKind.choices, null=True, blank=True)  # noqa: DJ001  # null: exempt from the unique constraint
    text = models.TextField(blank=True)
    video_path = models.CharField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "kind"], condition=Q(kind__isnull=False), name="one_message_per_session_and_kind"
            ),
            # An answer of the coach is empty until it is written (`models.reply`).
            models.CheckConstraint(
                condition=~Q(text="") | ~Q(video_path="") | Q(sender="ai", kind__isnull=True),
                name="message_says_something",
            ),
        ]
        indexes = [models.Index(fields=["chat_room", "-id"], name="message_newest_in_room")]

    def __str__(self) -> str:
        return f"message {self.pk} ({self.sender})"
