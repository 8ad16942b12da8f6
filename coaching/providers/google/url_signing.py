"""V4 signed URLs, by a key file or, under Workload Identity, by IAM's signBlob; one signature serves half a life.

https://cloud.google.com/storage/docs/access-control/signed-urls: at most seven days. A key that IAM manages signs for
at least twelve hours, so links signed by it live no longer.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import redis
from django.utils.http import content_disposition_header

from coaching.errors import Misconfigured, ProviderRateLimited, StoreUnavailable
from coaching.providers.google.connection import load_credentials
from coaching.providers.google.faults import MESSAGE_CHARACTERS, parse_retry_after, translate_google_errors

GOOGLE_IAM = "https://iamcredentials.googleapis.com"
LONGEST_BY_IAM = timedelta(hours=12)
KEPT_LINKS = 10_000

logger = logging.getLogger(__name__)


class UrlSigner:
    """The links are kept here and, where there is one, in Redis: pages that are polled of several processes do not
    change, and IAM is asked once."""

    def __init__(
        self,
        *,
        account: str,
        iam_endpoint: str,
        storage_endpoint: str,
        redis_url: str = "",
        read_clock: Callable[[], datetime],
    ) -> None:
        self._account = account
        self._iam_endpoint = iam_endpoint
        self._storage_endpoint = storage_endpoint
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=2) if redis_url else None
        self._read_clock = read_clock
        self._kept: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def sign(self, blob: Any, *, content_type: str, lifetime: timedelta, download_name: str) -> str:
        """Raises `Misconfigured`, `ProviderRateLimited` or `StoreUnavailable` where no signature is to be had."""
        terms = [blob.bucket.name, blob.name, content_type, lifetime.total_seconds(), download_name]
        key = "signed-url:" + hashlib.sha256(json.dumps(terms).encode()).hexdigest()
        now = self._read_clock()
        found = self._find(key, now)
        if found is None:
            found = self._sign_anew(blob, content_type=content_type, lifetime=lifetime, download_name=download_name)
            found = self._keep(key, found, until=now + lifetime / 2)
        return found

    def _sign_anew(self, blob: Any, *, content_type: str, lifetime: timedelta, download_name: str) -> str:
        credentials = self._credentials
        disposition = content_disposition_header(bool(download_name), download_name) or "inline"
        with translate_google_errors(
            "IAM", f"signing a link to {blob.name}", fix=self._fix, unavailable=StoreUnavailable
        ):
            url: str = blob.generate_signed_url(
                version="v4",
                expiration=self._check_lifetime(lifetime),
                method="GET",
                credentials=credentials,
                response_type=content_type,
                response_disposition=disposition,
                **({"api_access_endpoint": self._storage_endpoint} if self._storage_endpoint else {}),
            )
        return url

    def _check_lifetime(self, lifetime: timedelta) -> timedelta:
        if self._signs_by_iam and lifetime > LONGEST_BY_IAM:
            raise Misconfigured(
                f"SIGNED_URL_LIFETIME_SECONDS={lifetime.total_seconds():.0f}: a link that IAM signs lives for at most "
                "12 hours (43200); longer ones, up to 7 days, need GOOGLE_APPLICATION_CREDENTIALS with a private key"
            )
        return lifetime

    # --- who signs --------------------------------------------------------------------------------------------------

    @cached_property
    def _signs_by_iam(self) -> bool:
        """A key file signs by itself, unless another account is to sign."""
        credentials = load_credentials()
        has_key = hasattr(credentials, "sign_bytes") and hasattr(credentials, "signer_email")
        return not has_key or bool(self._account)

    @cached_property
    def _credentials(self) -> Any:
        """Credentials that sign. (google-auth's own `Signer` names the e-mail and calls IAM.)"""
        import google.auth.iam
        from google.oauth2 import service_account

        credentials = load_credentials()
        if not self._signs_by_iam:
            return credentials
        with translate_google_errors("IAM", "getting a token", fix=self._fix, unavailable=StoreUnavailable):
            request = self._make_request()
            if not credentials.valid:
                credentials.refresh(request)
        email = self._account or getattr(credentials, "service_account_email", "")
        if "@" not in email:
            raise Misconfigured(
                "GOOGLE_SIGNING_ACCOUNT is missing: these credentials belong to no service account, so name the one "
                "that signs links (name@project.iam.gserviceaccount.com)"
            )
        return service_account.Credentials(
            signer=google.auth.iam.Signer(request, credentials, email),
            service_account_email=email,
            token_uri="https://oauth2.googleapis.com/token",  # noqa: S106 - never asked: these credentials only sign
        )

    @property
    def _fix(self) -> str:
        return (
            "The service account needs roles/iam.serviceAccountTokenCreator on GOOGLE_SIGNING_ACCOUNT="
            f"{self._account or '(itself)'}"
        )

    def _make_request(self) -> Callable[..., Any]:
        """google-auth's transport, with IAM's refusals told apart: its `Signer` reports every one the same way."""
        from google.auth.transport.requests import Request

        send = Request()

        def send_to_iam(url: str, **content: Any) -> Any:
            is_signing = url.startswith(GOOGLE_IAM)
            if is_signing and self._iam_endpoint:
                url = self._iam_endpoint + url.removeprefix(GOOGLE_IAM)
            answer = send(url, **content)
            if is_signing and answer.status != 200:
                raise self._describe_refusal(answer)
            return answer

        return send_to_iam

    def _describe_refusal(self, answer: Any) -> Exception:
        said = f"IAM, signBlob: {answer.status} {answer.data.decode(errors='replace')[:MESSAGE_CHARACTERS]}"
        retry_after_seconds = parse_retry_after(answer.headers.get("Retry-After", ""))
        if answer.status == 429:
            return ProviderRateLimited(said, retry_after_seconds=retry_after_seconds)
        if answer.status >= 500:
            return StoreUnavailable(said, retry_after_seconds=retry_after_seconds)
        return Misconfigured(f"{said}. {self._fix}")

    # --- what was signed --------------------------------------------------------------------------------------------

    def _find(self, key: str, now: datetime) -> str | None:
        kept = self._kept.get(key)
        if kept is not None and kept[1] > now:
            return kept[0]
        if self._redis is None:
            return None
        try:
            shared = self._redis.get(key)
        except redis.RedisError as error:
            logger.warning("signed links are not shared now: %s", error)
            return None
        if shared is None:
            return None
        kept_here: dict[str, Any] = json.loads(shared)
        until = datetime.fromtimestamp(kept_here["until"], UTC)
        if until <= now:
            return None
        self._keep_here(key, kept_here["url"], until)
        return str(kept_here["url"])

    def _keep(self, key: str, url: str, *, until: datetime) -> str:
        """The link to give out: another process may have signed one meanwhile, and then that is everybody's."""
        if self._redis is not None:
            life_seconds = max(1, int((until - self._read_clock()).total_seconds()))
            try:
                kept = json.dumps({"url": url, "until": until.timestamp()})
                if not self._redis.set(key, kept, ex=life_seconds, nx=True):
                    url = self._find(key, self._read_clock()) or url
            except redis.RedisError as error:
                logger.warning("signed links are not shared now: %s", error)
        self._keep_here(key, url, until)
        return url

    def _keep_here(self, key: str, url: str, until: datetime) -> None:
        with self._lock:
            if len(self._kept) >= KEPT_LINKS:
                self._kept.clear()  # Redis still has them
            self._kept[key] = (url, until)
