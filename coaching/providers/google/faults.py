"""What Google's clients raise, said in the product's own errors: is the same call worth repeating, and who mends it?

Covers google-api-core (gRPC and REST), google-auth, requests, and the storage client's own; google-genai has errors of
its own kind, which its adapter reads. Every message names the service and the call; `fix` says what an operator can do
where the request itself, the project or a permission is at fault.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

from django.utils import timezone

from coaching.errors import (
    Misconfigured,
    MomentCloneError,
    ProviderRateLimited,
    ProviderRefused,
    ProviderUnavailable,
    RetryableError,
)

MESSAGE_CHARACTERS = 500
# What gRPC says when an answer is larger than the client takes: no quota is at fault.
TOO_LARGE = "message larger than max"
# What google-auth says when the metadata server knows of no account for this pod.
METADATA_REFUSAL = re.compile(r"metadata service\. Status: 4\d\d")


@contextmanager
def translate_google_errors(
    service: str, call: str, *, fix: str, unavailable: type[RetryableError] = ProviderUnavailable
) -> Iterator[None]:
    """Raise Google's errors as ours. Errors of ours pass, and so do bugs."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (GoogleAPIError, GoogleAuthError, RequestException, HTTPError, ConnectionError, TimeoutError) as error:
        raise describe_google_error(error, what=f"{service}, {call}", fix=fix, unavailable=unavailable) from error


def describe_google_error(
    error: Exception, *, what: str, fix: str, unavailable: type[RetryableError] = ProviderUnavailable
) -> MomentCloneError:
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError

    if isinstance(error, RetryError) and isinstance(error.cause, Exception):
        return describe_google_error(error.cause, what=what, fix=fix, unavailable=unavailable)
    said = f"{what}: {type(error).__name__}: {str(error)[:MESSAGE_CHARACTERS]}"
    if isinstance(error, GoogleAuthError):
        return _describe_auth_error(error, said, unavailable)
    if not isinstance(error, GoogleAPICallError):
        return unavailable(said)
    return _describe_status(error, said, fix=fix, unavailable=unavailable)


def _describe_auth_error(error: Any, said: str, unavailable: type[RetryableError]) -> MomentCloneError:
    """A metadata server that is out, or a token endpoint that stumbles, passes; credentials that are refused do not."""
    from google.auth.exceptions import TransportError

    is_lasting = METADATA_REFUSAL.search(str(error)) is not None
    if not is_lasting and (error.retryable or _is_or_was_caused_by(error, TransportError)):
        return unavailable(f"{said} (no access token now)")
    return Misconfigured(
        f"{said}. The credentials have expired or were withdrawn: check the Workload Identity binding, or "
        "GOOGLE_APPLICATION_CREDENTIALS"
    )


def _is_or_was_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    cause = error.__cause__ or error.__context__
    return isinstance(error, kind) or isinstance(cause, kind)


def _describe_status(error: Any, said: str, *, fix: str, unavailable: type[RetryableError]) -> MomentCloneError:
    code = int(error.code or 500)
    retry_after_seconds = read_retry_after_seconds(error)
    if code == 429:
        if TOO_LARGE in str(error):
            return ProviderRefused(f"{said}. The answer is larger than the client takes")
        return ProviderRateLimited(said, retry_after_seconds=retry_after_seconds)
    if code in {401, 403, 404}:
        return Misconfigured(f"{said}. {fix}")
    if code in {408, 409, 499} or code >= 500:
        return unavailable(said, retry_after_seconds=retry_after_seconds)
    return ProviderRefused(said)


def read_retry_after_seconds(error: Any) -> float | None:
    """What the other side asked for: google.rpc.RetryInfo in the details, or an HTTP Retry-After."""
    for detail in getattr(error, "details", None) or ():
        delay = getattr(detail, "retry_delay", None)
        if delay is not None:
            return float(delay.seconds + delay.nanos / 1e9)
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    return parse_retry_after(headers.get("Retry-After", ""))


def parse_retry_after(text: str) -> float | None:
    """Seconds of an HTTP Retry-After, which is a number or a date (RFC 9110, 10.2.3); None for neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - timezone.now()).total_seconds())
