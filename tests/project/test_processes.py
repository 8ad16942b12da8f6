"""The supervisor over small Python programs: order, restarts, stopping, and what a kill leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from project.processes import (
    HttpAnswer,
    ProcessFailed,
    ProcessSpec,
    ReadyFile,
    RestartPolicy,
    Supervisor,
    run_to_end,
)
from project.up import choose_port

PROJECT = Path(__file__).resolve().parent.parent.parent
DEADLINE_SECONDS = 60
QUICKLY = RestartPolicy(first_pause_seconds=0.05, longest_pause_seconds=0.2)

# Each writes its name into `events` at its end, and makes `NAME.ready` when it runs.
OBEDIENT = """
import pathlib, signal, sys
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def leave(*_):
    with (folder / "events").open("a") as events:
        events.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("hello from", name, flush=True)
(folder / f"{name}.ready").touch()
signal.pause()
"""
STUBBORN = """
import os, pathlib, signal, subprocess, sys
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleeper = [sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"]
same_group = subprocess.Popen(sleeper)
own_session = subprocess.Popen(sleeper, start_new_session=True)
own_environment = subprocess.Popen(sleeper, start_new_session=True, env={})
pids = [p.pid for p in (same_group, own_session, own_environment)]
(folder / f"{name}.pids").write_text(" ".join(map(str, [os.getpid(), *pids])))
(folder / f"{name}.ready").touch()
signal.pause()
"""
SUPERVISING = """
import pathlib, sys
from project.processes import ProcessSpec, ReadyFile, Supervisor
folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
argv = (sys.executable, "-c", program, str(folder), "stubborn")
spec = ProcessSpec(name="stubborn", argv=argv, is_ready=ReadyFile(folder / "stubborn.ready"))
with Supervisor([spec], log_folder=folder / "log", orphan_grace_seconds=0.5) as supervisor:
    supervisor.wait_until_ready()
    print("ready", flush=True)
    supervisor.wait()
"""


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


Describe = Callable[..., ProcessSpec]


@pytest.fixture
def describe(tmp_path: Path) -> Describe:
    """Describes a process that runs a program of this file."""

    def make(name: str, program: str = OBEDIENT, **options: object) -> ProcessSpec:
        fields = {"is_ready": ReadyFile(tmp_path / f"{name}.ready"), "restart": QUICKLY, **options}
        return ProcessSpec(name=name, argv=(sys.executable, "-c", program, str(tmp_path), name), **fields)  # type: ignore[arg-type]  # the fields of ProcessSpec

    return make


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    started: list[Supervisor] = []

    def start(*specs: ProcessSpec, **options: dict[str, int]) -> Supervisor:
        supervisor = Supervisor(specs, log_folder=tmp_path / "log", **options)  # type: ignore[arg-type]  # its options
        started.append(supervisor.__enter__())
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def test_a_process_starts_when_those_that_it_waits_for_are_ready(
    tmp_path: Path, describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    gate = ReadyFile(tmp_path / "gate")
    supervisor = supervise(describe("web", is_ready=gate), describe("beat", after=("web",)))
    wait_for((tmp_path / "web.ready").exists)
    assert supervisor.states == {"web": "starting", "beat": "down"}
    gate.path.touch()
    supervisor.wait_until_ready()
    assert supervisor.states == {"web": "ready", "beat": "ready"}
    assert (tmp_path / "beat.ready").stat().st_mtime >= gate.path.stat().st_mtime


def test_waiting_for_an_unknown_process_is_an_error_at_once(tmp_path: Path, describe: Describe) -> None:
    with pytest.raises(ValueError, match=r"not there: \['wb'\]"):
        Supervisor([describe("beat", after=("wb",))], log_folder=tmp_path)


def test_an_old_ready_file_is_not_believed(
    tmp_path: Path, describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    (tmp_path / "web.ready").touch()
    supervisor = supervise(describe("web", program="import signal; signal.pause()"))
    wait_for(lambda: supervisor.pid("web"))
    assert not (tmp_path / "web.ready").exists()
    assert supervisor.states == {"web": "starting"}


def test_a_process_that_dies_is_started_again_and_its_log_goes_on(
    tmp_path: Path, describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(describe("web"), describe("beat"))
    supervisor.wait_until_ready()
    first, other = supervisor.pid("web"), supervisor.pid("beat")
    kill(first)
    wait_for(lambda: supervisor.restarts["web"] == 1)
    supervisor.wait_until_ready()
    assert supervisor.pid("web") != first
    assert supervisor.pid("beat") == other
    assert (tmp_path / "log" / "web.log").read_text().count("hello from web") == 2


def test_what_a_dead_process_left_in_its_group_ends_before_its_successor_starts(
    tmp_path: Path, describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(describe("worker", program=STUBBORN, stop_timeout_seconds=0.1))
    supervisor.wait_until_ready()
    parent, same_group, own_session, own_environment = map(int, (tmp_path / "worker.pids").read_text().split())
    kill(parent)
    wait_for(lambda: supervisor.restarts["worker"] == 1)
    assert not is_running(same_group)
    kill(own_environment)  # nothing tells whose it was: a process that starts such a child ties it to itself
    supervisor.stop()
    assert not is_running(own_session)


def test_the_pause_before_a_restart_doubles_up_to_its_limit() -> None:
    policy = RestartPolicy(first_pause_seconds=0.5, longest_pause_seconds=4)
    assert [policy.pause_seconds(deaths) for deaths in range(1, 7)] == [0.5, 1, 2, 4, 4, 4]


def test_a_process_that_cannot_start_is_reported_with_the_end_of_its_log(
    describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(describe("web", program="raise SystemExit('DJANGO_SECRET_KEY is missing')"))
    with pytest.raises(ProcessFailed, match=r"(?s)^web does not start.*DJANGO_SECRET_KEY is missing"):
        supervisor.wait_until_ready()


def test_a_process_that_is_not_ready_in_time_is_killed_and_started_again(
    describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    hung = describe("web", program="import signal; signal.pause()", ready_timeout_seconds=0.3)
    supervisor = supervise(hung)
    with pytest.raises(ProcessFailed, match="web does not start"):
        supervisor.wait_until_ready()
    assert supervisor.restarts["web"] >= 2


def test_every_process_is_asked_to_stop_and_ends_by_itself(
    tmp_path: Path, describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(describe("web"), describe("worker"), describe("beat"))
    supervisor.wait_until_ready()
    pids = [supervisor.pid(name) for name in ("web", "worker", "beat")]
    supervisor.stop()
    assert sorted((tmp_path / "events").read_text().split()) == ["beat", "web", "worker"]
    assert not any(pid is None or is_running(pid) for pid in pids)
    supervisor.stop()  # again: no effect


def test_stopping_leaves_nothing_of_a_process_that_ignores_it(
    tmp_path: Path, describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(describe("stubborn", program=STUBBORN, stop_timeout_seconds=0.2))
    supervisor.wait_until_ready()
    pids = [int(pid) for pid in (tmp_path / "stubborn.pids").read_text().split()]
    assert [pid for pid in pids if is_running(pid)] == pids
    supervisor.stop()
    assert [pid for pid in pids if is_running(pid)] == []


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_supervisor_leaves_nothing_behind(tmp_path: Path, signal_number: signal.Signals) -> None:
    """Children that ignore SIGTERM, in the same group, in a session and with an environment of their own."""
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, str(tmp_path), STUBBORN],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    ) as supervising:
        assert supervising.stdout is not None
        assert supervising.stdout.readline() == "ready\n"
        pids = [int(pid) for pid in (tmp_path / "stubborn.pids").read_text().split()]
        supervising.send_signal(signal_number)
    assert len(pids) == 4
    wait_for(lambda: not any(is_running(pid) for pid in pids))


def test_peak_memory_counts_a_process_with_its_children(
    tmp_path: Path, describe: Describe, supervise: Callable[..., Supervisor]
) -> None:
    hoard = "import sys; hoard = bytearray(b'x') * 60_000_000; "
    nested = (
        "import pathlib, signal, subprocess\n"
        + hoard
        + "child = subprocess.Popen([sys.executable, '-c', "
        + f"{hoard + 'import signal; signal.pause()'!r}])\n"
        + "signal.pause()"
    )
    me = os.getpid()
    supervisor = supervise(describe("hoarder", program=nested), also_measured={"tests": me})
    wait_for(lambda: supervisor.peak_bytes.get("hoarder", 0) > 120_000_000)
    assert supervisor.peak_bytes["tests"] > psutil.Process(me).memory_info().rss / 2


def test_a_web_process_is_ready_when_it_answers_with_the_right_status(
    tmp_path: Path, supervise: Callable[..., Supervisor]
) -> None:
    port = choose_port(0)
    argv = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path))
    supervisor = supervise(ProcessSpec(name="web", argv=argv, is_ready=HttpAnswer(port, "/healthz")))
    wait_for(HttpAnswer(port, "/healthz", statuses=(404,)))
    assert supervisor.states == {"web": "starting"}
    (tmp_path / "healthz").touch()
    supervisor.wait_until_ready()


def test_a_short_command_that_fails_says_what_it_said() -> None:
    run_to_end((sys.executable, "-c", "print('fine')"))
    with pytest.raises(ProcessFailed, match=r"(?s)status 3.*no such dish"):
        run_to_end((sys.executable, "-c", "print('no such dish'); raise SystemExit(3)"))
