"""Starts the processes of the product side by side, watches over them, and leaves nothing behind.

Each has a log file, is started again after a growing pause when it dies, and is stopped with SIGTERM, then SIGKILL for
its whole process group. If the supervisor itself is killed, the kernel sends its children SIGTERM (`project.tether`)
and the sweeper ends whatever is left (`project.sweeper`).
"""

import contextlib
import http.client
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol

import psutil

from project.sweeper import AT_ONCE, MARK_VARIABLE
from project.tether import tether

logger = logging.getLogger(__name__)

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
TICK_SECONDS = 0.1
MEMORY_PERIOD_SECONDS = 1.0
LOG_LIMIT_BYTES = 10 * 1024**2
DEATHS_BEFORE_GIVING_UP = 3  # of a process that has never been ready
SWEEPER_TIMEOUT_SECONDS = 30


class ProcessFailed(RuntimeError):
    """A process did not become ready; the message ends with the end of its log."""


class ReadyCheck(Protocol):
    """Says whether a process serves. `forget` comes before every start and removes what an earlier one left."""

    def forget(self) -> None: ...

    def __call__(self) -> bool: ...


class Running:
    """Ready as soon as it runs: for a process that shows nothing."""

    def forget(self) -> None:
        return

    def __call__(self) -> bool:
        return True


@dataclass(frozen=True)
class ReadyFile:
    """Ready when the process has made this file."""

    path: Path

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def __call__(self) -> bool:
        return self.path.exists()


