"""The learner's own page: name, address, password, consents, and what may be taken along or deleted."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coaching import queries
from coaching.errors import InvalidInput
from coaching.models import User
from coaching.queries.export import compose_export
from coaching.queries.onboarding import SENSITIVE_CONSENT
from coaching.services import account_changes, privacy
from coaching.services.onboarding import describe_onboarding, save_onboarding
from coaching.web.forms import DeletionForm, EmailForm, NameForm, PageForm, PasswordForm
from coaching.web.pages import get_learner

FORMS: dict[str, type[PageForm]] = {"name": NameForm, "email": EmailForm, "password": PasswordForm}


@login_required
@require_safe
def show_account(request: HttpRequest) -> HttpResponse:
    return _show(request, get_learner(request))


@login_required
@require_POST
def change_name(request: HttpRequest) -> HttpResponse:
    learner = get_learner(request)
    form = NameForm(request.POST, prefix="name")
    if _apply(form, account_changes.change_name, user=learner):
        return _go_back(request, "お名前を変えました。")
    learner.refresh_from_db()
    return _show(request, learner, name=form)


@sensitive_post_parameters("email-password")
@login_required
@require_POST
def change_email(request: HttpRequest) -> HttpResponse:
    learner = get_learner(request)
    form = EmailForm(request.POST, prefix="email")
    if _apply(form, account_changes.change_email, user=learner):
        return _go_back(request, "メールアドレスを変えました。新しいアドレスに、確認のメールをお送りします。")
    learner.refresh_from_db()
    return _show(request, learner, email=form)


@sensitive_post_parameters("password-current", "password-new")
@login_required
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    learner = get_learner(request)
    form = PasswordForm(request.POST, prefix="password")
    if _apply(form, account_changes.change_password, user=learner):
        update_session_auth_hash(request, learner)
        return _go_back(request, "パスワードを変えました。ほかの端末では、もう一度ログインが必要です。")
    return _show(request, learner, password=form)


@login_required
@require_POST
def change_consents(request: HttpRequest) -> HttpResponse:
    """Optional consents are given and taken back here; required ones come with the account."""
    consents = {text.key: text.key in request.POST for text in queries.list_consent_texts() if not text.required}
    save_onboarding(user=get_learner(request), answers={}, consents=consents)
    return _go_back(request, "同意の内容を保存しました。")


@login_required
@require_POST
def delete_footage(request: HttpRequest) -> HttpResponse:
    """Raises `Conflict`, which becomes a page, while a cook is being worked on."""
    count = privacy.delete_raw_media(get_learner(request))
    return _go_back(
        request, f"{count}回分の動画と音声メモを削除しました。" if count else "削除するものはありませんでした。"
    )


@login_required
@require_POST
@never_cache
def export_data(request: HttpRequest) -> HttpResponse:
    origin = f"{request.scheme}://{request.get_host()}"
    document = compose_export(get_learner(request), origin=origin)
    response = JsonResponse(document, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response.headers["Content-Disposition"] = 'attachment; filename="moment-clone.json"'
    return response


@sensitive_post_parameters("password")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request: HttpRequest) -> HttpResponse:
    form = DeletionForm(request.POST or None)
    if _apply(form, privacy.delete_account, user=get_learner(request)):
        logout(request)
        messages.success(request, "アカウントを削除しました。ご利用ありがとうございました。")
        return redirect("landing")
    return render(request, "account/delete.html", {"form": form}, status=422 if form.errors else 200)


def _apply(form: PageForm, change: Callable[..., object], *, user: User) -> bool:
    """Whether the change was made with what the form holds; where not, the form says why."""
    if not form.is_valid():  # which a form without data never is
        return False
    try:
        change(user=user, **form.cleaned_data)
    except InvalidInput as error:
        form.add_faults(error)
        return False
    return True


def _show(request: HttpRequest, learner: User, **bound: PageForm) -> HttpResponse:
    """The page; of the forms, those in `bound` with what was typed and why it was refused."""
    forms: dict[str, Any] = {key: kind(prefix=key) for key, kind in FORMS.items()}
    forms["name"].initial = {"first_name": learner.first_name}
    context = {
        "forms": forms | bound,
        "learner": learner,
        "texts": queries.list_consent_texts(),
        "given": queries.list_granted_consents(learner),
        "latest": queries.get_latest_consents(learner),
        "sensitive": SENSITIVE_CONSENT,
        "onboarding": describe_onboarding(learner),
    }
    return render(request, "account/page.html", context, status=422 if bound else 200)


def _go_back(request: HttpRequest, message: str) -> HttpResponse:
    messages.success(request, message)
    return redirect("account")
