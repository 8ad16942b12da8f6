"""One process under limits: FFmpeg, or a script of ours that opens strangers' files."""

import logging
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from media_tools.errors import LimitKind, MediaCancelled, MediaLimitExceeded, MediaToolFailed
from media_tools.redaction import redact

logger = logging.getLogger(__name__)

NICENESS = 5
POLL_SECONDS = 0.05
GRACE_SECONDS = 0.4
CHUNK_BYTES = 65536
STDERR_TAIL_BYTES = 8192
# What FFmpeg, libass and a GPU need. Database passwords and keys have no business in a parser of strangers' files.
PASSED_ENVIRONMENT = re.compile(
    r"PATH|HOME|TMPDIR|LANG|LC_\w+|XDG_\w+|FONTCONFIG_\w+|LD_LIBRARY_PATH|(CUDA|NVIDIA)_\w+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one FFmpeg process may use. `memory_bytes` bounds its address space, `output_bytes` each file (or pipe)."""

    wall_seconds: float = 1800
    cpu_seconds: int = 1800
    memory_bytes: int = 6 << 30
    output_bytes: int = 4 << 30


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class RunReport:
    """`peak_memory_bytes` is resident memory as sampled while it ran (every 50 ms and at its last report)."""

    stderr_tail: str
    cpu_seconds: float
    wall_seconds: float
    peak_memory_bytes: int


class Process:
    """One program under limits. As a context manager it leaves no process behind, whatever is raised inside.

    `command` begins with the program's full path.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cancel: threading.Event | None,
        limits: Limits,
        work_folder: Path | None = None,
        feeds: bool = False,
    ) -> None:
        self._name = Path(command[0]).name
        self._cancel = cancel
        self._limits = limits
        self._tail = b""
        self._peak_resident_bytes = 0
        self._peak_address_bytes = 0
        self._sampled_at = 0.0
        self._usage_cpu_seconds = 0.0
        self._exit_code: int | None = None
        if cancel is not None and cancel.is_set():
            raise MediaCancelled(f"cancelled before {self._name} started")
        launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py"))]
        bounds = [os.getpid(), limits.cpu_seconds, limits.memory_bytes, limits.output_bytes, NICENESS]
        self._started_at = time.monotonic()
        self._popen = _start([*launcher, *map(str, bounds), *command], work_folder, feeds)

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                pipe.close()

    def read(self, chunks: Iterator[bytes] | None = None) -> Iterator[bytes]:
        """Yield standard output to its end, draining standard error and feeding `chunks` on the way."""
        stdin, stdout, stderr = self._popen.stdin, _present(self._popen.stdout), _present(self._popen.stderr)
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stderr, selectors.EVENT_READ)
            if stdin is not None and chunks is not None:
                os.set_blocking(stdin.fileno(), False)
                selector.register(stdin, selectors.EVENT_WRITE)
            pending = memoryview(b"")
            while {stdout, stderr} & {key.fileobj for key in selector.get_map().values()}:
                for key, _ in selector.select(POLL_SECONDS):
                    if chunks is not None and key.fileobj is stdin:
                        fed = _feed(stdin, pending, chunks)
                        if fed is None:
                            selector.unregister(stdin)
                            stdin.close()
                        else:
                            pending = fed
                        continue
                    piece = os.read(key.fd, CHUNK_BYTES)
                    if not piece:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is stderr:
                        self._tail = (self._tail + piece)[-STDERR_TAIL_BYTES:]
                    else:
                        yield piece
                self._stop_if_asked()

    def finish(self) -> RunReport:
        """Wait for the end and judge it."""
        while not self._reap():
            self._stop_if_asked()
            time.sleep(0.005)
        report = RunReport(
            stderr_tail=self._tail_text(),
            cpu_seconds=self._usage_cpu_seconds,
            wall_seconds=time.monotonic() - self._started_at,
            peak_memory_bytes=self._peak_resident_bytes,
        )
        # Arguments stay out of the log: they hold paths by the dozen, and signed URLs.
        logger.info(
            "%s ended with %d after %.1f s (%.1f s of CPU, %d MiB)",
            *(self._name, self._exit_code, report.wall_seconds, report.cpu_seconds, report.peak_memory_bytes >> 20),
        )
        if self._exit_code != 0:
            raise self._name_failure()
        return report

    def exceed(self, limit: LimitKind) -> MediaLimitExceeded:
        """End the process; the error that names the limit it broke."""
        self._end()
        allowed = {
            "wall": f"{self._limits.wall_seconds:g} s of time",
            "cpu": f"{self._limits.cpu_seconds} s of CPU",
            "memory": f"{self._limits.memory_bytes >> 20} MiB of address space",
            "output": f"{self._limits.output_bytes} bytes of output",
        }
        return MediaLimitExceeded(
            f"{self._name} wanted more than {allowed[limit]}",
            limit=limit,
            stderr_tail=self._tail_text(),
            exit_code=self._exit_code,
        )

    def sample_memory(self) -> None:
        """Note the memory in use.

        wait4's maximum will not do: a child starts with the maximum of the process that forked it.
        """
        now = time.monotonic()
        is_young = now - self._started_at < 1  # a short process would else end before its second sample
        if now - self._sampled_at < POLL_SECONDS and not is_young:
            return
        self._sampled_at = now
        try:
            status = Path(f"/proc/{self._popen.pid}/status").read_text()
        except OSError:
            return  # it is gone, or this is no Linux
        for name, kib in re.findall(r"(VmHWM|VmPeak):\s+(\d+) kB", status):
            if name == "VmHWM":
                self._peak_resident_bytes = max(self._peak_resident_bytes, int(kib) << 10)
            else:
                self._peak_address_bytes = max(self._peak_address_bytes, int(kib) << 10)

    def _stop_if_asked(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            self._end()
            raise MediaCancelled(f"cancelled while {self._name} ran")
        if time.monotonic() - self._started_at > self._limits.wall_seconds:
            raise self.exceed("wall")
        self.sample_memory()

    def _end(self) -> None:
        """SIGTERM, a moment to leave (it writes trailers), SIGKILL; returns when it is gone."""
        if self._reap():
            return
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while not self._reap():
            if time.monotonic() > deadline:
                self._signal(signal.SIGKILL)
            time.sleep(0.005)

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self._popen.pid, number)  # not reaped yet, so the number is still its own

    def _reap(self) -> bool:
        if self._exit_code is not None:
            return True
        pid, status, usage = os.wait4(self._popen.pid, os.WNOHANG)
        if pid == 0:
            return False
        self._exit_code = self._popen.returncode = os.waitstatus_to_exitcode(status)
        self._usage_cpu_seconds = usage.ru_utime + usage.ru_stime
        return True

    def _name_failure(self) -> MediaToolFailed:
        """FFmpeg exits 255 on SIGTERM and SIGXCPU alike and says nothing, so its end is read with its usage."""
        code, tail = self._exit_code, self._tail_text()
        if code == -signal.SIGXFSZ:
            return self.exceed("output")
        ended = code in (255, -signal.SIGXCPU, -signal.SIGKILL)
        if ended and self._usage_cpu_seconds >= self._limits.cpu_seconds - 0.1:
            return self.exceed("cpu")
        short = re.search(r"Cannot allocate memory|bad_alloc|Resource temporarily unavailable", tail)
        if short or (self._peak_address_bytes > 0.98 * self._limits.memory_bytes):
            return self.exceed("memory")
        last_line = tail.strip().rpartition("\n")[2] or "without a message"
        return MediaToolFailed(f"{self._name} ended with {code}: {last_line[-300:]}", stderr_tail=tail, exit_code=code)

    def _tail_text(self) -> str:
        """It is kept with the stage and shown to operators, and FFmpeg quotes the signed URLs that it reads."""
        return redact(self._tail.decode(errors="replace"))


def _feed(stdin: IO[bytes] | None, pending: memoryview, chunks: Iterator[bytes]) -> memoryview | None:
    """Write as much as the pipe takes; what is left of the chunk, or None at the end of the chunks or of FFmpeg."""
    while not pending:
        chunk = next(chunks, None)
        if chunk is None:
            return None
        pending = memoryview(chunk).cast("B")
    try:
        return pending[os.write(_present(stdin).fileno(), pending) :]
    except BlockingIOError:
        return pending
    except BrokenPipeError:
        return None  # its exit code will tell why


_starter: ThreadPoolExecutor | None = None
_starter_lock = threading.Lock()


def _start(command: Sequence[str], work_folder: Path | None, feeds: bool) -> "subprocess.Popen[bytes]":
    """Start the process from a thread that lives as long as we do.

    The kernel sends the parent-death signal when the *thread* that forked ends: a generator of `read_output` that
    outlives the thread it began in would lose its FFmpeg.
    """
    global _starter  # noqa: PLW0603 - one thread per process, made anew after a fork
    with _starter_lock:
        if _starter is None:
            _starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ffmpeg-starter")
        starter = _starter
    environment = {name: value for name, value in os.environ.items() if PASSED_ENVIRONMENT.fullmatch(name)}
    # Each thread's own 64 MiB arena counts against the address space and buys nothing here.
    environment["MALLOC_ARENA_MAX"] = "4"
    return starter.submit(
        subprocess.Popen[bytes],
        command,
        stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=work_folder,
        env=environment,
        bufsize=0,
        start_new_session=True,
    ).result()


def _forget_starter() -> None:
    global _starter, _starter_lock
    _starter, _starter_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_starter)


def _present(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the pipe was asked for at the start")
    return pipe
