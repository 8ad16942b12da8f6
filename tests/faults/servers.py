"""Takes the test run's own PostgreSQL or Valkey away for a while, and brings it back where it was."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psutil
import psycopg
import pytest
import redis

from project.embedded.keeper import ServerState, read_state
from tests.faults.cluster import wait_until

# An immediate shutdown of PostgreSQL is a crash: it recovers from its log at the next start.
CRASH = {"postgres": signal.SIGQUIT, "valkey": signal.SIGKILL}


def find_server(name: Literal["postgres", "valkey"]) -> ServerState:
    """The server of this test run; skips where the environment brought another, which is not ours to hurt."""
    folder = os.environ.get("EMBEDDED_DIR")
    state = read_state(Path(folder) / name) if folder else None
    if state is None:
        pytest.skip(f"{name} is not embedded here")
    return state


@contextmanager
def hold_down(name: Literal["postgres", "valkey"]) -> Iterator[None]:
    """The server crashes, and its keeper, which would restart it at once, is held until the block ends.

    Everything that it had been told is still on its disk.
    """
    state = find_server(name)
    keeper = psutil.Process(state.keeper_pid)
    keeper.suspend()
    try:
        server = psutil.Process(state.server_pid)
        server.send_signal(CRASH[name])
        wait_until(lambda: server.status() == psutil.STATUS_ZOMBIE, what=f"{name} down")
        yield
    finally:
        keeper.resume()
        wait_until(lambda: _is_back(name, state), what=f"{name} back")


def restart(name: Literal["postgres", "valkey"]) -> None:
    with hold_down(name):
        pass


def _is_back(name: Literal["postgres", "valkey"], before: ServerState) -> bool:
    folder = Path(os.environ["EMBEDDED_DIR"])
    state = read_state(folder / name)
    if state is None or state.server_pid == before.server_pid:
        return False
    try:
        if name == "valkey":
            with redis.Redis.from_url(state.url, socket_timeout=2) as client:
                return bool(client.ping())
        with psycopg.connect(state.url, connect_timeout=2):
            return True
    except (redis.RedisError, psycopg.OperationalError):
        return False
