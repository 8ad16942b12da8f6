"""Dishes and principles: their texts are edited here, their rows come from the knowledge files.

An edit stays until the file itself says something else (`services.content`). After one the search index is built
anew by a task; the pages say whether it knows the present texts.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from coaching.admin.base import ReadOnlyAdmin, show_time
from coaching.admin.content_forms import DishForm, PrincipleForm
from coaching.models import Dish, Principle, User
from coaching.services import content, content_editing
from tasks.content import publish_refresh


class ContentAdmin(ReadOnlyAdmin[Any]):
    """Changed, never added or deleted: rows come from the knowledge files, where examples and tests go with them."""

    change_list_template = "admin/coaching/content_list.html"
    change_form_template = "admin/coaching/content_form.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super(ReadOnlyAdmin, self).has_change_permission(request, obj))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_view_permission(request, obj))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), **self._describe_index(request)})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {**(extra_context or {}), **self._describe_index(request), "show_save_and_add_another": False}
        return super().changeform_view(request, object_id, form_url, context)

    def _describe_index(self, request: HttpRequest) -> dict[str, Any]:
        url = reverse(f"admin:coaching_{self.opts.model_name}_reindex")
        return {
            "index_state": content.describe_index(),
            "reindex_url": url if self.has_change_permission(request) else "",
        }

    def get_urls(self) -> list[URLPattern]:
        name = f"coaching_{self.opts.model_name}_reindex"
        return [path("reindex/", self.admin_site.admin_view(self.reindex_view), name=name), *super().get_urls()]

    def reindex_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        publish_refresh()
        messages.success(request, "The search index is being brought up to date.")
        return HttpResponseRedirect(reverse(f"admin:coaching_{self.opts.model_name}_changelist"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = request.user if isinstance(request.user, User) else None
        if isinstance(obj, Principle):
            content_editing.edit_principle(principle=obj, content=form.compose_content(), actor=actor)
        else:
            content_editing.edit_dish(dish=obj, fields=form.cleaned_data, actor=actor)
        transaction.on_commit(publish_refresh)


@admin.register(Principle)
class PrincipleAdmin(ContentAdmin):
    form = PrincipleForm
    list_display = ("slug", "name_ja", "name_en", "category", "edited")
    list_filter = ("category",)
    search_fields = ("slug", "name_ja", "name_en")
    list_per_page = 100
    readonly_fields = ("slug", "edited")

    @admin.display(description="last written", ordering="updated_at")
    def edited(self, principle: Principle) -> SafeString | str:
        return show_time(principle.updated_at)


@admin.register(Dish)
class DishAdmin(ContentAdmin):
    form = DishForm
    list_display = ("slug", "name_ja", "name_en", "month_unlocked", "order", "key_point_count")
    list_filter = ("month_unlocked",)
    search_fields = ("slug", "name_ja", "name_en")
    readonly_fields = ("slug",)

    @admin.display(description="key points")
    def key_point_count(self, dish: Dish) -> str:
        return str(len(dish.key_points))
