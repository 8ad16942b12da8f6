"""What the pages of the admin have in common: most of them only read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from coaching.models import AuditEntry, User

Row = TypeVar("Row", bound=models.Model)


class ReadOnlyAdmin(admin.ModelAdmin[Row]):
    """Pages without a form: nothing is added, changed or deleted, whoever asks. A forged POST is answered with 403."""

    actions: Sequence[Any] = ()
    list_per_page = 50
    show_full_result_count = False  # a COUNT over the whole table, for a line that nobody reads

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


def record_edit(request: HttpRequest, *, action: str, target: str, details: dict[str, Any]) -> None:
    """Write to the audit log what an admin changed by a form. Call it in the change's transaction."""
    actor = request.user if isinstance(request.user, User) else None
    AuditEntry.objects.create(actor=actor, action=action, target=target, details=details)


_UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def format_age(since: datetime | None, until: datetime | None = None) -> str:
    if since is None:
        return "–"
    return format_seconds(((until or timezone.now()) - since).total_seconds())


def format_seconds(seconds: float) -> str:
    """Short, with two units at most: 4.2 s, 3 min 12 s, 5 h 3 min, 2 d 4 h."""
    seconds = max(0.0, seconds)
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    size, unit, smaller, smaller_unit = next(units for units in _UNITS if whole >= units[0])
    rest = whole % size // smaller
    return f"{whole // size} {unit} {rest} {smaller_unit}" if rest else f"{whole // size} {unit}"


def show_state(state: str, label: str = "") -> SafeString:
    """A state as a coloured pill; the word says it, the colour repeats it."""
    return format_html('<span class="mc-state mc-state-{}">{}</span>', state, label or state)


def show_time(moment: datetime | None) -> SafeString | str:
    """Exact, in local time, as a machine-readable element too."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), local.strftime("%Y-%m-%d %H:%M:%S"))
