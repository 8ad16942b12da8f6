"""Every error of the API as a problem (`coaching.problems`): the product's own, DRF's, and what nobody expected."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from coaching import problems
from coaching.api.exceptions import PayloadTooLarge
from coaching.errors import MomentCloneError
from coaching.throttles import TOO_OFTEN

logger = logging.getLogger(__name__)

# What a learner reads for DRF's errors, by code. A validation error says more by field.
LEARNER_MESSAGES: dict[str, str] = {
    "invalid_input": "入力内容をご確認ください。",
    "parse_error": "送られた内容を読み取れませんでした。",
    "not_authenticated": "ログインしてください。",
    "authentication_failed": "メールアドレスまたはパスワードが違います。",
    "permission_denied": "この操作は許可されていません。",
    "csrf_failed": "安全のため操作を止めました。ページを読み込み直して、もう一度お試しください。",
    "not_found": "お探しのものが見つかりませんでした。",
    "method_not_allowed": "この操作はできません。",
    "not_acceptable": "この形式ではお返しできません。",
    "unsupported_media_type": "この形式の内容は受け取れません。",
    "payload_too_large": "送られた内容が大きすぎます。",
    "throttled": TOO_OFTEN,
    "server_error": "うまくいきませんでした。少し時間をおいて、もう一度お試しください。",
}


def handle_exception(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER. Unexpected errors are logged with their trace and reported to Django's signal."""
    set_rollback()
    if isinstance(error, MomentCloneError):
        return _answer_own(error, context)
    error = _convert_djangos(error)
    if isinstance(error, exceptions.APIException):
        return _answer(_describe_api_exception(error), _describe_api_headers(error))
    _report(error, context)
    return _answer(_compose(status.HTTP_500_INTERNAL_SERVER_ERROR, "server_error"), {})


def _convert_djangos(error: Exception) -> Exception:
    """What Django itself raises while it reads a request, as DRF's errors."""
    match error:
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig():
            return PayloadTooLarge()
        case SuspiciousOperation() | BadRequest() | MultiPartParserError() | UnreadablePostError():
            return exceptions.ParseError()
        case _:
            return error


def _answer_own(error: MomentCloneError, context: dict[str, Any]) -> Response:
    problem = problems.describe_error(error)
    if problem["status"] >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        _report(error, context)
    return _answer(problem, problems.describe_headers(error))


def _answer(problem: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(problem, status=problem["status"], headers=headers, content_type=problems.CONTENT_TYPE)


def _compose(status_code: int, code: str, field_errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    detail = LEARNER_MESSAGES.get(code, LEARNER_MESSAGES["server_error"])
    return problems.compose_problem(status=status_code, code=code, detail=detail, field_errors=field_errors)


def _describe_api_exception(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return _compose(error.status_code, "invalid_input", list(_list_faults(error.detail)))
    code = error.get_codes()
    return _compose(error.status_code, code if isinstance(code, str) else error.default_code)


def _list_faults(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """DRF nests a validation error as the input is nested; `field` is the way there ("video.size_bytes")."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            name = "" if key == api_settings.NON_FIELD_ERRORS_KEY else str(key)
            yield from _list_faults(inner, ".".join(filter(None, (field, name))))
    elif isinstance(detail, exceptions.ErrorDetail):
        yield {"field": field, "code": str(detail.code), "detail": str(detail)}
    elif all(isinstance(inner, exceptions.ErrorDetail) for inner in detail):
        for inner in detail:
            yield from _list_faults(inner, field)
    else:
        for index, inner in enumerate(detail):
            yield from _list_faults(inner, f"{field}.{index}" if field else str(index))


def _describe_api_headers(error: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def _report(error: Exception, context: dict[str, Any]) -> None:
    request = context["request"]._request
    logger.error("%s %s broke", request.method, request.path, exc_info=error)
    got_request_exception.send(sender=handle_exception, request=request)
