"""What the product knows of a learner across cooks."""

from django.conf import settings
from django.db import models


class LearningVelocity(models.TextChoices):
    FAST = "fast", "Fast"
    STEADY = "steady", "Steady"
    SLOW = "slow", "Slow"
    PLATEAU = "plateau", "Plateau"


class LearnerState(models.Model):
    """Computed from the learner's completed sessions by a pure function (services.learner_state), never edited."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="learner_state")
    skills_acquired = models.JSONField(default=list, blank=True)
    skills_developing = models.JSONField(default=list, blank=True)
    recurring_mistakes = models.JSONField(default=list, blank=True)
    learning_velocity = models.CharField(
        max_length=16, choices=LearningVelocity.choices, default=LearningVelocity.STEADY
    )
    session_summaries = models.JSONField(default=list, blank=True)
    next_focus = models.CharField(max_length=200, blank=True)
    ready_for_next_dish = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"learner state of {self.user_id}"
