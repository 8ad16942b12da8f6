"""The admin site of operators: in English, as everything that operators read, whatever the learners' language."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone, translation

from coaching.queries.session_overview import count_at_a_glance
from coaching.throttles import LoginThrottle

GROUPS = {
    "Cooks": ("Session", "PipelineRun", "TaskResult"),
    "Content": ("Dish", "Principle"),
    "Learners": ("User", "Consent", "LearnerState", "UserDishProgress", "Message", "OutboxMail"),
    "Staff": ("AuditEntry", "Group"),
}

View = Callable[..., HttpResponseBase]


def _speak_english(view: View) -> View:
    @functools.wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override("en"):
            response = view(*args, **kwargs)
            if isinstance(response, SimpleTemplateResponse):
                response.render()  # here, not in the handler: the language is of this block only
            return response

    return answer


class OperatorsSite(admin.AdminSite):
    site_header = "Moment Clone operations"
    site_title = "Moment Clone"
    index_title = "Operations"
    empty_value_display = "–"
    enable_nav_sidebar = False  # tables need the room; the rooms that operators change between are in the header

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(_speak_english(view), cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Attempts count together with those on the learners' page."""
        if request.method == "POST" and not LoginThrottle().may_try(request):
            return HttpResponse("Too many attempts to log in. Wait a minute, then try again.", status=429)
        return _speak_english(super().login)(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """By what one looks for, not by the application that has the table."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        models = {model["object_name"]: model for app in apps for model in app["models"]}
        if "UserDishProgress" in models:
            models["UserDishProgress"]["name"] = "Progress with dishes"  # Django's plural of it is no word
        groups: list[dict[str, Any]] = [
            {
                "name": name,
                "app_label": name.lower(),
                "app_url": "",
                "has_module_perms": True,
                "models": [models.pop(one) for one in names if one in models],
            }
            for name, names in GROUPS.items()
        ]
        groups[-1]["models"] += models.values()
        return [group for group in groups if group["models"]]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """For those who may see sessions, how they fare stands first."""
        context = dict(extra_context or {})
        if request.user.has_perm("coaching.view_session"):
            midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
            context["glance"] = count_at_a_glance(day_begins_at=midnight)
        return super().index(request, context)
