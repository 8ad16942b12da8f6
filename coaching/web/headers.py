"""Response headers for every page: what a browser may load, which devices a page may use, who may keep a copy."""

from collections.abc import Callable

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

ADMIN_PREFIX = "/admin/"
# Camera and microphone are for the learner's own cook and memo; everything else stays off.
PERMISSIONS_POLICY = (
    "camera=(self), microphone=(self), screen-wake-lock=(self), fullscreen=(self), "
    "geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), midi=(), display-capture=()"
)

Respond = Callable[[HttpRequest], HttpResponseBase]


class PolicyMiddleware(CSPMiddleware):
    """The policy of the settings; the admin's differs in `script-src`, because its scripts carry no nonce."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.replace is None and request.path_info.startswith(ADMIN_PREFIX):
            parts.replace = {"script-src": settings.ADMIN_SCRIPT_SOURCES}
        return parts


class HeadersMiddleware:
    """A page that was made for somebody is theirs alone, and is asked for anew after "back"."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response
