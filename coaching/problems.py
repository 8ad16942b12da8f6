"""Errors as HTTP says them: one form everywhere, problem details (RFC 9457).

type     urn:moment-clone:problem:<code>      detail    Japanese, what the learner can do
title    the code in words (English)          code      for programs
status   as in the status line                errors[]  by field: {"field", "code", "detail"}
"""

from typing import Any

from coaching import errors

CONTENT_TYPE = "application/problem+json"

# The nearest class in an error's ancestry decides.
STATUS_OF: dict[type[errors.MomentCloneError], int] = {
    errors.MomentCloneError: 500,
    errors.RetryableError: 503,
    errors.ProviderRateLimited: 503,
    errors.StageNotBuilt: 501,
    errors.UnusableMedia: 422,
    errors.Refused: 400,
    errors.NotFound: 404,
    errors.ConsentMissing: 403,
    errors.DishLocked: 403,
    errors.QuotaUsedUp: 403,
    errors.SubscriptionInactive: 403,
    errors.SessionLimitReached: 409,
    errors.UploadRefused: 400,
    errors.UploadOffsetMismatch: 416,
    errors.UploadIncomplete: 409,
    errors.UploadClosed: 410,
    errors.LinkRefused: 403,
    errors.InputClosed: 409,
    errors.TooManyQuestions: 429,
    errors.Conflict: 409,
}
RETRY_AFTER_SECONDS = 5


def find_status(error: errors.MomentCloneError) -> int:
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


def compose_problem(
    *, status: int, code: str, detail: str, field_errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    named = [error | {"field": _make_sayable(error["field"])} for error in field_errors or []]
    return {
        "type": f"urn:moment-clone:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": named,
    }


def _make_sayable(field: str) -> str:
    """A field's name may be what a stranger sent: half a character would break the answer, a novel would fill it."""
    return field[:200].encode("utf-8", "backslashreplace").decode()


def describe_error(error: errors.MomentCloneError) -> dict[str, Any]:
    """The problem of one of the product's own errors; what the operator reads (`str(error)`) stays out of it."""
    faults = error.faults if isinstance(error, errors.InvalidInput) else ()
    return compose_problem(
        status=find_status(error),
        code=error.code,
        detail=error.learner_message,
        field_errors=[{"field": fault.field, "code": fault.code, "detail": fault.message} for fault in faults],
    )


def describe_headers(error: errors.MomentCloneError) -> dict[str, str]:
    """Response headers that go with the problem."""
    if isinstance(error, errors.RetryableError):
        return {"Retry-After": str(round(error.retry_after_seconds or RETRY_AFTER_SECONDS))}
    return {}
