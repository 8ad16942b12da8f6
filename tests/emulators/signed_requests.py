"""Checks V4 signatures as Cloud Storage does.

https://cloud.google.com/storage/docs/authentication/canonical-requests and .../signatures: the canonical request holds
method, path, sorted query, the signed headers and the payload's hash; its SHA-256 is signed with the account's RSA key.
"""

import hashlib
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from cryptography.exceptions import InvalidSignature

from tests.emulators.http_server import Answer, Refusal, Request
from tests.emulators.iam import ACCOUNT, Identity

LONGEST_SECONDS = 7 * 86400
MOST_EARLY_SECONDS = 15 * 60  # how far ahead of ours the signer's clock may be
NEEDED = {
    "X-Goog-Algorithm",
    "X-Goog-Credential",
    "X-Goog-Date",
    "X-Goog-Expires",
    "X-Goog-SignedHeaders",
    "X-Goog-Signature",
}
ALLOWED = NEEDED | {"response-content-type", "response-content-disposition"}


class XmlRefusal(Refusal):
    """An error in the XML API's form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        self.answer = Answer(
            status=status, headers={"Content-Type": "application/xml; charset=UTF-8"}, body=body.encode()
        )


def is_signed(request: Request) -> bool:
    return "X-Goog-Signature" in request.query


def check_signature(request: Request, identity: Identity, *, now: float) -> None:
    """Raises `XmlRefusal` where the link may not be followed."""
    query = request.query
    if missing := NEEDED - query.keys():
        raise XmlRefusal(400, "InvalidArgument", f"missing: {sorted(missing)}")
    if unknown := query.keys() - ALLOWED:
        raise XmlRefusal(400, "InvalidArgument", f"unknown: {sorted(unknown)}")
    if query["X-Goog-Algorithm"] != "GOOG4-RSA-SHA256":
        raise XmlRefusal(400, "InvalidArgument", query["X-Goog-Algorithm"])
    signed_at = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    life_seconds = int(query["X-Goog-Expires"])
    if not 0 < life_seconds <= LONGEST_SECONDS:
        raise XmlRefusal(400, "InvalidArgument", "X-Goog-Expires must be between 1 and 604800 seconds")
    account, _, scope = query["X-Goog-Credential"].partition("/")
    if account != ACCOUNT or scope != f"{query['X-Goog-Date'][:8]}/auto/storage/goog4_request":
        raise XmlRefusal(403, "SignatureDoesNotMatch", f"not a credential of ours: {query['X-Goog-Credential']}")
    try:
        identity.verify(bytes.fromhex(query["X-Goog-Signature"]), _compose_string_to_sign(request, scope))
    except (InvalidSignature, ValueError) as error:
        raise XmlRefusal(403, "SignatureDoesNotMatch", "Access denied.") from error
    if not signed_at - MOST_EARLY_SECONDS <= now <= signed_at + life_seconds:
        raise XmlRefusal(400, "ExpiredToken", "The provided token has expired.")


def _compose_string_to_sign(request: Request, scope: str) -> bytes:
    parts = urlsplit(request.target)
    pairs = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "X-Goog-Signature"]
    canonical_query = "&".join(sorted(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs))
    names = request.query["X-Goog-SignedHeaders"].split(";")
    headers = "".join(f"{name}:{(request.headers.get(name) or '').strip()}\n" for name in names)
    payload_hash = request.headers.get("x-goog-content-sha256") or "UNSIGNED-PAYLOAD"
    canonical = "\n".join([request.method, parts.path, canonical_query, headers, ";".join(names), payload_hash])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join(["GOOG4-RSA-SHA256", request.query["X-Goog-Date"], scope, digest]).encode()
