"""One line per request, and an id that its other lines, its tasks and its answer carry."""

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.encoding import escape_uri_path

from coaching import log_context

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestLogMiddleware:
    """Neither queries nor bodies are logged: they hold signatures and what learners wrote."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = _read_request_id(request)
        with log_context.bind_ids(request_id=request_id):
            started_at = time.monotonic()
            response = self.get_response(request)
            logger.log(
                logging.DEBUG if request.path in PROBES else logging.INFO,
                "%s %s %d in %.0f ms",
                request.method,
                escape_uri_path(request.path),  # a line break in it must not begin a line of its own
                response.status_code,
                1000 * (time.monotonic() - started_at),
            )
        response.headers[HEADER] = request_id
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if (session_id := kwargs.get("session_id")) is not None:
            log_context.note_ids(session_id=session_id)


def _read_request_id(request: HttpRequest) -> str:
    """A proxy's, where it has the form of one, else a new one."""
    given = request.headers.get(HEADER, "")
    return given if log_context.REQUEST_ID_FORM.fullmatch(given) else uuid.uuid4().hex
