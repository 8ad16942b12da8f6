"""Resumable uploads, as Cloud Storage takes them: the browser speaks to us here, to Cloud Storage in production.

    PUT  Content-Range: bytes A-B/N    a chunk          308 + Range: bytes=0-X   go on after X (no Range: from 0)
    PUT  Content-Range: bytes */N      a status query   200                      complete
    PUT  (no Content-Range)            the whole video  416 + Range              begins beyond what has arrived
    DELETE                             give up          410 gone, 400 not understood, 409 conflict

The URL is the capability: no cookie is looked at, so there is nothing that another site could misuse.
Bodies go to the store piece by piece.
"""

from typing import BinaryIO, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from coaching import problems
from coaching.errors import UploadOffsetMismatch, UploadRefused
from coaching.providers.ports import UploadStatus
from coaching.providers.registry import get_self_served_store
from coaching.web.answers import answer_problem, answer_problems
from coaching.web.content_range import BadRange, Chunk, read_content_range


@csrf_exempt
@require_http_methods(["PUT", "DELETE"])
@answer_problems
def receive_upload(request: HttpRequest, token: str) -> HttpResponseBase:
    if request.method == "DELETE":
        get_self_served_store().cancel_upload(token)
        return _mark(HttpResponse(status=204))
    try:
        chunk = _read_chunk(request)
    except BadRange as error:
        raise UploadRefused(str(error)) from error
    store = get_self_served_store()
    if chunk is None:
        return _answer_status(store.read_upload_status(token))
    try:
        status = store.append_chunk(
            token=token,
            first_byte=chunk.first_byte,
            last_byte=chunk.last_byte,
            total_bytes=chunk.total_bytes,
            stream=_open_body(request),
        )
    except UploadOffsetMismatch as error:
        return _mark(answer_problem(problems.describe_error(error)), received_bytes=error.received_bytes)
    return _answer_status(status)


def _read_chunk(request: HttpRequest) -> Chunk | None:
    """What the request brings; None for a status query. Raises `BadRange`."""
    stated = request.headers.get("Content-Range")
    length_bytes = _read_length(request)
    if stated is None:
        if length_bytes == 0:
            raise BadRange("neither a Content-Range nor a body")
        last_byte = None if length_bytes is None else length_bytes - 1
        return Chunk(first_byte=0, last_byte=last_byte, total_bytes=length_bytes)
    chunk = read_content_range(stated)
    if chunk is None:
        if length_bytes:
            raise BadRange("a status query has no body")
        return None
    if length_bytes is not None and chunk.last_byte != chunk.first_byte + length_bytes - 1:
        raise BadRange(f"{length_bytes} bytes do not fill {stated[:100]!r}")
    return chunk


def _read_length(request: HttpRequest) -> int | None:
    """The body's length; None where only its end tells (chunked transfer coding)."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return None
    stated = request.headers.get("Content-Length", "")
    return int(stated) if stated.isascii() and stated.isdigit() else 0


def _open_body(request: HttpRequest) -> BinaryIO:
    """Django bounds the body by its Content-Length; a chunked one is bounded by the server."""
    if _read_length(request) is None and request.META.get("wsgi.input_terminated"):
        return cast("BinaryIO", request.META["wsgi.input"])
    return cast("BinaryIO", request)


def _answer_status(status: UploadStatus) -> HttpResponse:
    if status.complete:
        return _mark(HttpResponse(status=200))
    return _mark(HttpResponse(status=308, reason="Resume Incomplete"), received_bytes=status.received_bytes)


def _mark(response: HttpResponse, *, received_bytes: int = 0) -> HttpResponse:
    """`Range` says what has arrived; nothing of an upload is ever cached."""
    if received_bytes:
        response.headers["Range"] = f"bytes=0-{received_bytes - 1}"
    response.headers["Cache-Control"] = "no-store"
    return response
