"""Runs as a list, and the result rows that Celery keeps of tasks; both lead to the page of their session."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_celery_results.models import GroupResult, TaskResult

from coaching.admin.base import ReadOnlyAdmin, format_age, show_state, show_time
from coaching.models import PipelineRun
from coaching.queries.task_results import read_answer


@admin.register(PipelineRun)
class PipelineRunAdmin(ReadOnlyAdmin[PipelineRun]):
    list_display = ("began", "session_of_run", "shown_state", "cause", "first_stage", "requested_by", "took", "error")
    list_display_links = ("began",)
    list_filter = ("state", "cause", "first_stage")
    search_fields = ("session__user__email", "error", "requested_by__email")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PipelineRun]:
        return super().get_queryset(request).select_related("session__user", "requested_by")

    @admin.display(ordering="created_at")
    def began(self, run: PipelineRun) -> SafeString | str:
        return show_time(run.created_at)

    @admin.display(description="session")
    def session_of_run(self, run: PipelineRun) -> str:
        return f"Session {run.session_id}, {run.session.user.email}"

    @admin.display(description="state", ordering="state")
    def shown_state(self, run: PipelineRun) -> SafeString:
        return show_state(run.state)

    @admin.display
    def took(self, run: PipelineRun) -> str:
        return format_age(run.created_at, run.finished_at)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A run is read on its session's page."""
        run = self.get_object(request, object_id) if request.method in {"GET", "HEAD"} else None
        if run is None or not self.has_view_permission(request, run):
            return super().change_view(request, object_id, form_url, extra_context)
        page = reverse("admin:coaching_session_change", args=[run.session_id])
        return HttpResponseRedirect(f"{page}?run={run.pk}")


# django-celery-results brings pages of its own, with forms; ours read, and know what a result is of.
admin.site.unregister([TaskResult, GroupResult])


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin[TaskResult]):
    list_display = ("task_id", "stage", "run", "shown_status", "date_done")
    list_filter = ("status", "date_done")
    search_fields = ("task_id", "result")
    search_help_text = "Id of a task or of a run"
    date_hierarchy = "date_done"
    ordering = ("-date_done",)
    fields = ("task_id", "stage", "run", "status", "date_created", "date_done", "result", "traceback")
    readonly_fields = fields

    @admin.display
    def stage(self, result: TaskResult) -> str:
        answer = read_answer(result)
        return answer.stage if answer else "–"

    @admin.display
    def run(self, result: TaskResult) -> SafeString | str:
        answer = read_answer(result)
        if answer is None:
            return "–"
        url = reverse("admin:coaching_pipelinerun_change", args=[answer.run_id])
        return format_html('<a href="{}">{}</a>', url, answer.run_id)

    @admin.display(description="status", ordering="status")
    def shown_status(self, result: TaskResult) -> SafeString:
        return show_state(result.status)
