"""Rooms and messages."""

from typing import Any

from rest_framework import serializers

from coaching import queries
from coaching.models import Message
from coaching.models.chat import MessageKind


class RoomSerializer(serializers.Serializer[Any]):
    """A `queries.RoomView`."""

    room_type = serializers.CharField()
    name_ja = serializers.CharField()
    message_count = serializers.IntegerField()
    unread_count = serializers.IntegerField()
    last_message_at = serializers.DateTimeField(allow_null=True)


class MessageSerializer(serializers.ModelSerializer[Message]):
    """`metadata` is the document's: type, session_id, and thumbnail_url on the learner's own video."""

    video_url = serializers.SerializerMethodField()
    metadata = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = ["id", "sender", "kind", "session_id", "text", "video_url", "metadata", "created_at"]
        read_only_fields = fields

    def get_video_url(self, message: Message) -> str | None:
        session = message.session
        if session is None or not message.video_path:
            return None
        is_own = message.kind == MessageKind.COOKING_VIDEO
        return self._make_absolute(queries.sign_raw_video(session) if is_own else queries.sign_film(session))

    def get_metadata(self, message: Message) -> dict[str, Any]:
        metadata = dict(message.metadata)
        if path := metadata.pop("thumbnail_path", ""):
            metadata["thumbnail_url"] = self._make_absolute(queries.sign_poster(path))
        return metadata

    def _make_absolute(self, url: str | None) -> str | None:
        return url and str(self.context["request"].build_absolute_uri(url))
