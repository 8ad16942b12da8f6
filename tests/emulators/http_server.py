"""An HTTP server on 127.0.0.1 with a log of what it was sent and a script of faults; TLS where it is asked for."""

import contextlib
import json
import select
import socket
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.emulators.faults import Fault, Script

PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Request:
    """`target` is as it came over the wire; `is_cut`: the body ended before its Content-Length."""

    method: str
    target: str
    headers: Any  # an email.message.Message: keys of any case
    body: bytes
    is_cut: bool = False

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """Raises `Refusal` for a body that is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refusal(400, f"the body is no JSON: {error}") from error


@dataclass(frozen=True, kw_only=True)
class FilePart:
    """Bytes of a file, sent piece by piece; `last_byte` is the last one that is sent."""

    path: Path
    first_byte: int
    last_byte: int

    def read_pieces(self) -> Iterator[bytes]:
        left_bytes = self.last_byte - self.first_byte + 1
        with self.path.open("rb") as file:
            file.seek(self.first_byte)
            while left_bytes > 0 and (piece := file.read(min(PIECE_BYTES, left_bytes))):
                left_bytes -= len(piece)
                yield piece


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`part` is sent instead of `body`, where it is given.

    `pieces` are sent one by one instead of `body`; a ConnectionAbortedError in there hangs up.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: Iterator[bytes] | None = None
    part: FilePart | None = None

    @classmethod
    def of_json(cls, content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        return cls(
            status=status,
            headers={"Content-Type": "application/json; charset=UTF-8", **(headers or {})},
            body=json.dumps(content, ensure_ascii=False).encode(),
        )


class Refusal(Exception):  # named after what happened
    """The request is answered with this status, in Google's form of an error."""

    def __init__(self, status: int, message: str, *, reason: str = "invalid", status_name: str = "") -> None:
        super().__init__(message)
        self.answer = Answer.of_json(
            {
                "error": {
                    "code": status,
                    "message": message,
                    **({"status": status_name} if status_name else {}),
                    "errors": [{"message": message, "domain": "global", "reason": reason}],
                }
            },
            status=status,
        )


class HttpEmulator:
    """Subclasses answer in `answer`. Use as a context manager."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.script = Script()
        self.log: list[Request] = []
        self.complaints: list[str] = []  # what was wrong with requests, and bugs of the server itself
        self.clients_gone = 0  # that hung up in the middle of an answer in pieces
        self._server = _Server(self, tls)
        host, port = self._server.server_address[:2]
        self.port = int(port)
        self.url = f"{'https' if tls else 'http'}://{host if isinstance(host, str) else '127.0.0.1'}:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: Request) -> Answer:
        raise Refusal(404, f"no such method: {request.method} {request.path}", reason="notFound")

    def answer_safely(self, request: Request) -> Answer:
        try:
            answer = self.answer(request)
        except Refusal as refusal:
            answer = refusal.answer
        except Exception:  # noqa: BLE001 - a bug of the server must show as what it is, not as a fault of the client
            self.complaints.append(traceback.format_exc())
            return Answer(status=599, body=traceback.format_exc().encode())
        if answer.status == 400:
            self.complaints.append(f"{request.method} {request.target[:200]}: {answer.body[:300].decode()}")
        return answer

    def list_requests(self, match: str = "") -> list[Request]:
        """What came, by a part of "METHOD /path?query"."""
        return [request for request in list(self.log) if match in f"{request.method} {request.target}"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, emulator: HttpEmulator, tls: ssl.SSLContext | None) -> None:
        self.emulator = emulator
        self._tls = tls
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: a slow handshake holds up nobody else."""
        if self._tls is not None:
            request = self._tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception() if sys.version_info >= (3, 11) else None, OSError):
            self.emulator.complaints.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        return

    def _serve(self) -> None:
        emulator = self.server.emulator
        request = self._read_request()
        emulator.log.append(request)
        fault = emulator.script.take(f"{request.method} {request.target}")
        if fault is None:
            self._send(emulator.answer_safely(request))
        else:
            self._fail(fault, request)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _read_request(self) -> Request:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            body, is_cut = self._read_chunks(), False
        else:
            length_bytes = int(self.headers.get("Content-Length") or 0)
            try:
                body = self._read_body(length_bytes)
            except OSError:
                body = b""
            is_cut = len(body) < length_bytes
        return Request(method=self.command, target=self.path, headers=self.headers, body=body, is_cut=is_cut)

    def _read_body(self, length_bytes: int) -> bytes:
        """What arrives of it: a connection that is cut keeps what came before."""
        pieces = bytearray()
        while len(pieces) < length_bytes:
            try:
                piece = self.rfile.read1(min(1 << 20, length_bytes - len(pieces)))
            except OSError:
                break
            if not piece:
                break
            pieces += piece
        return bytes(pieces)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size_bytes := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size_bytes)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def _fail(self, fault: Fault, request: Request) -> None:
        emulator = self.server.emulator
        if fault.delay_seconds:
            time.sleep(fault.delay_seconds)
            if self._client_has_left():
                emulator.script.give_back(fault)  # a request that timed out has used up nothing
                self.close_connection = True
                return
        if fault.drop:
            self._hang_up()
        elif fault.status is not None:
            self._send(Answer(status=fault.status, headers=fault.headers, body=fault.body), fault)
        else:
            answer = emulator.answer_safely(request)
            if fault.drop_answer:
                self._hang_up()
            else:
                self._send(answer, fault)

    def _client_has_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        try:
            return isinstance(self.connection, ssl.SSLSocket) or not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send_pieces(self, answer: Answer) -> None:
        assert answer.pieces is not None
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in answer.pieces:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionAbortedError:
            self._hang_up()
        except OSError:  # the client has gone
            self.server.emulator.clients_gone += 1
            self.close_connection = True

    def _send_part(self, answer: Answer, part: FilePart) -> None:
        with contextlib.suppress(OSError):  # a player has seen enough, and hung up
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(part.last_byte - part.first_byte + 1))
            self.end_headers()
            if self.command != "HEAD":
                for piece in part.read_pieces():
                    self.wfile.write(piece)

    def _send(self, answer: Answer, fault: Fault | None = None) -> None:
        if answer.pieces is not None:
            self._send_pieces(answer)
            return
        if answer.part is not None and fault is None:
            self._send_part(answer, answer.part)
            return
        body = bytearray(answer.body if answer.part is None else b"".join(answer.part.read_pieces()))
        if fault is not None and fault.flip_byte is not None and len(body) > fault.flip_byte:
            body[fault.flip_byte] ^= 0xFF
        with contextlib.suppress(OSError):  # the client has gone
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status not in {204, 304} and "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if fault is not None and fault.cut_at_bytes is not None:
                self.wfile.write(body[: fault.cut_at_bytes])
                self._hang_up()
            elif fault is not None and fault.drip_seconds:
                for byte in body:
                    time.sleep(fault.drip_seconds)
                    self.wfile.write(bytes([byte]))
            else:
                self.wfile.write(body)
