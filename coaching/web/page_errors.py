"""What a learner sees when a page cannot be served: in words, with a way on, as a page or as a notice for htmx."""

import logging
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from coaching import problems
from coaching.errors import MomentCloneError, NotFound
from coaching.web.pages import wants_fragment

logger = logging.getLogger(__name__)

# These rooms answer in the API's form.
PROGRAM_PREFIXES = ("/api/", "/uploads/", "/media/", "/admin/")

TITLES = {
    400: "読み取れませんでした",
    403: "この操作はできません",
    404: "ページが見つかりません",
    409: "いまはできません",
    500: "うまくいきませんでした",
}
DETAILS = {
    400: "送られた内容を読み取れませんでした。前の画面に戻って、もう一度お試しください。",
    403: "このページをご覧いただく権限がありません。",
    404: "お探しのページは、移動したか、はじめからなかったのかもしれません。",
    500: "こちらで問題が起きました。少し時間をおいて、もう一度お試しください。",
}
CSRF_DETAIL = "安全のため、操作を止めました。ページを読み込み直して、もう一度お試しください。"


class PageErrorsMiddleware:
    """Turns the product's errors that a page's view raises into pages, and a lost login into a visible one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if wants_fragment(request) and _leads_to_login(response):
            return HttpResponseClientRedirect(_find_login_url(request))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        if not isinstance(error, MomentCloneError) or request.path_info.startswith(PROGRAM_PREFIXES):
            return None
        if isinstance(error, NotFound):
            return answer_not_found(request, Http404())
        status = problems.find_status(error)
        if status >= 500:
            logger.error("%s %s: %s", request.method, request.path, error)
        return answer_error(request, status, error.learner_message)


def _leads_to_login(response: HttpResponseBase) -> bool:
    location = response.headers.get("Location", "")
    return response.status_code == 302 and urlsplit(location).path == resolve_url(settings.LOGIN_URL)


def _find_login_url(request: HttpRequest) -> str:
    """To the login, and afterwards to the page that the learner is looking at, not to the piece that was asked for."""
    shown = urlsplit(request.htmx.current_url or "")  # type: ignore[attr-defined]  # of HtmxMiddleware
    query = urlencode({"next": f"{shown.path}?{shown.query}" if shown.query else shown.path})
    return f"{resolve_url(settings.LOGIN_URL)}?{query}"


def answer_error(request: HttpRequest, status: int, detail: str = "") -> HttpResponse:
    """The error as a page; for htmx as the notice that it puts where notices are read out."""
    context = {
        "status": status,
        "title": TITLES.get(status) or TITLES[500 if status >= 500 else 403],
        "detail": detail or DETAILS.get(status) or DETAILS[500],
    }
    template = "errors/_fragment.html" if wants_fragment(request) else "errors/page.html"
    return render(request, template, context, status=status)


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_error(request, 400)


def answer_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_error(request, 403)


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_error(request, 404)


@never_cache
def answer_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    logger.warning("CSRF: %s %s: %s", request.method, request.path, reason)
    return answer_error(request, 403, CSRF_DETAIL)


def answer_server_error(request: HttpRequest) -> HttpResponse:
    """Needs no database and no session: either may be what broke."""
    context = {"title": TITLES[500], "detail": DETAILS[500]}
    template = "errors/_fragment.html" if wants_fragment(request) else "errors/500.html"
    return render(request, template, context, status=500)
