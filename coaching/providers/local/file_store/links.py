"""Signed links: who holds one may read that object, as that type and under that name, until it expires."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from django.core.signing import Signer
from django.utils.crypto import constant_time_compare

from coaching.errors import LinkRefused
from coaching.providers.local.file_store.object_paths import check_object_path


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTerms:
    object_path: str
    content_type: str
    download_name: str
    expires_at_epoch: int


class LinkSigner:
    def __init__(self, *, secret: str, base_path: str, read_clock: Callable[[], float] = time.time) -> None:
        self._signer = Signer(key=secret, salt="coaching.file_store.link", fallback_keys=[])
        self._base_path = base_path
        self._read_clock = read_clock

    def sign(self, *, object_path: str, content_type: str, lifetime: timedelta, download_name: str) -> str:
        """The same URL for the first half of its life, so that ETags and polls stay stable.

        Time is cut into halves of the lifetime and a link expires two cuts after the one before now: it lives at
        most `lifetime` and at least half of it.
        """
        half_seconds = max(1, int(lifetime.total_seconds()) // 2)
        terms = LinkTerms(
            object_path=check_object_path(object_path),
            content_type=content_type,
            download_name=download_name,
            expires_at_epoch=(int(self._read_clock()) // half_seconds + 2) * half_seconds,
        )
        query = {"expires": str(terms.expires_at_epoch), "type": content_type}
        if download_name:
            query["name"] = download_name
        query["signature"] = self._signature(terms)
        return f"{self._base_path}{quote(object_path)}?{urlencode(query)}"

    def verify(self, *, object_path: str, query: Mapping[str, str]) -> LinkTerms:
        """What the link allows; raises `LinkRefused` when it was altered or has expired."""
        expires = query.get("expires", "")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            raise LinkRefused(f"not a signed link to {object_path[:200]!r}")
        terms = LinkTerms(
            object_path=object_path,
            content_type=query.get("type", ""),
            download_name=query.get("name", ""),
            expires_at_epoch=int(expires),
        )
        if not constant_time_compare(query.get("signature", ""), self._signature(terms)):
            raise LinkRefused(f"the link to {object_path[:200]!r} is not as we signed it")
        if terms.expires_at_epoch <= self._read_clock():
            raise LinkRefused(f"the link to {object_path} has expired")
        return terms

    def _signature(self, terms: LinkTerms) -> str:
        # JSON, so that no two sets of terms read the same.
        signed = [terms.object_path, terms.content_type, terms.download_name, terms.expires_at_epoch]
        return self._signer.signature(json.dumps(signed))
