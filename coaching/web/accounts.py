"""Registering, logging in and out, proving an address, a forgotten password."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from coaching.errors import InvalidInput, LinkRefused
from coaching.models import User
from coaching.services import account_changes, account_links, accounts
from coaching.throttles import TOO_OFTEN, LoginThrottle, MailThrottle, RegisterThrottle
from coaching.web.forms import LoginForm, NewPasswordForm, PageForm, RegisterForm, ResetRequestForm

BACKEND = "django.contrib.auth.backends.ModelBackend"


def find_next(request: HttpRequest, default: str) -> str:
    """Where the learner wanted to go: a page of ours, or the default. Nobody is sent elsewhere by a link."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if own else default


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(find_next(request, settings.LOGIN_REDIRECT_URL))
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and not RegisterThrottle().may_try(request):
        return _refuse_for_now(request, "accounts/register.html", form)
    if form.is_bound and form.is_valid():
        try:
            user = accounts.register_user(**form.cleaned_data)
        except InvalidInput as error:
            form.add_faults(error)
        else:
            account_changes.request_verification(user)
            login(request, user, backend=BACKEND)
            return redirect(find_next(request, "/onboarding/"))
    return _show(request, "accounts/register.html", form)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(find_next(request, settings.LOGIN_REDIRECT_URL))
    form = LoginForm(request.POST or None)
    if request.method == "POST" and not LoginThrottle().may_try(request):
        return _refuse_for_now(request, "accounts/login.html", form)
    if form.is_bound and form.is_valid():
        user = accounts.find_user_by_password(**form.cleaned_data)
        if user is not None:
            login(request, user, backend=BACKEND)
            return redirect(find_next(request, settings.LOGIN_REDIRECT_URL))
        form.add_error(None, "メールアドレスまたはパスワードが違います。")
    return _show(request, "accounts/login.html", form)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.info(request, "ログアウトしました。")
    return redirect(settings.LOGOUT_REDIRECT_URL)


@require_GET
@never_cache
def verify_email(request: HttpRequest, token: str) -> HttpResponse:
    try:
        account_changes.verify_email(token)
    except LinkRefused as error:
        messages.error(request, error.learner_message)
    else:
        messages.success(request, "メールアドレスを確認しました。ありがとうございます。")
    return redirect("/account/" if request.user.is_authenticated else settings.LOGIN_URL)


@require_POST
def resend_verification(request: HttpRequest) -> HttpResponse:
    if not isinstance(request.user, User):
        return redirect(settings.LOGIN_URL)
    account_changes.request_verification(request.user)
    messages.success(request, "確認のメールをお送りします。届くまで、数分お待ちください。")
    return redirect(find_next(request, "/account/"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def request_reset(request: HttpRequest) -> HttpResponse:
    form = ResetRequestForm(request.POST or None)
    if request.method == "POST" and not MailThrottle().may_try(request):
        return _refuse_for_now(request, "accounts/reset_request.html", form)
    if form.is_bound and form.is_valid():
        account_changes.request_password_reset(form.cleaned_data["email"])
        return render(request, "accounts/reset_sent.html")
    return _show(request, "accounts/reset_request.html", form)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset_password(request: HttpRequest, user_code: str, token: str) -> HttpResponse:
    try:
        account_links.read_reset_link(user_code, token)
        form = NewPasswordForm(request.POST or None)
        if form.is_bound and form.is_valid():
            user = account_changes.reset_password(user_code=user_code, token=token, **form.cleaned_data)
            login(request, user, backend=BACKEND)
            messages.success(request, "パスワードを新しくしました。")
            return redirect(settings.LOGIN_REDIRECT_URL)
    except InvalidInput as error:
        form.add_faults(error)
    except LinkRefused as error:
        messages.error(request, error.learner_message)
        return redirect("/password/")
    return _show(request, "accounts/reset_password.html", form)


def _show(request: HttpRequest, template: str, form: PageForm) -> HttpResponse:
    context = {"form": form, "next": find_next(request, "")}
    return render(request, template, context, status=422 if form.errors else 200)


def _refuse_for_now(request: HttpRequest, template: str, form: PageForm) -> HttpResponse:
    """Too many attempts; what was typed stays, but for the password."""
    form.add_error(None, TOO_OFTEN)
    return render(request, template, {"form": form, "next": find_next(request, "")}, status=429)
