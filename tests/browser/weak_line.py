"""A weak network between a browser and the web process: so many bytes a second go up, and it breaks when told to."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType

PIECE_BYTES = 32 * 1024


class WeakLine:
    """Listens on a port of its own and passes on every byte. `cut` breaks all connections and takes no new ones."""

    def __init__(self, target_port: int, *, up_bytes_per_second: int) -> None:
        self.up_bytes_per_second = up_bytes_per_second
        self._target_port = target_port
        self._is_cut = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        # Else the kernel would swallow megabytes, and the browser believe that they have arrived.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE_BYTES)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "WeakLine":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        self._is_cut.set()
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            _hang_up(connection)

    def mend(self) -> None:
        self._is_cut.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                near, _ = self._listener.accept()
                if self._is_cut.is_set():
                    _hang_up(near)
                    continue
                far = socket.create_connection(("127.0.0.1", self._target_port))
                with self._lock:
                    self._open |= {near, far}
                threading.Thread(target=self._pass_on, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(far, near, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            for piece in _read_pieces(source):
                sink.sendall(piece)
                if is_up:
                    time.sleep(len(piece) / self.up_bytes_per_second)
        _hang_up(source)
        _hang_up(sink)


def _read_pieces(source: socket.socket) -> Iterator[bytes]:
    while piece := source.recv(PIECE_BYTES):
        yield piece


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
