"""The admin site of operators: in English, as everything that operators read, whatever the learners' language."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone, translation

from coaching.queries.session_overview import count_at_a_glance

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

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(_speak_english(view), cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return _speak_english(super().login)(request, extra_context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """For those who may see sessions, how they fare stands first."""
        context = dict(extra_context or {})
        if request.user.has_perm("coaching.view_session"):
            midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
            context["glance"] = count_at_a_glance(day_begins_at=midnight)
        return super().index(request, context)
