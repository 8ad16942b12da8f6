"""Rooms and messages."""

from typing import Any

from rest_framework import serializers

from coaching import queries
from coaching.models import Message, Reply, ReplyState
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


class QuestionSerializer(serializers.Serializer[Any]):
    """What is checked further is checked by the service, for the pages too."""

    text = serializers.CharField(trim_whitespace=False, allow_blank=True, max_length=20_000)
    session_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False, allow_null=True)


class ReplySerializer(serializers.ModelSerializer[Reply]):
    """The question and the coach's answer to it; `answer.text` is empty until `state` is answered."""

    question = MessageSerializer()
    answer = MessageSerializer()
    learner_message = serializers.SerializerMethodField(help_text="why it failed, and what to do")

    class Meta:
        model = Reply
        fields = ["id", "state", "session_id", "question", "answer", "learner_message"]
        read_only_fields = fields

    def get_learner_message(self, reply: Reply) -> str:
        return reply.learner_message if reply.state == ReplyState.FAILED else ""


class ReplyNewsSerializer(serializers.Serializer[Any]):
    """A `queries.ReplyNews`. `text` is to be appended; with `is_restart` it stands in place of what came before."""

    state = serializers.CharField(source="reply.state")
    text = serializers.CharField()
    cursor = serializers.CharField()
    is_restart = serializers.BooleanField()
