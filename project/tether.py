"""Runs a program tied to the life of the process that starts it: when that one dies, however it dies, so does this.

The kernel sends a signal of choice when the parent is gone (`PR_SET_PDEATHSIG`). It must be asked for in the child,
between fork and exec, after any change of account (which clears it). Doing that in Python's `preexec_fn` is unsafe in
a program with threads, so this file runs as a tiny program of its own that asks for the signal and then becomes the
command. It imports nothing of the project and needs no site-packages: about 20 ms.

Linux only; elsewhere the command starts untied.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def tether(argv: Sequence[str], *, signal_on_parent_death: signal.Signals, uid: int | None = None) -> list[str]:
    """The command line that runs `argv` (its first word an absolute path) tied to the calling process.

    The parent, in the kernel's eyes, is the thread that starts the command: it has to live as long as the command may.
    `uid` (root only): the account, user and group, that the command runs under.
    """
    account = "-" if uid is None else str(uid)
    own = [sys.executable, "-I", "-S", __file__, str(signal_on_parent_death.value), str(os.getpid()), account]
    return [*own, *argv]


def _become(argv: list[str]) -> None:
    death_signal, parent_pid, account, *command = argv
    if account != "-":
        os.setgroups([])
        os.setgid(int(account))
        os.setuid(int(account))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != int(parent_pid):  # it died before the request was made
            sys.exit(1)
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):  # what is ignored stays so across exec
        signal.signal(ignored_by_python, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - becoming another program, without a shell, is this file's purpose


if __name__ == "__main__":
    _become(sys.argv[1:])
