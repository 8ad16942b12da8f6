"""What is cooked, what it teaches, and how far a learner has come with it."""

from django.conf import settings
from django.db import models


class Principle(models.Model):
    """A cooking principle. `content` is its entry of knowledge/principles.json, whole; admins may edit it."""

    slug = models.SlugField(unique=True, max_length=64)
    category = models.CharField(max_length=32)
    name_ja = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)
    content = models.JSONField(default=dict)
    content_sha256 = models.CharField(max_length=64, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["category", "slug"]

    def __str__(self) -> str:
        return self.slug


class Dish(models.Model):
    slug = models.SlugField(unique=True, max_length=64)
    name_ja = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)
    description_ja = models.TextField()
    principles = models.JSONField(default=list)
    key_points = models.JSONField(default=list)
    transferable_to = models.JSONField(default=list)
    month_unlocked = models.PositiveSmallIntegerField(default=1)
    order = models.PositiveSmallIntegerField()
    content_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["order"]
        verbose_name_plural = "dishes"
        constraints = [
            models.CheckConstraint(condition=models.Q(month_unlocked__gte=1), name="dish_month_unlocked_from_1")
        ]

    def __str__(self) -> str:
        return self.slug


class DishStatus(models.TextChoices):
    NOT_STARTED = "not_started", "Not started"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"


class UserDishProgress(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="dish_progress")
    dish = models.ForeignKey(Dish, on_delete=models.CASCADE, related_name="progress")
    status = models.CharField(max_length=16, choices=DishStatus.choices, default=DishStatus.NOT_STARTED)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "dish"], name="one_progress_per_user_and_dish")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.dish_id} {self.status}"
