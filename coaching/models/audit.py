"""Who did what to whom: admin actions, kept for as long as the account they concern."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """Append-only. `actor` is null for what the product did by itself."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=120)
    reason = models.TextField(blank=True)
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["target", "-created_at"], name="audit_by_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
