"""Who learns, and what they agreed to."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower


class SubscriptionStatus(models.TextChoices):
    FREE = "free", "Free"
    ACTIVE = "active", "Active"
    PAST_DUE = "past_due", "Past due"
    CANCELLED = "cancelled", "Cancelled"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """An address is one account however it is capitalised."""
        return self.get(email__iexact=username or "")


class User(AbstractUser):
    """A learner or a member of staff. The e-mail address is the login name."""

    username = None  # type: ignore[assignment]  # Django's way to drop the inherited field
    first_name = models.CharField(max_length=100)
    email = models.EmailField(unique=True)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    onboarding_done = models.BooleanField(default=False)
    subscription_status = models.CharField(
        max_length=16, choices=SubscriptionStatus.choices, default=SubscriptionStatus.FREE
    )
    subscribed_since = models.DateField(null=True, blank=True)
    learner_profile = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["first_name"]
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]  # e-mail instead of a user name

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique_ignoring_case")]

    def __str__(self) -> str:
        return self.email


class Consent(models.Model):
    """One answer to one consent in one version. Append-only: withdrawing is a new row with `granted=False`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents")
    key = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    granted = models.BooleanField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["user", "key", "-recorded_at"], name="consent_latest")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.key}@{self.version} {'granted' if self.granted else 'withdrawn'}"
