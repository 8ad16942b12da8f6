"""How a view answers with a page: whole for a browser, its `_fragment.html` for htmx. One view serves both."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from coaching.models import User


def wants_fragment(request: HttpRequest) -> bool:
    """htmx asks for a piece; not when it boosts a link or restores its history, which take whole pages."""
    htmx = getattr(request, "htmx", None)
    return isinstance(htmx, HtmxDetails) and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(request: HttpRequest, room: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """`templates/<room>/page.html`, or its `_fragment.html` where htmx asks. The page includes the fragment."""
    name = "_fragment" if wants_fragment(request) else "page"
    response = render(request, f"{room}/{name}.html", context, status=status)
    response.headers["Vary"] = "HX-Request"
    return response


def get_learner(request: HttpRequest) -> User:
    """Whoever is logged in; for views under `login_required`."""
    if not isinstance(request.user, User):
        raise TypeError("login_required let an anonymous user through")
    return request.user


def describe_site(request: HttpRequest) -> dict[str, Any]:
    """A context processor: what every template may name. `region` is empty where nothing leaves this installation."""
    return {
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "operator": settings.OPERATOR,
        "site": {
            "retention_days": settings.RAW_MEDIA_RETENTION.days,
            "price_yen": settings.PRICE_MONTHLY_YEN,
            "uses_google": bool(settings.PROCESSING_REGION),
            "region": settings.PROCESSING_REGION,
        },
    }
