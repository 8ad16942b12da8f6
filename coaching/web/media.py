"""Films, captions, posters and a learner's own files by signed link: what Cloud Storage does in production.

The link says which object, as which type, until when; whoever holds it may read. Served so that a browser takes the
bytes for nothing else: the signed type, `nosniff`, a sandbox, and a download for types that are no media.
"""

import hashlib
import time
from datetime import datetime
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date, parse_etags
from django.views.decorators.http import require_safe

from coaching.providers.ports import ByteRange, SelfServedStore, SignedRead, StoredObject
from coaching.providers.registry import get_self_served_store
from coaching.web.answers import answer_problems
from coaching.web.content_range import UnsatisfiableRange, read_range

UNKNOWN_TYPE = "application/octet-stream"


@require_safe
@answer_problems
def serve_media(request: HttpRequest, object_path: str) -> HttpResponseBase:
    store = get_self_served_store()
    signed = store.open_signed(object_path=object_path, query=request.GET.dict())
    etag = _make_etag(signed.stored)
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        return _describe(HttpResponse(status=304), signed, etag)
    try:
        wanted = _read_wanted_range(request, signed.stored, etag)
    except UnsatisfiableRange:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{signed.stored.size_bytes}"})
        return _describe(response, signed, etag)
    return _describe(_answer_bytes(request, store, signed.stored, wanted), signed, etag)


def _read_wanted_range(request: HttpRequest, stored: StoredObject, etag: str) -> ByteRange | None:
    """None: the whole object. A range under `If-Range` holds only while the object is the same."""
    header = request.headers.get("Range", "")
    if not header or request.headers.get("If-Range", etag) != etag:
        return None
    return read_range(header, size_bytes=stored.size_bytes)


def _answer_bytes(
    request: HttpRequest, store: SelfServedStore, stored: StoredObject, wanted: ByteRange | None
) -> HttpResponseBase:
    sent = wanted or ByteRange(first_byte=0, last_byte=stored.size_bytes - 1)
    status = 200 if wanted is None else 206
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(status=status)
    else:
        pieces = store.read_bytes(object_path=stored.object_path, byte_range=sent)
        response = StreamingHttpResponse(pieces, status=status)
    response.headers["Content-Length"] = str(sent.last_byte - sent.first_byte + 1)
    if wanted is not None:
        response.headers["Content-Range"] = f"bytes {sent.first_byte}-{sent.last_byte}/{stored.size_bytes}"
    return response


def _describe(response: HttpResponseBase, signed: SignedRead, etag: str) -> HttpResponseBase:
    content_type = _find_safe_type(signed.content_type)
    saves = bool(signed.download_name) or content_type == UNKNOWN_TYPE
    disposition = "attachment" if saves else "inline"
    if signed.download_name:
        disposition += f"; filename*=UTF-8''{quote(signed.download_name, safe='')}"
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": disposition,
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": _format_date(signed.stored.created_at),
        "Cache-Control": f"private, max-age={_count_seconds_left(signed)}, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    for name, value in headers.items():
        response.headers[name] = value
    return response


def _find_safe_type(content_type: str) -> str:
    """Media and captions as they are; anything that a browser might run or render becomes a download."""
    if content_type == "text/vtt":
        return "text/vtt; charset=utf-8"
    is_media = content_type.startswith(("video/", "audio/")) or content_type in {"image/jpeg", "image/png"}
    return content_type if is_media else UNKNOWN_TYPE


def _make_etag(stored: StoredObject) -> str:
    """Objects never change, but one may be deleted and its path written anew: size and time tell them apart."""
    facts = f"{stored.object_path}\n{stored.size_bytes}\n{stored.created_at.isoformat()}"
    return f'"{hashlib.sha256(facts.encode()).hexdigest()[:32]}"'


def _format_date(moment: datetime) -> str:
    return http_date(moment.timestamp())


def _count_seconds_left(signed: SignedRead) -> int:
    """A browser may keep the bytes as long as the link lives, and not longer."""
    return max(0, int(signed.expires_at.timestamp() - time.time()))
