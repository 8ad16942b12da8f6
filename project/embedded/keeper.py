"""The keeper: one small process a server, its parent, that lives as long as the server has users.

It starts the server, writes where it is to `state.json`, starts it again on the same port should it die, and stops it
when the last user has gone, which it knows from the lock that every user holds (`locks`). If the keeper itself is
killed, the kernel stops the server with it.
"""

import json
import logging
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from project.embedded.errors import EmbeddedError
from project.embedded.locks import FileLock
from project.embedded.server import EmbeddedServer

logger = logging.getLogger(__name__)

ALREADY_KEPT = 3  # exit status
USERS_POLL_SECONDS = 0.1
RESTARTS_IN_A_ROW = 5
RESTART_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class ServerState:
    """What users need to know of a running server; `url` holds its password, so the file has mode 0600."""

    url: str
    port: int
    server_pid: int
    keeper_pid: int


def read_state(folder: Path) -> ServerState | None:
    """The state that the keeper of `folder` wrote, None where no server is up."""
    try:
        text = (folder / "state.json").read_text()
    except FileNotFoundError:
        return None
    return ServerState(**json.loads(text))


def _write_state(folder: Path, state: ServerState) -> None:
    draft = folder / "state.json.partial"
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(state)))
    draft.replace(folder / "state.json")


def _remove_state(folder: Path) -> None:
    (folder / "state.json").unlink(missing_ok=True)


def make_server(name: str, folder: Path, *, durable: bool) -> EmbeddedServer:
    """The server `name` of the folder. Each keeper loads what its own server needs and stays small."""
    if name == "postgres":
        from project.embedded.postgres import PostgresServer

        return PostgresServer(folder, durable=durable)
    from project.embedded.valkey import ValkeyServer

    return ValkeyServer(folder, durable=durable)


def keep(server: EmbeddedServer) -> None:
    """Start `server` and look after it until it has no users or a SIGTERM comes. Raises `EmbeddedError`."""
    asked_to_stop = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True

    signal.signal(signal.SIGTERM, stop)
    server.start()
    with FileLock(server.folder / "users.lock") as users:
        try:
            _announce(server)
            while not asked_to_stop and not users.try_exclusive():
                if not server.is_running():
                    _bring_back(server)
                time.sleep(USERS_POLL_SECONDS)
        finally:
            # Who comes now waits: for `users.lock` where the last user has gone, for `keeper.lock` after a SIGTERM.
            _remove_state(server.folder)
            server.stop()
    logger.info("%s stopped", server.name)


def _announce(server: EmbeddedServer) -> None:
    state = ServerState(url=server.url, port=server.port, server_pid=server.pid, keeper_pid=os.getpid())
    _write_state(server.folder, state)
    logger.info("%s (pid %d) serves on port %d", server.name, server.pid, server.port)


def _bring_back(server: EmbeddedServer) -> None:
    """Start the server again where its users expect it: the same port."""
    for attempt in range(1, RESTARTS_IN_A_ROW + 1):
        logger.warning("%s ended by itself: starting it again (attempt %d)", server.name, attempt)
        try:
            server.start(port=server.port)
        except EmbeddedError as error:
            logger.warning("%s", error)
            time.sleep(RESTART_PAUSE_SECONDS)
        else:
            _announce(server)
            return
    raise EmbeddedError(f"{server.name} ended and does not start again: see {server.log_path}")


def run_detached(name: str, folder: Path, *, durable: bool) -> int:
    """Become the keeper of `folder` in the background; the calling process ends when that is settled.

    The exit status is 0 as soon as the background process exists; `keeper.lock` is held by then, and for as long as it
    lives. It is `ALREADY_KEPT` where another keeper holds it.
    """
    lock = FileLock(folder / "keeper.lock")
    if not lock.try_exclusive():
        return ALREADY_KEPT
    _remove_state(folder)  # a killed keeper's
    if os.fork():
        os._exit(0)  # the child holds the lock on; nothing of this process may be cleaned up twice
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        keep(make_server(name, folder, durable=durable))
    except EmbeddedError:
        logger.exception("giving up")
        return 1
    return 0
