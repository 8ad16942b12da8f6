"""The embedded default: a PostgreSQL and a Valkey of the project's own, for machines where nobody gave others.

`ensure()` starts what DATABASE_URL and REDIS_URL do not name, exports those two variables (and EMBEDDED=1) for this
process and its children, and keeps the servers running until the last process that called it has let go or died.
Two shells share the same servers; the data stays for the next start.

Importing this starts nothing and imports neither Django nor what is found in the embedded wheels only.
EMBEDDED_DIR puts the servers elsewhere; EMBEDDED_FSYNC=off makes them quicker and not safe against a power cut.
"""

import atexit
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType

from project.embedded.errors import EmbeddedError
from project.embedded.places import VARIABLES, list_missing_servers, make_state_folder, read_durability

__all__ = ["EmbeddedError", "EmbeddedServers", "ensure"]


@dataclass
class EmbeddedServers:
    """The embedded servers that this process holds: none where the environment names others.

    `pids` are those of the servers at the start, by name. Leaving the context, `release` and the end of the process,
    also by Ctrl-C or a signal, all let go; the last user of the servers stops them.
    """

    pids: Mapping[str, int] = field(default_factory=dict)
    _exports: dict[str, str] = field(default_factory=dict)
    _holds: ExitStack = field(default_factory=ExitStack)

    def release(self) -> None:
        """Let go and take the exported variables back; the last user waits for the servers' end. Safe to repeat."""
        atexit.unregister(self.release)
        for variable, value in self._exports.items():
            if os.environ.get(variable) == value:
                del os.environ[variable]
        self._exports.clear()
        self._holds.close()

    def __enter__(self) -> "EmbeddedServers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def ensure() -> EmbeddedServers:
    """Hold the embedded servers that the environment does not replace, starting them where they do not run.

    A child that inherits the exported URLs holds nothing: it lives on its parent's hold. Raises `EmbeddedError`.
    """
    missing = list_missing_servers()
    if not missing:
        return EmbeddedServers()
    # Needs psutil and the wheels, which an installation with servers of its own leaves out.
    from project.embedded.users import Hold

    folder, durable = make_state_folder(), read_durability()
    with ExitStack() as on_failure:
        holds = []
        for name in missing:
            hold = Hold(name, folder / name, durable=durable)
            on_failure.callback(hold.release)
            holds.append(hold)
        states = {hold.name: hold.wait_until_ready() for hold in holds}
        exports = {VARIABLES[name]: state.url for name, state in states.items()}
        if "postgres" in states:
            exports["EMBEDDED"] = "1"
        servers = EmbeddedServers(
            pids={name: state.server_pid for name, state in states.items()},
            _exports=exports,
            _holds=on_failure.pop_all(),
        )
    os.environ.update(exports)
    atexit.register(servers.release)
    return servers
