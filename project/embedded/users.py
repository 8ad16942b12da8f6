"""The side of those who use a server: find its keeper or start one, hold on to it, let go."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from project.embedded.errors import EmbeddedError
from project.embedded.keeper import ALREADY_KEPT, ServerState, read_state
from project.embedded.locks import FileLock, is_free, wait_until
from project.embedded.places import PROJECT_FOLDER
from project.embedded.server import read_log_end, rotate_log

START_TIMEOUT_SECONDS = 240
STOP_TIMEOUT_SECONDS = 60


class Hold:
    """One user's claim on the server `name` of `folder`. While it is held, the server runs.

    Made in two steps so that several servers can come up side by side: `__init__` takes the claim and sees to it that
    a keeper is at work, `wait_until_ready` returns when the server answers.
    """

    def __init__(self, name: str, folder: Path, *, durable: bool) -> None:
        self.name = name
        self.folder = folder
        self._durable = durable
        self._owner_pid = os.getpid()
        self._state: ServerState | None = None
        self._launcher: subprocess.Popen[bytes] | None = None
        self._users = FileLock(folder / "users.lock")
        self._start = FileLock(folder / "start.lock")
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self.release, wait=False)
            wait_until(
                self._start.try_exclusive,
                timeout_seconds=START_TIMEOUT_SECONDS,
                problem=f"Another process has been starting the embedded {name} in {folder} all the time",
            )
            wait_until(
                self._users.try_shared,
                timeout_seconds=STOP_TIMEOUT_SECONDS,
                problem=f"The embedded {name} in {folder} is being stopped and does not end",
            )
            if not self._is_kept():
                self._launch_keeper()
            on_failure.pop_all()

    def wait_until_ready(self) -> ServerState:
        """Raises `EmbeddedError` with the end of the keeper's log where the server does not come up."""
        wait_until(
            self._is_settled,
            timeout_seconds=START_TIMEOUT_SECONDS,
            problem=f"The embedded {self.name} did not come up; see {self._keeper_log}",
        )
        if self._state is None:
            raise EmbeddedError(f"The embedded {self.name} did not come up:\n{read_log_end(self._keeper_log)}")
        self._start.release()
        return self._state

    def release(self, *, wait: bool = True) -> None:
        """Let go. The last user waits until the server has stopped. No effect in a forked copy of the process."""
        if os.getpid() != self._owner_pid:
            return
        self._start.release()
        self._users.release()
        if self._launcher is not None:
            self._launcher.wait()  # it puts the keeper into the background and ends
        if wait:
            wait_until(
                lambda: not self._is_kept() or self._has_other_users(),
                timeout_seconds=STOP_TIMEOUT_SECONDS,
                problem=f"The embedded {self.name} does not stop; see {self._keeper_log}",
            )

    @property
    def _keeper_log(self) -> Path:
        return self.folder / "keeper.log"

    def _is_kept(self) -> bool:
        return not is_free(self.folder / "keeper.lock")

    def _has_other_users(self) -> bool:
        """False also while the keeper is stopping the server, which it does with the lock held exclusively."""
        with FileLock(self.folder / "users.lock") as probe:
            return probe.try_shared() and not probe.try_exclusive()

    def _is_settled(self) -> bool:
        """Whether the server is up, or the keeper that was started for it has given up."""
        if self._launcher is not None and self._launcher.poll() is None:
            return False
        if self._is_kept():
            self._state = read_state(self.folder)
            return self._state is not None
        if self._launcher is not None and self._launcher.returncode != ALREADY_KEPT:
            return True
        self._launch_keeper()  # the keeper that was found here was on its way out
        return False

    def _launch_keeper(self) -> None:
        rotate_log(self._keeper_log)
        argv = [sys.executable, "-m", "project.embedded", "keep", self.name, str(self.folder)]
        if not self._durable:
            argv.append("--not-durable")
        with self._keeper_log.open("ab") as log:
            self._launcher = subprocess.Popen(
                argv,
                cwd=PROJECT_FOLDER,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is not for the keeper
            )
