"""A pytest plugin (`-p tests.private_servers`, in pyproject.toml): PostgreSQL and Valkey of this run's own.

Two runs at once, or a run beside `make up`, never meet: each has servers, a var folder and a port of its own, and a
test may flush or kill what it likes. DATABASE_URL and REDIS_URL in the environment are taken as they are.

With xdist each of its workers has its own too: what their parent started is not theirs to share, or a test of one
would flush the broker under a test of the other, and take its messages.

A plugin, not a conftest: Django's settings are read before the first conftest is.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from project import embedded
from project.embedded.locks import FileLock
from project.embedded.places import PROJECT_FOLDER, find_server_uid

PREFIX = "moment-clone-tests-"
STARTED_HERE = "MOMENT_CLONE_TESTS_STARTED_SERVERS"  # tells a worker of xdist whose servers the URLs name
_running = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    if "PYTEST_XDIST_WORKER" in os.environ and os.environ.get(STARTED_HERE):
        for name in ("DATABASE_URL", "REDIS_URL", "EMBEDDED"):
            os.environ.pop(name, None)
    # As root the servers run under another account, which cannot reach a private TMPDIR.
    parent = Path("/var/tmp") if find_server_uid() is not None else Path(tempfile.gettempdir())
    remove_leftovers(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = FileLock(folder / "in-use")
    lock.try_exclusive()
    _running.callback(lock.release)
    _running.callback(shutil.rmtree, folder)
    os.environ["EMBEDDED_DIR"] = str(folder / "servers")
    os.environ.setdefault("EMBEDDED_FSYNC", "off")
    os.environ["VAR_FOLDER"] = str(folder / "var")
    os.environ.setdefault(
        "MODEL_CACHE_FOLDER", str(PROJECT_FOLDER / "var" / "models")
    )  # minutes to make, never changed
    folder.chmod(0o711)
    if not (os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL")):
        os.environ[STARTED_HERE] = "1"
    _running.enter_context(embedded.ensure())
    return (yield)


def pytest_unconfigure() -> None:
    _running.close()


def remove_leftovers(parent: Path) -> None:
    """Delete the folders of runs that were killed; the kernel gave their locks back."""
    for folder in parent.glob(f"{PREFIX}*"):
        if (folder / "in-use").exists() and os.access(folder, os.W_OK):
            with FileLock(folder / "in-use") as lock:
                if lock.try_exclusive():
                    shutil.rmtree(folder)
