"""Sessions: what a learner sends for one, and what comes back."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coaching import queries
from coaching.models import Session, SessionStatus, Upload
from coaching.services.intake import RATING_VALUES

CHUNK_BYTES = 8 * 1024**2  # a multiple of 256 KiB, as Cloud Storage asks for


class VideoClaimSerializer(serializers.Serializer[Any]):
    """What the browser knows of the file that it is about to send."""

    size_bytes = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
    content_type = serializers.CharField(max_length=100, allow_blank=True)


class NewSessionSerializer(serializers.Serializer[Any]):
    """With `video` the answer holds a resumable upload; without it the video comes by the multipart endpoint."""

    dish = serializers.CharField(max_length=64)
    video = VideoClaimSerializer(required=False)


class RatingsSerializer(serializers.Serializer[Any]):
    """1 to 5 each; null takes one back; one that is left out stays as it is."""

    appearance = serializers.IntegerField(min_value=RATING_VALUES[0], max_value=RATING_VALUES[-1], allow_null=True)
    taste = serializers.IntegerField(min_value=RATING_VALUES[0], max_value=RATING_VALUES[-1], allow_null=True)
    texture = serializers.IntegerField(min_value=RATING_VALUES[0], max_value=RATING_VALUES[-1], allow_null=True)
    aroma = serializers.IntegerField(min_value=RATING_VALUES[0], max_value=RATING_VALUES[-1], allow_null=True)


class VideoUploadSerializer(serializers.Serializer[Any]):
    video = serializers.FileField(write_only=True, max_length=200)


class MemoUploadSerializer(serializers.Serializer[Any]):
    memo = serializers.FileField(write_only=True, max_length=200)


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """PUT the video here, in chunks with Content-Range; the protocol is Cloud Storage's for resumable uploads."""

    url = serializers.SerializerMethodField()
    chunk_bytes = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields = ["url", "size_bytes", "content_type", "chunk_bytes", "expires_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.URLField())
    def get_url(self, upload: Upload) -> str:
        return str(self.context["request"].build_absolute_uri(upload.url))

    def get_chunk_bytes(self, upload: Upload) -> int:
        return CHUNK_BYTES


class QueuePlaceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="queue")
    ahead = serializers.IntegerField(source="ahead_in_queue", allow_null=True, help_text="null unless it is waiting")


class StageSerializer(serializers.Serializer[Any]):
    """A `queries.StageProgress`."""

    stage = serializers.CharField()
    name_ja = serializers.CharField()
    state = serializers.CharField()
    percent = serializers.IntegerField()
    attempt = serializers.IntegerField()
    queue = QueuePlaceSerializer(source="*")
    queued_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class PipelineSerializer(serializers.Serializer[Any]):
    """A `queries.RunProgress`."""

    job_id = serializers.UUIDField(source="run.id")
    state = serializers.CharField(source="run.state")
    percent = serializers.IntegerField()
    started_at = serializers.DateTimeField(source="run.created_at")
    finished_at = serializers.DateTimeField(source="run.finished_at", allow_null=True)
    stages = StageSerializer(many=True)


class SessionDishSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name_ja = serializers.CharField()


class SessionSummarySerializer(serializers.ModelSerializer[Session]):
    dish = SessionDishSerializer()
    poster_url = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = ["id", "dish", "session_number", "status", "poster_url", "created_at", "updated_at"]
        read_only_fields = fields

    def get_poster_url(self, session: Session) -> str | None:
        return self.make_absolute(queries.sign_poster(session.thumbnail_path))

    def make_absolute(self, url: str | None) -> str | None:
        return url and str(self.context["request"].build_absolute_uri(url))


class FilmSerializer(serializers.Serializer[Any]):
    """What the film is. `is_offline_coach` says that no model watched it: the coach of a machine without one did."""

    duration_seconds = serializers.FloatField()
    width_px = serializers.IntegerField()
    height_px = serializers.IntegerField()
    is_offline_coach = serializers.BooleanField()


class SessionSerializer(SessionSummarySerializer):
    """One session whole. The context holds its `progress` (`queries.RunProgress` or None)."""

    upload = serializers.SerializerMethodField()
    is_input_open = serializers.SerializerMethodField()
    pipeline = serializers.SerializerMethodField()
    raw_video_url = serializers.SerializerMethodField()
    voice_memo_url = serializers.SerializerMethodField()
    coaching_video_url = serializers.SerializerMethodField()
    captions_url = serializers.SerializerMethodField()
    chapters_url = serializers.SerializerMethodField()
    download_url = serializers.SerializerMethodField()
    film = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = [
            *SessionSummarySerializer.Meta.fields,
            "self_ratings",
            "is_input_open",
            "upload",
            "pipeline",
            "pipeline_job_id",
            "pipeline_started_at",
            "pipeline_error",
            "raw_video_url",
            "voice_memo_url",
            "voice_transcript",
            "structured_input",
            "video_analysis",
            "coaching_text",
            "narration_script",
            "coaching_video_url",
            "captions_url",
            "chapters_url",
            "download_url",
            "film",
        ]
        read_only_fields = fields

    @property
    def progress(self) -> queries.RunProgress | None:
        progress: queries.RunProgress | None = self.context["progress"]
        return progress

    @extend_schema_field(UploadSerializer(allow_null=True))
    def get_upload(self, session: Session) -> dict[str, Any] | None:
        upload = queries.get_open_upload(session) if session.status == SessionStatus.DRAFT else None
        return dict(UploadSerializer(upload, context=self.context).data) if upload and upload.url else None

    def get_is_input_open(self, session: Session) -> bool:
        return queries.is_input_open(session)

    @extend_schema_field(PipelineSerializer(allow_null=True))
    def get_pipeline(self, session: Session) -> dict[str, Any] | None:
        return dict(PipelineSerializer(self.progress).data) if self.progress else None

    def get_poster_url(self, session: Session) -> str | None:
        found = self.progress.found_by_inspect if self.progress else None
        path = session.thumbnail_path or (found or {}).get("thumbnail_path", "")
        return self.make_absolute(queries.sign_poster(path))

    def get_raw_video_url(self, session: Session) -> str | None:
        """Null until `inspect` has passed the video; then as the type that the probe found."""
        return self.make_absolute(queries.sign_raw_video(session, self.progress))

    def get_voice_memo_url(self, session: Session) -> str | None:
        return self.make_absolute(queries.sign_memo(session))

    def get_coaching_video_url(self, session: Session) -> str | None:
        return self.make_absolute(queries.sign_film(session))

    def get_captions_url(self, session: Session) -> str | None:
        return self.make_absolute(queries.sign_captions(session.captions_path))

    def get_chapters_url(self, session: Session) -> str | None:
        return self.make_absolute(queries.sign_captions(session.chapters_path))

    def get_download_url(self, session: Session) -> str | None:
        return self.make_absolute(queries.sign_film_download(session))

    @extend_schema_field(FilmSerializer(allow_null=True))
    def get_film(self, session: Session) -> dict[str, Any] | None:
        if not session.coaching_video_gcs_path:
            return None
        offline = bool(session.video_analysis.get("is_offline"))
        return dict(FilmSerializer(session.film_facts | {"is_offline_coach": offline}).data)
