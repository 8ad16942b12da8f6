"""One cook of one dish, from the upload to the film."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coaching.models.dish import Dish


class SessionStatus(models.TextChoices):
    DRAFT = "draft", "Waiting for the video"
    UPLOADED = "uploaded", "Video received"
    PROCESSING = "processing", "Pipeline running"
    COMPLETED = "completed", "Coaching ready"
    FAILED = "failed", "Pipeline error"
    CANCELLED = "cancelled", "Cancelled"


class Session(models.Model):
    """One cook of one dish; at most three that count per learner and dish.

    Columns hold object paths, never URLs: a URL is signed when it is read. The coach's output columns are written
    by `deliver` alone, all at once, so that a re-run in progress never disturbs the film that a learner has.
    A failed or cancelled session gives its number back: only the others are unique by it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cooking_sessions")
    dish = models.ForeignKey(Dish, on_delete=models.PROTECT, related_name="sessions")
    session_number = models.PositiveSmallIntegerField()

    # What the learner gave
    raw_video_path = models.CharField(max_length=500, blank=True)
    raw_video_content_type = models.CharField(max_length=100, blank=True)
    voice_memo_path = models.CharField(max_length=500, blank=True)
    raw_media_deleted_at = models.DateTimeField(null=True, blank=True)  # footage and memo are gone; the path stays
    self_ratings = models.JSONField(default=dict, blank=True)
    voice_transcript = models.TextField(blank=True)
    structured_input = models.JSONField(default=dict, blank=True)

    # The pipeline
    status = models.CharField(max_length=16, choices=SessionStatus.choices, default=SessionStatus.DRAFT)
    pipeline_job_id = models.UUIDField(null=True, blank=True)
    pipeline_started_at = models.DateTimeField(null=True, blank=True)
    pipeline_error = models.TextField(blank=True)

    # What the pipeline made, published by `deliver`
    video_facts = models.JSONField(default=dict, blank=True)
    thumbnail_path = models.CharField(max_length=500, blank=True)
    video_analysis = models.JSONField(default=dict, blank=True)
    retrieved_context = models.JSONField(default=dict, blank=True)
    coaching_text = models.JSONField(default=dict, blank=True)
    narration_script = models.JSONField(default=dict, blank=True)
    coaching_video_gcs_path = models.CharField(max_length=500, blank=True)
    captions_path = models.CharField(max_length=500, blank=True)
    chapters_path = models.CharField(max_length=500, blank=True)
    film_facts = models.JSONField(default=dict, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]
        permissions = [("steer_session", "Can re-run, retry and cancel the runs of sessions")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "dish", "session_number"],
                condition=~Q(status__in=["failed", "cancelled"]),
                name="three_sessions_per_dish",
            ),
            models.CheckConstraint(condition=Q(session_number__in=[1, 2, 3]), name="session_number_1_to_3"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "cancelled"]) | ~Q(raw_video_path=""), name="session_has_its_video"
            ),
            models.CheckConstraint(
                condition=~Q(status="completed") | ~Q(coaching_video_gcs_path=""), name="completed_session_has_film"
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.pk} ({self.status})"


class Upload(models.Model):
    """A resumable upload of a session's video. Its URL is a capability; the row says what it is bound to."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="uploads")
    url = models.CharField(max_length=2000)
    object_path = models.CharField(max_length=500, unique=True)
    size_bytes = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=100)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["session"], condition=Q(closed_at__isnull=True), name="one_open_upload_per_session"
            )
        ]

    def __str__(self) -> str:
        return f"upload {self.pk} of session {self.session_id}"
