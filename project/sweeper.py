"""Ends what a supervisor leaves behind: `python -m project.sweeper MARK GRACE_SECONDS`, started by `project.processes`.

Every process under a supervisor inherits MARK in its environment, whatever session or parent it ends up with. The
sweeper reads its standard input, which ends when the supervisor closes it or dies, even of SIGKILL. What still runs
then is a leftover.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Iterator

import psutil

MARK_VARIABLE = "SUPERVISED_BY"
AT_ONCE = b"now"
POLL_SECONDS = 0.2


def find_marked(mark: str) -> list[psutil.Process]:
    """Every process that carries `mark`, and all of their descendants, which may have dropped their environment."""
    children: dict[int, list[psutil.Process]] = defaultdict(list)
    marked: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            children[process.ppid()].append(process)
            if process.environ().get(MARK_VARIABLE) == mark and process.status() != psutil.STATUS_ZOMBIE:
                marked.append(process)
        except psutil.Error:  # gone meanwhile, or another account's and so none of ours
            continue

    def descend(process: psutil.Process) -> Iterator[psutil.Process]:
        yield process
        for child in children[process.pid]:
            yield from descend(child)

    return list({found.pid: found for process in marked for found in descend(process)}.values())


def end_marked(mark: str, *, grace_seconds: float) -> None:
    """Wait `grace_seconds` for the marked processes to end by themselves, then kill those that are left."""
    kill_at = time.monotonic() + grace_seconds
    while found := find_marked(mark):
        if time.monotonic() >= kill_at:
            for process in found:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
        psutil.wait_procs(found, timeout=POLL_SECONDS)


if __name__ == "__main__":
    # Where the supervisor died, its children have had a SIGTERM from the kernel and may need a moment.
    end_marked(sys.argv[1], grace_seconds=0 if sys.stdin.buffer.read() == AT_ONCE else float(sys.argv[2]))
