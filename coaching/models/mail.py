"""Mail to be sent: a row per outcome, written with the outcome and sent after it."""

from django.conf import settings
from django.db import models

from coaching.models.session import Session


class MailKind(models.TextChoices):
    FILM_READY = "film_ready", "The film is ready"
    FILM_FAILED = "film_failed", "No film could be made"
    VERIFY_EMAIL = "verify_email", "Verify the address"
    RESET_PASSWORD = "reset_password", "Reset the password"  # the name of a mail


class OutboxMail(models.Model):
    """`outcome_key` names what happened (`film_ready:<session>`): one mail per outcome, whatever runs twice."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outbox")
    session = models.ForeignKey(Session, null=True, blank=True, on_delete=models.SET_NULL, related_name="outbox")
    kind = models.CharField(max_length=24, choices=MailKind.choices)
    outcome_key = models.CharField(max_length=120, unique=True)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["created_at"], condition=models.Q(sent_at__isnull=True), name="outbox_unsent")]

    def __str__(self) -> str:
        return f"{self.outcome_key} to {self.user_id}"
