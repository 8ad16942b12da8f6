"""Durable runs: one PipelineRun per trip through the stages, one StageRun per stage of it.

    pending -> queued -> running -> done
       queued  <- running   (lease expired, or a retry with its due_at)
       running -> failed    (a permanent error, or attempts exhausted)
       pending | queued | running -> cancelled

The row is the outbox: `queued` means that a message ought to exist. Every transition is in `services.runs`.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from coaching.models.session import Session


class Stage(models.TextChoices):
    """The stages in their order; a StageRun's `position` is the index in this list."""

    INSPECT = "inspect", "Inspect"
    LISTEN = "listen", "Listen"
    ANALYSE = "analyse", "Analyse"
    RETRIEVE = "retrieve", "Retrieve"
    SCRIPT = "script", "Script"
    NARRATE = "narrate", "Narrate"
    COMPOSE = "compose", "Compose"
    DELIVER = "deliver", "Deliver"


class RunState(models.TextChoices):
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class RunCause(models.TextChoices):
    SUBMITTED = "submitted", "Submitted by the learner"
    RERUN = "rerun", "Re-run from a stage"
    RETRY = "retry", "Failed stage retried"


class PipelineRun(models.Model):
    """One trip through the stages. Its id is the session's `pipeline_job_id` while it is the current one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.RUNNING)
    cause = models.CharField(max_length=16, choices=RunCause.choices, default=RunCause.SUBMITTED)
    first_stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.INSPECT)
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reruns")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    error = models.TextField(blank=True)
    learner_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["session"], condition=Q(state="running"), name="one_running_run_per_session"
            )
        ]

    def __str__(self) -> str:
        return f"run {self.id} ({self.state})"


class StageState(models.TextChoices):
    PENDING = "pending", "Pending"
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class StageRun(models.Model):
    run = models.ForeignKey(PipelineRun, on_delete=models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=16, choices=Stage.choices)
    position = models.PositiveSmallIntegerField()
    queue = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=StageState.choices, default=StageState.PENDING)

    # Who runs it: every claim raises the fence, and only the holder of the newest fence may commit.
    fence = models.PositiveBigIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    # How often: errors and evictions (a worker that died or was taken away) are counted apart.
    attempt = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    evictions = models.PositiveIntegerField(default=0)

    # When it is to be published next, and how often it was.
    due_at = models.DateTimeField(null=True, blank=True)
    publications = models.PositiveIntegerField(default=0)

    queued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    progress_percent = models.PositiveSmallIntegerField(default=0)

    error_class = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    error_stderr = models.TextField(blank=True)
    learner_message = models.TextField(blank=True)

    usage = models.JSONField(default=list, blank=True)
    output = models.JSONField(default=dict, blank=True)
    history = models.JSONField(default=list, blank=True)  # one entry per ended attempt, for the timeline

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "stage"], name="one_row_per_run_and_stage"),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False)
                | ~Q(state="running") & Q(lease_until__isnull=True),
                name="a_lease_while_running_only",
            ),
            models.CheckConstraint(condition=Q(progress_percent__lte=100), name="stage_progress_percent_up_to_100"),
            models.CheckConstraint(condition=Q(attempt__gte=F("errors")), name="no_more_errors_than_attempts"),
        ]
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="stage_lease"),
            models.Index(fields=["due_at"], condition=Q(state="queued"), name="stage_due"),
            models.Index(fields=["queue", "state"], name="stage_queue_state"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of run {self.run_id} ({self.state})"
