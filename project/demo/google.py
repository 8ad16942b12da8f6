"""`make demo GOOGLE=emulated`: the product runs as in production, and servers on this machine stand for Google's.

They are a program of their own (`python -m tests.emulators`), which the product neither imports nor knows: it is told
by its environment alone where Google is.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from project.demo.options import DemoOptions
from project.env import load_env
from project.processes import ProcessFailed, ProcessSpec, ReadyFile, Supervisor

READY_SECONDS = 180.0


@contextmanager
def point_to_google(options: DemoOptions) -> Iterator[None]:
    """Start the servers, where they were asked for, and point every process of the demo there."""
    if not options.google:
        yield
        return
    if find_spec("google.genai") is None:
        raise ProcessFailed("The clients of Google are not installed: use `make demo GOOGLE=emulated`.")
    env = load_env()
    folder = env.var_folder / "emulated-google"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = folder / "environment.json"
    models = env.model_cache_folder or env.var_folder / "models"
    spec = ProcessSpec(
        name="emulated-google",
        argv=(
            *(sys.executable, "-m", "tests.emulators"),
            *("--folder", str(folder), "--models", str(models), "--voice", env.voice),
        ),
        is_ready=ReadyFile(environment),
        ready_timeout_seconds=READY_SECONDS,
    )
    with Supervisor([spec], log_folder=env.var_folder / "log") as servers:
        servers.wait_until_ready()
        os.environ.update(json.loads(environment.read_text()))
        yield
