"""The embedded servers from the command line: `python -m project.embedded run|status|stop`."""

import argparse
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from project import embedded
from project.embedded.keeper import read_state, run_detached
from project.embedded.locks import is_free, wait_until
from project.embedded.places import VARIABLES, make_state_folder


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m project.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="hold the servers while a command runs, or until Ctrl-C")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND")
    commands.add_parser("status", help="say which servers run")
    commands.add_parser("stop", help="stop the servers, whoever uses them")
    keep = commands.add_parser("keep")  # started by `ensure`
    keep.add_argument("name", choices=sorted(VARIABLES))
    keep.add_argument("folder", type=Path)
    keep.add_argument("--not-durable", action="store_true")
    options = parser.parse_args(arguments)
    match options.command:
        case "run":
            return run_with_servers([word for word in options.argv if word != "--"])
        case "keep":
            return run_detached(options.name, options.folder, durable=not options.not_durable)
        case "status":
            return show_status()
        case _:
            return stop_servers()


def run_with_servers(argv: list[str]) -> int:
    """Run `argv` beside the servers and return its exit status; without one, wait for Ctrl-C or SIGTERM."""
    with embedded.ensure():
        if not argv:
            show_status()
            return wait_for_end()
        child = subprocess.Popen(argv)
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # the child had it too and ends in its own way
                continue


def wait_for_end() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return 0


def show_status() -> int:
    folder = make_state_folder()
    print(f"{folder}")
    for name, variable in VARIABLES.items():
        state = read_state(folder / name) if not is_free(folder / name / "keeper.lock") else None
        given = os.environ.get(variable)
        where = f"on 127.0.0.1:{state.port}, pid {state.server_pid}" if state else "not running"
        print(f"  {name}: {where}" + (f" ({variable} is set)" if given else ""))
    return 0


def stop_servers() -> int:
    folder = make_state_folder()
    for name in VARIABLES:
        lock, state = folder / name / "keeper.lock", read_state(folder / name)
        if state is not None and not is_free(lock):
            os.kill(state.keeper_pid, signal.SIGTERM)
            wait_until(partial(is_free, lock), timeout_seconds=60, problem=f"{name} does not stop")
    return show_status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
