"""A broker that refuses the credentials ends web, worker and beat with the name of the variable."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from project.boot import require_broker_access

CELERY = [sys.executable, "-m", "celery", "-A", "project"]
COMMANDS = {
    "web": [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind=127.0.0.1:0", "--no-control-socket"],
    "worker": [*CELERY, "worker", "-P", "solo", "-Q", "media", "--without-gossip", "--without-mingle"],
    "beat": [*CELERY, "beat", "--schedule=SCHEDULE"],
}


def spoil_password(url: str) -> str:
    parts = urlsplit(url)
    return f"redis://:not-the-password@{parts.hostname}:{parts.port}{parts.path}"


@pytest.mark.parametrize("process", COMMANDS)
def test_wrong_broker_credentials_end_the_process_and_name_the_variable(process: str, tmp_path: Path) -> None:
    finished = subprocess.run(
        [word.replace("SCHEDULE", str(tmp_path / "schedule")) for word in COMMANDS[process]],
        env={
            **os.environ,
            "REDIS_URL": spoil_password(settings.REDIS_URL),
            "DATABASE_URL": "postgres://u@127.0.0.1:1/x",
        }
        | {"EMBEDDED": "1", "PYTHONUNBUFFERED": "1"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = finished.stdout + finished.stderr
    assert finished.returncode != 0
    assert "REDIS_URL is not usable" in said
    assert "Its form is redis://" in said
    assert "not-the-password" not in said


def test_a_missing_password_is_refused() -> None:
    parts = urlsplit(settings.REDIS_URL)
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        require_broker_access(f"redis://{parts.hostname}:{parts.port}/0")


def test_a_database_that_is_not_there_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        require_broker_access(settings.REDIS_URL.removesuffix("/0") + "/9999")


def test_a_broker_that_does_not_answer_may_come_later() -> None:
    require_broker_access("redis://127.0.0.1:1/0")
