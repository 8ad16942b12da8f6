"""Accounts and what belongs to them: nearly everything is read here and written elsewhere.

An account may be blocked and unblocked by staff with the right to change users; only superusers make staff, give
rights and set passwords. Plans are billing's, consents the learner's own, progress is computed.
"""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from coaching.admin.base import ReadOnlyAdmin, record_edit, show_state, show_time
from coaching.models import (
    AuditEntry,
    Consent,
    LearnerState,
    Message,
    OutboxMail,
    User,
    UserDishProgress,
)
from coaching.models.mail import MailKind

# Their texts hold a link that lets whoever reads it into the account.
SECRET_MAILS = (MailKind.VERIFY_EMAIL, MailKind.RESET_PASSWORD)
WITHHELD = "(withheld: it holds a link that only its reader may use)"


def is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


class NewAccountForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "first_name")
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}


class ConsentInline(admin.TabularInline[Consent, User]):
    model = Consent
    fields = ("key", "version", "granted", "recorded_at")
    readonly_fields = fields
    ordering = ("-recorded_at",)
    extra = 0
    can_delete = False
    verbose_name_plural = "consents, newest first"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class AccountAdmin(UserAdmin[User]):
    list_display = ("email", "first_name", "subscription_status", "onboarding_done", "is_active", "is_staff", "joined")
    list_filter = ("subscription_status", "is_active", "is_staff", "onboarding_done")
    search_fields = ("email", "first_name")
    ordering = ("-created_at",)
    date_hierarchy = "created_at"
    show_full_result_count = False
    add_form = NewAccountForm
    add_fieldsets = ((None, {"fields": ("email", "first_name", "usable_password", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("email", "first_name", "cooks", "is_active")}),
        ("Plan", {"fields": ("subscription_status", "subscribed_since")}),
        ("Beginning", {"fields": ("created_at", "email_verified_at", "onboarding_done", "profile", "last_login")}),
        ("Staff", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    readonly_fields = (
        *("email", "first_name", "cooks", "subscription_status", "subscribed_since", "created_at", "email_verified_at"),
        *("onboarding_done", "profile", "last_login"),
    )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[type[Any]]:
        return [ConsentInline] if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """What only superusers may change is shown to them only."""
        fieldsets = super().get_fieldsets(request, obj)
        return [one for one in fieldsets if one[0] != "Staff" or is_superuser(request)]

    @admin.display(description="joined", ordering="created_at")
    def joined(self, user: User) -> SafeString | str:
        return show_time(user.created_at)

    @admin.display
    def cooks(self, user: User) -> SafeString | str:
        count = user.cooking_sessions.count()
        url = f"{reverse('admin:coaching_session_changelist')}?{urlencode({'q': user.email})}"
        return format_html('<a href="{}">{} session{}</a>', url, count, "" if count == 1 else "s") if count else "none"

    @admin.display(description="answers of the quiz")
    def profile(self, user: User) -> SafeString:
        return show_json(user.learner_profile)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()  # a new account
        own = ("is_active", "is_staff", "is_superuser") if obj.pk == request.user.pk else ()
        staff = () if is_superuser(request) else ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*self.readonly_fields, *own, *staff)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody but a superuser touches the account of staff."""
        if obj is not None and (obj.is_staff or obj.is_superuser) and not is_superuser(request):
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """An account ends with everything that it owns, files too: that is a service's work, not a row's deletion."""
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  # Django's name
        if not is_superuser(request):
            raise PermissionDenied
        response: HttpResponse = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            record_edit(request, action="user.password", target=f"user:{id}", details={})
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = "user.change" if change else "user.add"
        details = {name: _describe_value(form.cleaned_data.get(name)) for name in form.changed_data}
        record_edit(request, action=action, target=f"user:{obj.pk}", details=_without_passwords(details))


def _describe_value(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, QuerySet) else value


def _without_passwords(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if "password" not in name}


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """Whoever edits a group gives rights: superusers only."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        rights = sorted(str(right) for right in form.instance.permissions.all())
        record_edit(
            request,
            action="group.change" if change else "group.add",
            target=f"group:{form.instance.pk}",
            details={"name": form.instance.name, "permissions": rights},
        )


def show_json(value: Any) -> SafeString:
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return format_html('<pre class="mc-json">{}</pre>', text)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin[Consent]):
    list_display = ("recorded_at", "user", "key", "version", "granted")
    list_filter = ("key", "granted", "version")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    date_hierarchy = "recorded_at"


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    list_display = ("created_at", "learner", "room", "sender", "kind", "session", "beginning")
    list_filter = ("sender", "kind", "chat_room__room_type")
    list_select_related = ("chat_room__user", "session")
    search_fields = ("chat_room__user__email", "text")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)

    @admin.display(ordering="chat_room__user__email")
    def learner(self, message: Message) -> str:
        return message.chat_room.user.email

    @admin.display
    def room(self, message: Message) -> str:
        return message.chat_room.get_room_type_display()

    @admin.display(description="text")
    def beginning(self, message: Message) -> str:
        return message.text[:40] + ("…" if len(message.text) > 40 else "")


@admin.register(OutboxMail)
class OutboxMailAdmin(ReadOnlyAdmin[OutboxMail]):
    list_display = ("created_at", "user", "kind", "state", "attempts", "sent_at", "error")
    list_filter = ("kind", ("sent_at", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("user__email", "outcome_key")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = ("user", "session", "kind", "subject", "text", "created_at", "attempts", "sent_at", "error")

    @admin.display
    def state(self, mail: OutboxMail) -> SafeString:
        if mail.sent_at:
            return show_state("done", "sent")
        return show_state("failed", "refused, tried again") if mail.error else show_state("queued", "waiting")

    @admin.display(description="text")
    def text(self, mail: OutboxMail) -> str:
        return WITHHELD if mail.kind in SECRET_MAILS else mail.body

    def get_readonly_fields(self, request: HttpRequest, obj: OutboxMail | None = None) -> tuple[str, ...]:
        return self.fields


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    list_display = ("created_at", "actor", "action", "target", "reason")
    list_filter = ("action",)
    list_select_related = ("actor",)
    search_fields = ("target", "reason", "actor__email")
    search_help_text = "For example session:12, user:3, or words of a reason"
    date_hierarchy = "created_at"
    fields = ("created_at", "actor", "action", "target", "reason", "shown_details")
    readonly_fields = fields

    @admin.display(description="details")
    def shown_details(self, entry: AuditEntry) -> SafeString:
        return show_json(entry.details)


@admin.register(LearnerState)
class LearnerStateAdmin(ReadOnlyAdmin[LearnerState]):
    list_display = ("user", "learning_velocity", "next_focus", "ready_for_next_dish", "updated_at")
    list_filter = ("learning_velocity", "ready_for_next_dish")
    list_select_related = ("user",)
    search_fields = ("user__email",)


@admin.register(UserDishProgress)
class UserDishProgressAdmin(ReadOnlyAdmin[UserDishProgress]):
    list_display = ("user", "dish", "status", "started_at", "completed_at")
    list_filter = ("status",)
    list_select_related = ("user", "dish")
    search_fields = ("user__email", "dish__slug")
