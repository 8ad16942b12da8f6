"""Where the embedded servers live, and what switches them off. Standard library only: production imports this too."""

import hashlib
import os
import stat
from pathlib import Path

from dotenv import dotenv_values

from project.embedded.errors import EmbeddedError

PROJECT_FOLDER = Path(__file__).resolve().parent.parent.parent
VARIABLES = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
UNPRIVILEGED_UID = 65534


def find_server_uid() -> int | None:
    """The account that servers run under when root starts them, which PostgreSQL refuses to do as root; else None."""
    return UNPRIVILEGED_UID if os.geteuid() == 0 else None


def list_missing_servers(*, env_file: Path = PROJECT_FOLDER / ".env") -> list[str]:
    """The servers whose URL is given neither in the environment nor in `env_file`, which `project.env` reads too."""
    given = {**dotenv_values(env_file), **os.environ}
    return [name for name, variable in VARIABLES.items() if not given.get(variable)]


def read_durability() -> bool:
    """EMBEDDED_FSYNC: `on`, the default, or `off` for tests. Raises `EmbeddedError` for anything else."""
    value = os.environ.get("EMBEDDED_FSYNC") or "on"
    if value not in ("on", "off"):
        raise EmbeddedError(f"EMBEDDED_FSYNC is {value!r}: it can be on or off")
    return value == "on"


def make_state_folder() -> Path:
    """Make and check the folder that holds both servers: EMBEDDED_DIR where set, else one of the project's own.

    That is `var/embedded`; for root `/var/tmp/moment-clone-<hash of the project's path>`, since the servers' account
    has to reach it and cannot reach a project under /root. Raises `EmbeddedError` where the folder is not safe to use.
    """
    chosen = os.environ.get("EMBEDDED_DIR")
    if chosen:
        folder = Path(chosen).absolute()
    elif find_server_uid() is None:
        folder = PROJECT_FOLDER / "var" / "embedded"
    else:
        digest = hashlib.sha256(str(PROJECT_FOLDER).encode()).hexdigest()[:12]
        folder = Path("/var/tmp") / f"moment-clone-{digest}"  # noqa: S108 - owner, type and mode are checked below
    try:
        folder.mkdir(parents=True, exist_ok=True)
        status = folder.lstat()
        if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
            raise EmbeddedError(f"{folder} is not a folder of this account: set EMBEDDED_DIR to another place")
        # Others may pass through, where the servers' account is another one; what lies inside has its own modes.
        folder.chmod(0o700 if find_server_uid() is None else 0o711)
        for name in VARIABLES:
            (folder / name).mkdir(mode=0o711, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"{folder} cannot be used ({error}): set EMBEDDED_DIR to another place") from error
    if find_server_uid() is not None:
        _check_reachable(folder)
    return folder


def _check_reachable(folder: Path) -> None:
    for parent in folder.resolve().parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise EmbeddedError(
                f"As root the embedded servers run under uid {UNPRIVILEGED_UID}, which cannot pass through {parent}. "
                "Set EMBEDDED_DIR to a place that it can reach, such as a folder in /var/tmp."
            )
