"""`make up`: every process of the product on this machine, supervised, until Ctrl-C. `make demo` builds on it."""

import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from project import embedded
from project.embedded.places import PROJECT_FOLDER
from project.env import Env, load_env
from project.processes import HttpAnswer, ProcessFailed, ProcessSpec, ReadyFile, Supervisor, run_to_end

USUAL_WEB_PORT = 8000
USUAL_FLOWER_PORT = 5555
WORKER_STOP_SECONDS = 5.0  # what a worker was doing is taken up again at the next start
# A SIGTERM lets the media worker finish what is nearly done, and ends it with its FFmpegs after that. The pools of
# threads cannot (Celery raises NotImplementedError): for them a SIGTERM waits for what runs.
SOFT_SHUTDOWN = {"REMAP_SIGTERM": "SIGQUIT", "WORKER_SOFT_SHUTDOWN_SECONDS": "3"}


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Where the processes of one `make up` serve, and Flower's login."""

    var_folder: Path
    web_port: int
    flower_port: int
    flower_user: str
    flower_password: str
    web_threads: int
    chat_threads: int

    @property
    def run_folder(self) -> Path:
        """Of this installation only: another one of the same folder has another port."""
        return self.var_folder / "run" / str(self.web_port)

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def flower_url(self) -> str:
        return f"http://127.0.0.1:{self.flower_port}"


def plan_installation(env: Env) -> Installation:
    """Choose ports and draw Flower's password where the environment leaves them open.

    Raises `ProcessFailed` for a port that was asked for and is taken.
    """
    return Installation(
        var_folder=env.var_folder,
        web_port=_require_port("WEB_PORT", env.web_port) if env.web_port else choose_port(USUAL_WEB_PORT),
        flower_port=_require_port("FLOWER_PORT", env.flower_port)
        if env.flower_port
        else choose_port(USUAL_FLOWER_PORT),
        flower_user=env.flower_user,
        flower_password=env.flower_password or secrets.token_urlsafe(12),
        web_threads=env.web_threads,
        chat_threads=env.chat_threads,
    )


def choose_port(usual: int) -> int:
    """`usual` where it is free on 127.0.0.1, else any free port; claimed for the life of this process."""
    while True:
        for port in (usual, 0):
            if found := _claim_port(port):
                return found


def _require_port(variable: str, port: int) -> int:
    if not _claim_port(port):
        raise ProcessFailed(f"{variable}={port}: something else serves on that port of 127.0.0.1")
    return port


_claims: list[socket.socket] = []


def _claim_port(port: int) -> int:
    """The port (any for 0) if nobody has it, else 0.

    Seconds pass until the web process binds it: an abstract socket of that name, which the kernel removes with this
    process, keeps a second `make up` from choosing it meanwhile and taking the first one's answers for its own.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: not stopped by TIME_WAIT
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
        number = int(probe.getsockname()[1])
    if sys.platform == "linux":
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0moment-clone-port-{number}")
        except OSError:
            claim.close()
            return 0
        _claims.append(claim)
    return number


def list_processes(installation: Installation) -> list[ProcessSpec]:
    """The processes in the order in which they start; what shows a first result comes first. They stop in reverse."""
    # Each costs seconds of a processor to start: what takes a cook in has the machine to itself meanwhile.
    first = ("web", "worker-media")
    second = (*first, "worker-llm")
    return [
        _describe_web(installation),
        # One process encodes: FFmpeg uses the cores. The others wait on I/O, or share one engine in memory.
        _describe_worker(installation, "media", "--pool=prefork", "--concurrency=1", env=SOFT_SHUTDOWN),
        _describe_worker(installation, "llm", "--pool=threads", "--concurrency=1", after=first),
        _describe_worker(installation, "default,upkeep", "--pool=threads", "--concurrency=4", after=second),
        _describe_worker(
            installation, "chat", "--pool=threads", f"--concurrency={installation.chat_threads}", after=second
        ),
        ProcessSpec(
            name="beat",
            argv=_celery("beat", f"--schedule={installation.run_folder / 'beat-schedule'}", "--loglevel=INFO"),
            after=second,
        ),
        _describe_flower(installation, after=second),
    ]


def _celery(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", "project", *arguments)


def _describe_web(installation: Installation) -> ProcessSpec:
    return ProcessSpec(
        name="web",
        argv=(
            *(sys.executable, "-m", "gunicorn", "project.wsgi"),
            f"--bind=127.0.0.1:{installation.web_port}",
            "--worker-class=gthread",  # a slow upload holds a thread, not the process, and is not timed out
            f"--threads={installation.web_threads}",
            "--timeout=120",
            "--graceful-timeout=5",
            "--keep-alive=75",
            "--no-control-socket",  # it would be opened under $HOME
            "--config=python:project.gunicorn_conf",
        ),
        env={"PUBLIC_URL": os.environ.get("PUBLIC_URL") or installation.web_url},
        is_ready=HttpAnswer(installation.web_port, "/healthz"),
    )


def _describe_worker(
    installation: Installation,
    queues: str,
    *pool: str,
    after: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
) -> ProcessSpec:
    """`queues` by comma; the worker is named after the first."""
    queue = queues.partition(",")[0]
    name = f"worker-{queue}"
    ready_file = installation.run_folder / f"{name}.ready"
    return ProcessSpec(
        name=name,
        argv=_celery(
            *("worker", f"--queues={queues}", f"--hostname={queue}-{installation.web_port}@%h", *pool),
            *("--without-gossip", "--without-mingle", "--loglevel=INFO"),
        ),
        env={
            "WORKER_READY_FILE": str(ready_file),
            "PUBLIC_URL": os.environ.get("PUBLIC_URL") or installation.web_url,
            **(env or {}),
        },
        is_ready=ReadyFile(ready_file),
        after=after,
        stop_timeout_seconds=WORKER_STOP_SECONDS,
    )


def _describe_flower(installation: Installation, *, after: tuple[str, ...]) -> ProcessSpec:
    return ProcessSpec(
        name="flower",
        argv=_celery(
            "flower",
            f"--conf={PROJECT_FOLDER / 'project' / 'flower_conf.py'}",
            "--address=127.0.0.1",
            f"--port={installation.flower_port}",
        ),
        env={"FLOWER_USER": installation.flower_user, "FLOWER_PASSWORD": installation.flower_password},
        is_ready=HttpAnswer(installation.flower_port, "/", statuses=(401,)),
        after=after,
    )


def prepare(installation: Installation) -> None:
    """Migrate, load the content, collect static files. Raises `ProcessFailed` with what the step said."""
    installation.run_folder.mkdir(parents=True, exist_ok=True)
    run_to_end((sys.executable, "-m", "project.prepare"))


def turn_sigterm_into_exit() -> None:
    """Have SIGTERM and a closed terminal unwind the program as Ctrl-C does, so that what it started is stopped."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    turn_sigterm_into_exit()
    try:
        with embedded.ensure() as servers:
            installation = plan_installation(load_env())
            prepare(installation)
            log_folder = installation.var_folder / "log"
            specs = list_processes(installation)
            with Supervisor(specs, log_folder=log_folder, also_measured=servers.pids) as supervisor:
                supervisor.wait_until_ready()
                print(f"web:    {installation.web_url}")
                print(
                    f"Flower: {installation.flower_url} ({installation.flower_user} / {installation.flower_password})"
                )
                print(f"logs:   {log_folder}\nCtrl-C stops everything.", flush=True)
                supervisor.wait()
                return 1
    except (ProcessFailed, embedded.EmbeddedError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 0


if __name__ == "__main__":
    sys.exit(main())
