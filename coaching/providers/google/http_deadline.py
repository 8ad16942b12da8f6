"""HTTP under a deadline of our own.

google-genai hands its timeout to httpx, where it limits every single read: an answer that drips in passes it forever.
Here every operation on the socket gets what remains of the call's deadline, and none begins after it.
"""

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

import httpcore
import httpx

from coaching.providers.deadline import Deadline

_PIECE_BYTES = 64 * 1024
_call = threading.local()


@contextmanager
def hold_to(deadline: Deadline) -> Iterator[None]:
    """Within, what this thread does over a `make_http_client()` ends by the deadline, with `httpcore.TimeoutException`.

    Never hold it over a `yield`: the caller's own requests would run under it.
    """
    before = getattr(_call, "deadline", None)
    _call.deadline = deadline
    try:
        yield
    finally:
        _call.deadline = before


def make_http_client() -> httpx.Client:
    """Follows no redirects and reads no proxy from the environment: calls go to Google, or stay on this machine."""
    return httpx.Client(transport=_DeadlineTransport(), trust_env=False)


def _clip(timeout: float | None, error: type[httpcore.TimeoutException]) -> float | None:
    deadline: Deadline | None = getattr(_call, "deadline", None)
    if deadline is None:
        return timeout
    remaining_seconds = deadline.remaining_seconds
    if not remaining_seconds:
        raise error("the call's deadline is over")
    return remaining_seconds if timeout is None else min(timeout, remaining_seconds)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=_clip(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces: within one write every send may take the whole timeout.
        for start in range(0, len(buffer), _PIECE_BYTES):
            piece = buffer[start : start + _PIECE_BYTES]
            self._stream.write(piece, timeout=_clip(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = _clip(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _clip(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._backend.connect_tcp(host, port, timeout, local_address, socket_options))


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


class _DeadlineTransport(httpx.BaseTransport):
    """httpx's own transport has no place for a network backend; this one is httpcore's pool and nothing more."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=30.0,
            network_backend=_DeadlineBackend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=str(request.url),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream),  # type: ignore[arg-type]  # of a pool without async it can be iterated
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()


def read_url(url: str, *, deadline: Deadline, most_bytes: int) -> bytes:
    """What lies at an own signed URL, at most `most_bytes` + 1 of it. Raises what httpcore and httpx raise."""
    read = bytearray()
    with closing(make_http_client()) as client, hold_to(deadline), client.stream("GET", url) as response:
        response.raise_for_status()
        for piece in response.iter_bytes():
            read += piece
            if len(read) > most_bytes:
                break
    return bytes(read[: most_bytes + 1])