@dataclass(frozen=True)
class HttpAnswer:
    """Ready when a GET on 127.0.0.1 is answered with one of the statuses."""

    port: int
    path: str
    statuses: tuple[int, ...] = (200,)

    def forget(self) -> None:
        return

    def __call__(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status in self.statuses
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """The pause before a new start doubles with every death, until the process has lived for `steady_seconds`."""

    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 30.0
    steady_seconds: float = 30.0

    def pause_seconds(self, deaths_in_a_row: int) -> float:
        return min(self.longest_pause_seconds, self.first_pause_seconds * 2.0 ** (deaths_in_a_row - 1))


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """One process. `argv[0]` is an absolute path; `env` is added to the supervisor's; `after` names processes that
    have to be ready before this one starts."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    is_ready: ReadyCheck = field(default_factory=Running)
    after: tuple[str, ...] = ()
    ready_timeout_seconds: float = 120.0
    stop_timeout_seconds: float = 10.0
    restart: RestartPolicy = field(default_factory=RestartPolicy)


def run_to_end(argv: Sequence[str]) -> None:
    """Run a short command in the project's folder. Raises `ProcessFailed` with what it said where it fails."""
    finished = subprocess.run(
        tether(argv, signal_on_parent_death=signal.SIGTERM),
        cwd=PROJECT_FOLDER,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise ProcessFailed(f"{' '.join(argv)} ended with status {finished.returncode}:\n{finished.stdout[-4000:]}")


class _Child:
    """A spec and what has become of it. Used by the supervisor's thread only, but for plain reads."""

    def __init__(self, spec: ProcessSpec, log_path: Path, environment: Mapping[str, str]) -> None:
        self.spec = spec
        self.log_path = log_path
        self.is_ready = False
        self.has_been_ready = False
        self.starts = 0
        self.deaths_in_a_row = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = {**environment, **spec.env}
        self._changed_at = 0.0  # when it was started, or died
        self._log_start = 0

    @property
    def has_failed(self) -> bool:
        return not self.has_been_ready and self.deaths_in_a_row >= DEATHS_BEFORE_GIVING_UP

    def advance(self) -> None:
        """One look: start it when its time has come, see whether it is ready, notice its death."""
        if self.process is None:
            pause = self.spec.restart.pause_seconds(self.deaths_in_a_row) if self.deaths_in_a_row else 0.0
            if time.monotonic() - self._changed_at >= pause:
                self._start()
        elif (code := self.process.poll()) is not None:
            self._note_death(f"ended with status {code}")
        elif not self.is_ready:
            self._look_whether_ready()
        elif time.monotonic() - self._changed_at >= self.spec.restart.steady_seconds:
            self.deaths_in_a_row = 0

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait_for_end(self, deadline: float) -> None:
        """Until it has ended or `deadline` (monotonic) has passed, then by force, with all that it started."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("%s did not stop in time: killed", self.spec.name)
        self._kill_tree()
        self.is_ready = False
        self.process = None

    def read_log_end(self, lines: int = 20) -> str:
        """The end of what the latest start wrote."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _start(self) -> None:
        self.spec.is_ready.forget()
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            self.process = subprocess.Popen(
                tether(self.spec.argv, signal_on_parent_death=signal.SIGTERM),
                cwd=PROJECT_FOLDER,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its own group to kill; a Ctrl-C reaches it through the supervisor, in order
            )
        self.starts += 1
        self._changed_at = time.monotonic()

    def _look_whether_ready(self) -> None:
        if self.spec.is_ready():
            self.is_ready = self.has_been_ready = True
            logger.info("%s is ready", self.spec.name)
        elif time.monotonic() - self._changed_at >= self.spec.ready_timeout_seconds:
            self._note_death(f"was not ready within {self.spec.ready_timeout_seconds:.0f} s")

    def _note_death(self, how: str) -> None:
        self._kill_tree()  # what a dead parent left running would do the same work beside its successor
        self.process = None
        self.is_ready = False
        self.deaths_in_a_row += 1
        self._changed_at = time.monotonic()
        pause = self.spec.restart.pause_seconds(self.deaths_in_a_row)
        logger.warning("%s %s: starting it again in %.1f s; its log is %s", self.spec.name, how, pause, self.log_path)

    def _kill_tree(self) -> None:
        """SIGKILL for what is left of it: its descendants while it still lives to be asked for them, and its group."""
        if self.process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            for descendant in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    descendant.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Runs `specs` while its context lasts. Its work is done in one thread, which lives as long as the children.

    `also_measured`: processes that others started, by name and pid, whose memory is sampled too.
    `orphan_grace_seconds`: what the processes have to end by themselves if the supervisor is killed.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        log_folder: Path,
        also_measured: Mapping[str, int] | None = None,
        orphan_grace_seconds: float = 10.0,
    ) -> None:
        names = {spec.name for spec in specs}
        if unknown := {name for spec in specs for name in spec.after} - names:
            raise ValueError(f"processes wait for others that are not there: {sorted(unknown)}")
        log_folder.mkdir(parents=True, exist_ok=True)
        self._mark = secrets.token_hex(16)
        environment = {**os.environ, MARK_VARIABLE: self._mark}
        self._children = {spec.name: _Child(spec, log_folder / f"{spec.name}.log", environment) for spec in specs}
        self._also_measured = dict(also_measured or {})
        self._peak_bytes: dict[str, int] = defaultdict(int)
        self._stop_asked = threading.Event()
        self._thread = threading.Thread(target=self._work, name="supervisor", daemon=True)
        self._sweeper: subprocess.Popen[bytes] | None = None
        self._orphan_grace_seconds = orphan_grace_seconds

    def __enter__(self) -> "Supervisor":
        self._sweeper = subprocess.Popen(
            [sys.executable, "-m", "project.sweeper", self._mark, str(self._orphan_grace_seconds)],
            cwd=PROJECT_FOLDER,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_until_ready(self, names: Sequence[str] | None = None) -> None:
        """Until all processes (or those named) serve. Raises `ProcessFailed` for one that dies again and again."""
        wanted = [self._children[name] for name in (names or self._children)]
        while not all(child.is_ready for child in wanted):
            for child in self._children.values():
                if child.has_failed:
                    raise ProcessFailed(
                        f"{child.spec.name} does not start. The end of {child.log_path}:\n{child.read_log_end()}"
                    )
            if not self._thread.is_alive():
                raise ProcessFailed("the supervisor was stopped before its processes were ready")
            time.sleep(TICK_SECONDS)

    def wait(self) -> None:
        """Until somebody stops it: a signal's exception in this thread, or `stop` in another."""
        while self._thread.is_alive():
            self._thread.join(timeout=1)

    def stop(self) -> None:
        """End every process, the last of the list first; returns when nothing of them is left. Safe to repeat."""
        if self._sweeper is None:
            return
        self._stop_asked.set()
        self._thread.join()
        self._sweeper.communicate(AT_ONCE, timeout=SWEEPER_TIMEOUT_SECONDS)
        self._sweeper = None

    def pid(self, name: str) -> int | None:
        """The process's pid, None while it does not run."""
        process = self._children[name].process
        return process.pid if process is not None else None

    @property
    def states(self) -> dict[str, str]:
        """`ready`, `starting` or `down`, by name."""
        return {
            name: "ready" if child.is_ready else "starting" if child.process is not None else "down"
            for name, child in self._children.items()
        }

    @property
    def restarts(self) -> dict[str, int]:
        return {name: max(0, child.starts - 1) for name, child in self._children.items()}

    @property
    def peak_bytes(self) -> dict[str, int]:
        """The largest resident memory seen of each process with all its children, sampled every second.

        What forked children share with their parent is counted in each of them.
        """
        return dict(self._peak_bytes)

    def _work(self) -> None:
        next_sample = 0.0
        while not self._stop_asked.is_set():
            for child in self._children.values():
                if child.process is not None or all(self._children[name].is_ready for name in child.spec.after):
                    child.advance()
            if time.monotonic() >= next_sample:
                self._sample_memory()
                next_sample = time.monotonic() + MEMORY_PERIOD_SECONDS
            self._stop_asked.wait(TICK_SECONDS)
        asked_at = time.monotonic()
        for child in reversed(self._children.values()):
            child.ask_to_stop()
        for child in reversed(self._children.values()):
            child.wait_for_end(asked_at + child.spec.stop_timeout_seconds)

    def _sample_memory(self) -> None:
        resident: dict[int, int] = {}
        children: dict[int, list[int]] = defaultdict(list)
        for process in psutil.process_iter(["ppid", "memory_info"]):
            if process.info["memory_info"] is not None:
                resident[process.pid] = process.info["memory_info"].rss
                children[process.info["ppid"]].append(process.pid)
        roots = {name: child.process.pid for name, child in self._children.items() if child.process is not None}
        for name, root in {**self._also_measured, **roots}.items():
            total, pending = 0, [root]
            while pending:
                pid = pending.pop()
                total += resident.get(pid, 0)
                pending.extend(children[pid])
            self._peak_bytes[name] = max(self._peak_bytes[name], total)
