"""The coach's reply to one question: pending until it is answered or has failed. Transitions are in `services.replies`.

    pending -> answered | failed         failed -> pending   (the learner asks again)

A pending row is the outbox: it means that a message ought to exist. Its worker owns it while the lease lives and the
fence is the newest, as with the stages of a run.
"""

from django.db import models
from django.db.models import F, Q

from coaching.models.chat import ChatRoom, Message
from coaching.models.session import Session


class ReplyState(models.TextChoices):
    PENDING = "pending", "Pending"
    ANSWERED = "answered", "Answered"
    FAILED = "failed", "Failed"


class Reply(models.Model):
    """`answer` is the message that holds the text once it is whole; until then its text is empty."""

    room = models.ForeignKey(ChatRoom, on_delete=models.CASCADE, related_name="replies")
    question = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="reply")
    answer = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="reply_of")
    session = models.ForeignKey(Session, null=True, blank=True, on_delete=models.SET_NULL, related_name="replies")
    idempotency_key = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=ReplyState.choices, default=ReplyState.PENDING)

    fence = models.PositiveBigIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    publications = models.PositiveIntegerField(default=0)

    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    first_words_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    error_class = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    learner_message = models.TextField(blank=True)
    usage = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "replies"
        constraints = [
            models.UniqueConstraint(fields=["room", "idempotency_key"], name="one_question_per_key"),
            models.CheckConstraint(
                condition=Q(state="pending") | Q(lease_until__isnull=True),
                name="a_reply_has_a_lease_while_pending_only",
            ),
            models.CheckConstraint(condition=Q(attempt__gte=F("errors")), name="no_more_reply_errors_than_attempts"),
        ]
        indexes = [
            models.Index(fields=["room", "id"], condition=Q(state="pending"), name="reply_pending_in_room"),
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="reply_due"),
            models.Index(fields=["room", "asked_at"], name="reply_asked_in_room"),
        ]

    def __str__(self) -> str:
        return f"reply {self.pk} ({self.state})"
