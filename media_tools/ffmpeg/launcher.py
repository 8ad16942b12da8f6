"""Turns its own process into FFmpeg under limits; run as a script by `media_tools.ffmpeg.process`, never imported.

    python -I -S launcher.py PARENT_PID CPU_SECONDS MEMORY_BYTES OUTPUT_BYTES NICENESS BINARY [ARGUMENT...]

Why a launcher: `preexec_fn` runs Python between fork and exec and can deadlock in a process with threads, and
`prlimit` on a running child leaves a moment without limits and cannot set the parent-death signal at all. This one
sets everything on itself, then becomes FFmpeg by exec, for about 20 ms of a start that takes longer anyway.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
SECONDS_FROM_TERM_TO_KILL = 2


def limit_resource(kind: int, soft: int, hard: int) -> None:
    """Set a limit, or keep the one we were born with where that is lower: an ordinary user cannot raise it."""
    _, inherited = resource.getrlimit(kind)
    if inherited != resource.RLIM_INFINITY:
        soft, hard = min(soft, inherited), min(hard, inherited)
    resource.setrlimit(kind, (soft, hard))


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill us when the parent dies, however it dies; exec keeps this."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before the call above
        os._exit(1)


def main(arguments: list[str]) -> None:
    parent_pid, cpu_seconds, memory_bytes, output_bytes, niceness = (int(value) for value in arguments[:5])
    die_with_parent(parent_pid)
    os.nice(niceness)
    limit_resource(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + SECONDS_FROM_TERM_TO_KILL)
    limit_resource(resource.RLIMIT_FSIZE, output_bytes, output_bytes)
    limit_resource(resource.RLIMIT_CORE, 0, 0)
    # Python ignores these two; FFmpeg shall die of them as any program does, so that its end names its cause.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    if sys.platform == "linux":  # macOS refuses RLIMIT_AS
        limit_resource(resource.RLIMIT_AS, memory_bytes, memory_bytes)
    os.execv(arguments[5], arguments[5:])  # noqa: S606 - becoming another program without a shell is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
