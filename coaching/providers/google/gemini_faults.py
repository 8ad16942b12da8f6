"""What google-genai raises, said in the product's own errors.

It has one exception for every status (an unpickled one even forgets its class), lets httpx's and httpcore's through,
and never retries a dropped connection or half an answer. How long to wait stands in the body (google.rpc.RetryInfo)
or in the headers; the SDK reads neither.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
from pydantic import ValidationError

from coaching.errors import (
    MalformedAnswer,
    Misconfigured,
    MomentCloneError,
    ProviderRateLimited,
    ProviderRefused,
    ProviderUnavailable,
)
from coaching.providers.google.faults import MESSAGE_CHARACTERS, describe_google_error, parse_retry_after

if TYPE_CHECKING:
    from google.genai.errors import APIError

_API_KEY_FAULTS = ("API_KEY_INVALID", "API key not valid", "API key expired", "API_KEY_SERVICE_BLOCKED")
_UNREADABLE = (json.JSONDecodeError, ValidationError, UnicodeDecodeError, TypeError, AttributeError, KeyError)
_PASSING = frozenset({408, 409, 425, 499})


@contextmanager
def translate_gemini_errors(what: str, *, fix: str) -> Iterator[None]:
    """`what` names service, call and model; `fix` says which settings to look at. Errors of ours pass."""
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError, UnknownApiResponseError

    try:
        yield
    except APIError as error:
        raise _describe_status(error, what=what, fix=fix) from error
    except (httpx.TimeoutException, httpcore.TimeoutException) as error:
        raise ProviderUnavailable(f"{what}: no whole answer within the deadline ({type(error).__name__})") from error
    # The SDK reads an envelope without looking at its types: a wrong one breaks it with an error of the language.
    except (*_UNREADABLE, UnknownApiResponseError) as error:
        raise MalformedAnswer(f"{what}: what arrived is no answer of the API ({type(error).__name__})") from error
    except (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, ConnectionError) as error:
        raise ProviderUnavailable(f"{what}: {type(error).__name__}: {error}") from error
    except GoogleAuthError as error:
        raise describe_google_error(error, what=what, fix=fix) from error


def _describe_status(error: "APIError", *, what: str, fix: str) -> MomentCloneError:
    said = f"{what}: {error.code} {error.status or ''}: {(error.message or '')[:MESSAGE_CHARACTERS]}"
    wait_seconds = read_retry_after_seconds(error)
    if error.code == 429:
        return ProviderRateLimited(said, retry_after_seconds=wait_seconds)
    if error.code in _PASSING or error.code >= 500:
        return ProviderUnavailable(said, retry_after_seconds=wait_seconds)
    if error.code in {401, 403, 404} or error.status == "FAILED_PRECONDITION" or _blames_a_setting(error):
        return Misconfigured(f"{said}. {fix}")
    return ProviderRefused(said)


def _blames_a_setting(error: "APIError") -> bool:
    text = str(error.details)
    return any(fault in text for fault in _API_KEY_FAULTS) or "thinking level" in (error.message or "").lower()


def read_retry_after_seconds(error: "APIError") -> float | None:
    """RetryInfo of the body, else the Retry-After header; None where neither says when to come back."""
    body = error.details if isinstance(error.details, Mapping) else {}
    inner = body.get("error", body)
    for detail in inner.get("details", ()) if isinstance(inner, Mapping) else ():
        delay = _read_retry_info(detail)
        if delay is not None:
            return delay
    headers: Any = getattr(error.response, "headers", None) or {}
    return parse_retry_after(headers.get("Retry-After", ""))


def _read_retry_info(detail: Any) -> float | None:
    if not isinstance(detail, Mapping) or not str(detail.get("@type", "")).endswith("google.rpc.RetryInfo"):
        return None
    try:
        return float(str(detail.get("retryDelay", "")).removesuffix("s"))
    except ValueError:
        return None
