"""Sessions: what state each is in, and everything about one of them on one page."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from coaching.admin import session_page, steering_page
from coaching.admin.base import ReadOnlyAdmin, format_age, show_state
from coaching.models import Dish, Session, SessionStatus, Stage
from coaching.queries.session_overview import (
    Standing,
    Trouble,
    filter_current_stage,
    filter_trouble,
    list_overview,
    read_standing,
)
from coaching.services.steering import Steering

ENDED = (SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.CANCELLED)


class TroubleFilter(admin.SimpleListFilter):
    title = "trouble"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (Trouble.FAILED, "Last run failed"),
            (Trouble.STUCK, "Stuck, any reason"),
            (Trouble.RUNNING_LONG, "– a stage runs too long"),
            (Trouble.QUEUED_LONG, "– queued too long"),
            (Trouble.SILENT, "– nothing happens"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        wanted = next((trouble for trouble in Trouble if trouble == self.value()), None)
        return filter_trouble(queryset, wanted) if wanted else queryset


class StageFilter(admin.SimpleListFilter):
    """By the stage at which the current run stands."""

    title = "current stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stage.value, stage.value) for stage in Stage]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        wanted = next((stage for stage in Stage if stage == self.value()), None)
        return filter_current_stage(queryset, wanted) if wanted else queryset


class DishFilter(admin.SimpleListFilter):
    """One query for the names, whatever the number of sessions."""

    title = "dish"
    parameter_name = "dish"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Dish.objects.filter(month_unlocked=1).values_list("slug", "name_en"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        return queryset.filter(dish__slug=self.value()) if self.value() else queryset


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin[Session]):
    list_display = ("session", "learner", "cook", "state", "stage", "attempts", "age")
    list_display_links = ("session",)
    list_filter = (TroubleFilter, "status", StageFilter, DishFilter)
    search_fields = ("user__email", "user__first_name")
    search_help_text = "E-mail or name of the learner, number of the session, id of a run"
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    actions = ("rerun_sessions", "retry_sessions", "cancel_sessions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return list_overview(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        term = search_term.strip()
        if term.isdecimal() and len(term) < 19:
            return queryset.filter(Q(pk=int(term)) | Q(user__email__contains=term)), False
        try:
            return queryset.filter(runs__id=UUID(term)), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    # --- columns ---

    @admin.display(ordering="pk")
    def session(self, session: Session) -> str:
        return f"Session {session.pk}"

    @admin.display(ordering="user__email")
    def learner(self, session: Session) -> str:
        return session.user.email

    @admin.display(ordering="dish__order")
    def cook(self, session: Session) -> str:
        return f"{session.dish.name_en}, no. {session.session_number}"

    @admin.display(ordering="status")
    def state(self, session: Session) -> SafeString:
        """A learner who has a film keeps it: the session stays completed although its last run failed."""
        standing = read_standing(session)
        if session.status == SessionStatus.COMPLETED and standing.run_state in {"failed", "cancelled"}:
            return format_html(
                "{} {}", show_state("completed"), show_state(standing.run_state, f"re-run {standing.run_state}")
            )
        return show_state(session.status)

    @admin.display(description="current stage")
    def stage(self, session: Session) -> SafeString | str:
        standing = read_standing(session)
        if not standing.stage or session.status == SessionStatus.DRAFT:
            return "–"
        percent = f" {standing.percent} %" if standing.stage_state == "running" and standing.percent else ""
        state = show_state(standing.stage_state, f"{standing.stage_state}{percent}")
        lasts = f"for {format_age(standing.stage_since)}" if standing.stage_state in {"queued", "running"} else ""
        return format_html("{} {} {}", standing.stage, state, lasts)

    @admin.display(description="attempts")
    def attempts(self, session: Session) -> str:
        standing = read_standing(session)
        if not standing.attempt:
            return "–"
        runs = [f"run {standing.run_count}"] if standing.run_count > 1 else []
        return ", ".join([str(standing.attempt), *_count_faults(standing), *runs])

    @admin.display(description="age", ordering="pipeline_started_at")
    def age(self, session: Session) -> SafeString:
        began_at = session.pipeline_started_at or session.created_at
        exact = timezone.localtime(began_at).strftime("%Y-%m-%d %H:%M:%S")
        return format_html('<span title="{}">{}</span>', exact, format_age(began_at))

    # --- pages ---

    def get_urls(self) -> list[URLPattern]:
        steer = self.admin_site.admin_view(self.steer_view)
        return [path("steer/<str:steering>/", steer, name="coaching_session_steer"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        session = self.get_object(request, object_id)
        if session is None:
            return super().change_view(request, object_id)  # leads back, with words
        if request.method not in {"GET", "HEAD"} or not self.has_view_permission(request, session):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **session_page.describe_session(session, wanted_run=request.GET.get("run", "")),
            "may_steer": self.has_steer_permission(request),
            "opts": self.opts,
            "title": f"Session {session.pk}",
        }
        return TemplateResponse(request, "admin/coaching/session/page.html", context)

    def steer_view(self, request: HttpRequest, steering: str) -> HttpResponse:
        if not (self.has_steer_permission(request) and self.has_view_permission(request)):
            raise PermissionDenied
        return steering_page.answer(request, steering, site_context=self.admin_site.each_context(request))

    # --- actions ---

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("coaching.steer_session"))

    @admin.action(description="Re-run from a stage…", permissions=["steer"])
    def rerun_sessions(self, request: HttpRequest, sessions: QuerySet[Session]) -> HttpResponse | None:
        return self._plan(request, Steering.RERUN, sessions)

    @admin.action(description="Retry the failed stage…", permissions=["steer"])
    def retry_sessions(self, request: HttpRequest, sessions: QuerySet[Session]) -> HttpResponse | None:
        return self._plan(request, Steering.RETRY, sessions)

    @admin.action(description="Cancel the run in progress…", permissions=["steer"])
    def cancel_sessions(self, request: HttpRequest, sessions: QuerySet[Session]) -> HttpResponse | None:
        return self._plan(request, Steering.CANCEL, sessions)

    def _plan(self, request: HttpRequest, steering: Steering, sessions: QuerySet[Session]) -> HttpResponse | None:
        """To the page that says what would happen; nothing is done before it is confirmed there."""
        most = steering_page.MOST_SESSIONS
        ids: Sequence[int] = list(sessions.values_list("pk", flat=True)[: most + 1])
        if len(ids) > most:
            self.message_user(request, f"At most {most} sessions at once: nothing was done.", messages.ERROR)
            return None
        url = reverse("admin:coaching_session_steer", args=[steering.value])
        return HttpResponseRedirect(f"{url}?{urlencode({'session': ids}, doseq=True)}")


def _count_faults(standing: Standing) -> list[str]:
    faults = []
    if standing.errors:
        faults.append(f"{standing.errors} error{'s' if standing.errors > 1 else ''}")
    if standing.evictions:
        faults.append(f"{standing.evictions} eviction{'s' if standing.evictions > 1 else ''}")
    return faults
