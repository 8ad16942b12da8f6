"""A real web process on a real port, over the test's own database, as `make up` starts it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection
from django.middleware.csrf import _get_new_csrf_string  # no public way to make one
from django.test import Client

from coaching.models import User

START_SECONDS = 60


@dataclass(frozen=True)
class WebServer:
    port: int
    process: psutil.Process

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=120)

    def read_peak_bytes(self) -> int:
        """The most memory that the serving process ever held."""
        return max(_read_status_bytes(child.pid, "VmHWM") for child in self.process.children())

    def read_memory_bytes(self) -> int:
        return max(_read_status_bytes(child.pid, "VmRSS") for child in self.process.children())


def _read_status_bytes(pid: int, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def log_in_by_cookie(user: User) -> dict[str, str]:
    """Headers of a logged-in browser."""
    client = Client()
    client.force_login(user)
    token = _get_new_csrf_string()
    return {"Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}", "X-CSRFToken": token}


@contextmanager
def run_server(folder: Path, *, var_folder: Path | None = None) -> Iterator[WebServer]:
    """`folder` takes the log; objects and static files are in `var_folder`, by default one of the server's own."""
    database = connection.settings_dict
    login = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}"
    log = folder / "web.log"
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{login}@{database['HOST']}:{database['PORT']}/{database['NAME']}",
        "DJANGO_SECRET_KEY": settings.SECRET_KEY,  # else it would not know our sessions and links
        "EMBEDDED": "1",
        "VAR_FOLDER": str(var_folder or folder / "var"),
    }
    command = [
        *(sys.executable, "-m", "gunicorn", "project.wsgi", "--bind=127.0.0.1:0", "--worker-class=gthread"),
        *("--threads=4", "--graceful-timeout=1", "--no-control-socket"),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield WebServer(port=_wait_for_port(process, log), process=psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for_port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text()):
            port = int(found[1])
            if _is_alive(port):
                return port
        time.sleep(0.05)
    raise AssertionError(f"the web process did not start:\n{log.read_text()}")


def _is_alive(port: int) -> bool:
    asking = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asking.request("GET", "/healthz")
        return asking.getresponse().status == 200
    except OSError:
        return False
    finally:
        asking.close()
