"""The embedded servers, for real: processes that use them, die and come back, in folders of the test's own."""

import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from project import embedded
from project.embedded.keeper import ServerState, make_server, read_state
from project.embedded.places import VARIABLES, list_missing_servers
from project.embedded.server import EmbeddedServer, pick_free_port

PROJECT = Path(__file__).resolve().parent.parent.parent
DEADLINE_SECONDS = 60
ORDINARY_UID = 65534
USER_PROGRAM = """
import json, os, sys
from project import embedded
servers = embedded.ensure()
urls = {name: os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL", "EMBEDDED")}
print(json.dumps({**urls, "pids": servers.pids}), flush=True)
sys.stdin.read()
"""


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@functools.cache
def can_be_ordinary() -> bool:
    """Whether uid 65534 can run this Python: as root under /root it cannot, and then only root itself is tried."""
    if os.geteuid() != 0:
        return False
    check = [sys.executable, "-c", "import project.embedded.keeper"]
    try:
        done = subprocess.run(check, cwd=PROJECT, user=ORDINARY_UID, capture_output=True, check=False)
    except PermissionError:
        return False
    return done.returncode == 0


class User:
    """A process that uses the servers of `folder` until it is told to end, or dies."""

    def __init__(self, folder: Path, *, uid: int | None = None, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER_PROGRAM],
            cwd=PROJECT,
            env={**os.environ, "EMBEDDED_DIR": str(folder), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=uid,
        )

    @functools.cached_property
    def answer(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the user of the servers ended before it had them"
        answer: dict[str, str] = json.loads(line)
        return answer

    @property
    def urls(self) -> list[str]:
        """Of the embedded servers only."""
        return [self.answer[VARIABLES[name]] for name in sorted(self.answer["pids"])]

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(DEADLINE_SECONDS) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


def make_reachable_folder() -> Path:
    """A new folder that the servers' account can reach, which pytest's own are not when root runs it."""
    path = Path(tempfile.mkdtemp(prefix="embedded-", dir="/var/tmp"))
    path.chmod(0o711)
    return path


@pytest.fixture(autouse=True)
def no_given_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "EMBEDDED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EMBEDDED_FSYNC", "off")


@pytest.fixture
def empty_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder before the first start. The test fails if its servers outlive it."""
    path = make_reachable_folder()
    monkeypatch.setenv("EMBEDDED_DIR", str(path))
    yield path
    wait_for(lambda: not list_processes(path))
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def used_folder() -> Iterator[Path]:
    """A state folder that was used before; tests take copies of it, which saves the first start's seconds."""
    path = make_reachable_folder()
    user = User(path, EMBEDDED_FSYNC="off", DATABASE_URL="", REDIS_URL="")
    try:
        remember(user.urls)
        user.leave()
    finally:
        user.close()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def folder(empty_folder: Path, used_folder: Path, request: pytest.FixtureRequest) -> Path:
    """A state folder of the test's own that holds the note of `remember`."""
    copy = ["/bin/cp", "--archive"]
    for name in ["valkey"] if "only_valkey" in request.fixturenames else VARIABLES:
        shutil.copytree(used_folder / name, empty_folder / name, ignore=shutil.ignore_patterns("home"))
        shutil.copystat(used_folder / name, empty_folder / name)
        home = empty_folder / name / "home"
        subprocess.run([*copy, "--link", used_folder / name / "home", home], check=True)  # programs are only read
        for data in ("cluster", "data"):
            if (home / data).exists():
                shutil.rmtree(home / data)
                subprocess.run([*copy, used_folder / name / "home" / data, home], check=True)
    return empty_folder


@pytest.fixture
def only_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is the same for both servers: the quicker one alone."""
    monkeypatch.setenv("DATABASE_URL", "postgres://cook@db.example/kitchen")


@pytest.fixture
def start_user(empty_folder: Path) -> Iterator[Callable[..., User]]:
    """Starts processes that use the servers; none of them outlives the test."""
    users: list[User] = []

    def start(**environment: str) -> User:
        users.append(User(empty_folder, uid=None, **environment))
        return users[-1]

    yield start
    for user in users:
        user.close()


@pytest.fixture(params=list(VARIABLES))
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[EmbeddedServer]:
    """One server, driven directly, without a keeper."""
    server = make_server(request.param, folder / request.param, durable=False)
    yield server
    server.stop()


def list_processes(folder: Path) -> list[int]:
    """Every process that works for `folder`: its keepers, servers and their children."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            words = [*(process.info["cmdline"] or []), process.cwd()]
        except psutil.Error:
            continue
        if any(str(folder) in word for word in words):
            found.append(process.pid)
    return found


def are_up(urls: list[str]) -> bool:
    try:
        return recall(urls) is not None
    except (psycopg.OperationalError, redis.ConnectionError):
        return False


def read_states(folder: Path) -> list[ServerState]:
    states = [read_state(folder / name) for name in VARIABLES]
    return [state for state in states if state is not None]


def remember(urls: list[str]) -> None:
    for url in urls:
        if url.startswith("redis"):
            with redis.from_url(url) as client:
                client.set("note", "炒飯")
        else:
            with psycopg.connect(url, connect_timeout=2) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS note AS SELECT '炒飯' AS text")


def recall(urls: list[str]) -> list[str | None]:
    """What `remember` left in each of the servers; None where nothing is kept."""
    notes = []
    for url in urls:
        if url.startswith("redis"):
            with redis.from_url(url, decode_responses=True) as client:
                notes.append(client.get("note"))
        else:
            with psycopg.connect(url, connect_timeout=2) as connection:
                exists = connection.execute("SELECT to_regclass('note')").fetchone() != (None,)
                row = connection.execute("SELECT text FROM note").fetchone() if exists else None
                notes.append(row[0] if row else None)
    return notes


def test_ensure_exports_urls_that_work_and_release_takes_everything_back(empty_folder: Path) -> None:
    with embedded.ensure() as servers:
        assert are_up([os.environ["DATABASE_URL"], os.environ["REDIS_URL"]])
        assert os.environ["EMBEDDED"] == "1"
        assert set(servers.pids) == {"postgres", "valkey"}
        assert all(psutil.pid_exists(pid) for pid in servers.pids.values())
    assert not {"DATABASE_URL", "REDIS_URL", "EMBEDDED"} & set(os.environ)
    assert not list_processes(empty_folder)
    servers.release()  # again: no effect


def test_importing_starts_nothing_and_loads_neither_django_nor_the_wheels(empty_folder: Path) -> None:
    program = "import sys, project.embedded; print([m for m in ('django', 'celery', 'psutil') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not any(empty_folder.iterdir())


@pytest.mark.usefixtures("only_valkey")
def test_a_given_url_switches_off_its_server_only(
    folder: Path, start_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = start_user()
    assert user.answer["DATABASE_URL"] == "postgres://cook@db.example/kitchen"
    assert user.answer["EMBEDDED"] is None
    assert set(user.answer["pids"]) == {"valkey"}
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    assert embedded.ensure().pids == {}
    assert not (folder / "postgres" / "home").exists()


def test_urls_in_the_env_file_count_as_given(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("DATABASE_URL=postgres://cook@db.example/kitchen\nREDIS_URL=\n")
    assert list_missing_servers(env_file=env_file) == ["valkey"]
    assert list_missing_servers(env_file=tmp_path / "none") == ["postgres", "valkey"]


@pytest.mark.usefixtures("only_valkey")
def test_two_shells_share_the_servers_and_the_last_one_stops_them(
    folder: Path, start_user: Callable[..., User]
) -> None:
    alice, bob = start_user(), start_user()
    assert bob.urls == alice.urls
    alice.leave()
    assert are_up(bob.urls)
    bob.leave()
    assert not list_processes(folder)


@pytest.mark.usefixtures("only_valkey")
def test_many_users_at_once_start_one_server(folder: Path, start_user: Callable[..., User]) -> None:
    users = [start_user() for _ in range(6)]
    assert len({tuple(user.urls) for user in users}) == 1
    for user in users:
        user.process.kill()
    wait_for(lambda: not list_processes(folder))
    assert (folder / "valkey/keeper.log").read_text().count("serves on port") == 2, (
        "the used folder's start and this one"
    )


@pytest.mark.usefixtures("only_valkey")
def test_a_killed_user_is_no_longer_counted(folder: Path, start_user: Callable[..., User]) -> None:
    alice, bob = start_user(), start_user()
    assert bob.urls == alice.urls
    alice.kill()
    assert are_up(bob.urls)
    bob.kill()
    wait_for(lambda: not list_processes(folder))


def test_ctrl_c_in_the_last_shell_stops_the_servers_cleanly(folder: Path, start_user: Callable[..., User]) -> None:
    user = start_user()
    assert are_up(user.urls)
    logs = {name: folder / name / "server.log" for name in VARIABLES}
    sizes = {name: log.stat().st_size for name, log in logs.items()}
    user.process.send_signal(signal.SIGINT)
    user.process.wait(DEADLINE_SECONDS)
    wait_for(lambda: not list_processes(folder))
    assert "database system is shut down" in logs["postgres"].read_text()[sizes["postgres"] :]
    assert "ready to exit" in logs["valkey"].read_text()[sizes["valkey"] :]


def test_a_first_start_keeps_its_data_for_the_second(empty_folder: Path, start_user: Callable[..., User]) -> None:
    first = start_user()
    remember(first.urls)
    first.leave()
    second = start_user()
    assert recall(second.urls) == ["炒飯", "炒飯"]


def test_killed_keepers_take_their_servers_along_and_are_replaced(
    folder: Path, start_user: Callable[..., User]
) -> None:
    alice = start_user()
    assert are_up(alice.urls)
    for state in read_states(folder):
        os.kill(state.keeper_pid, signal.SIGKILL)
    wait_for(lambda: not list_processes(folder))
    bob = start_user()
    assert recall(bob.urls) == ["炒飯", "炒飯"]
    bob.leave()
    assert are_up(bob.urls), "Alice still lives, and holds the new servers as she did the old ones"


def test_a_killed_server_comes_back_on_the_same_port(folder: Path, start_user: Callable[..., User]) -> None:
    user = start_user()
    with psycopg.connect(user.answer["DATABASE_URL"]) as connection:
        connection.execute("UPDATE note SET text = '餃子'")
    before = read_states(folder)
    for state in before:
        os.kill(state.server_pid, signal.SIGKILL)
    wait_for(lambda: {s.server_pid for s in read_states(folder)}.isdisjoint(s.server_pid for s in before))
    wait_for(lambda: are_up(user.urls))
    assert recall(user.urls) == ["餃子", "炒飯"], "what was committed is there, fsync or not"


@pytest.mark.usefixtures("only_valkey")
def test_a_keeper_that_is_told_to_stop_stops_and_a_new_user_starts_anew(
    folder: Path, start_user: Callable[..., User]
) -> None:
    alice = start_user()
    assert are_up(alice.urls)
    command = [sys.executable, "-m", "project.embedded"]
    stopped = subprocess.run([*command, "stop"], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert stopped.stdout.count("not running") == 2
    assert not list_processes(folder)
    run = [*command, "run", "--", sys.executable, "-m", "project.embedded", "status"]
    shown = subprocess.run(run, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert shown.stdout.count("on 127.0.0.1:") == 1
    assert "://" not in shown.stdout, "the status shows no password"


def test_leftover_files_of_a_dead_machine_are_no_obstacle(folder: Path, start_user: Callable[..., User]) -> None:
    """The pid files name this very test: alive, of the same account, and no server."""
    data = folder / "postgres/home/cluster/data"
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1700000000\n1\n\n127.0.0.1\n0 0\nready\n")
    for name in VARIABLES:
        state = {"url": "redis://nowhere", "port": 1, "server_pid": os.getpid(), "keeper_pid": os.getpid()}
        (folder / name / "state.json").write_text(json.dumps(state))
        (folder / name / "state.json.partial").write_text("{")
    assert are_up(start_user().urls)


def test_an_initdb_that_was_killed_midway_is_no_obstacle(empty_folder: Path, start_user: Callable[..., User]) -> None:
    user = start_user()
    draft = empty_folder / "postgres/home/cluster.partial/data"
    wait_for((draft / "postgresql.conf").exists)
    user.kill()
    for pid in list_processes(empty_folder):
        with suppress(ProcessLookupError):  # initdb's children end with it
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not list_processes(empty_folder))
    assert not (empty_folder / "postgres/home/cluster").exists()
    assert are_up(start_user().urls)


def test_a_cluster_with_parts_missing_is_set_aside_not_deleted(folder: Path) -> None:
    control_file = folder / "postgres/home/cluster/data/global/pg_control"
    control_file.unlink()
    server = make_server("postgres", folder / "postgres", durable=False)
    server.start()
    server.stop()
    assert control_file.exists()
    (aside,) = (folder / "postgres/home").glob("cluster.unusable-*")
    assert (aside / "data/PG_VERSION").exists()


def test_a_taken_port_is_passed_over_unless_it_was_asked_for(server: EmbeddedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        ports = iter([taken, taken, pick_free_port()])
        picky = type(server)(server.folder, durable=False, pick_port=lambda: next(ports))
        picky.start()
        assert picky.is_running()
        assert picky.port != taken
        picky.stop()
        with pytest.raises(embedded.EmbeddedError, match=r"(?s)did not start.*Address already in use"):
            server.start(port=taken)
    assert not server.is_running()


@pytest.mark.usefixtures("only_valkey")
def test_a_stranger_on_the_port_is_not_taken_for_our_server(folder: Path) -> None:
    """Ready means an answer to our own password: a Valkey that happens to listen on the port has another one."""
    (folder / "stranger").mkdir()
    stranger = make_server("valkey", folder / "stranger", durable=False)
    stranger.start()
    try:
        with pytest.raises(embedded.EmbeddedError, match="did not start"):
            make_server("valkey", folder / "valkey", durable=False).start(port=stranger.port)
        assert are_up([stranger.url])
    finally:
        stranger.stop()


def test_the_running_servers_are_private_and_set_up_as_the_product_needs_them(
    folder: Path, start_user: Callable[..., User]
) -> None:
    user = start_user(EMBEDDED_FSYNC="on")
    assert_nothing_is_public(folder, passwords=[url.split("@")[0].rsplit(":", 1)[1] for url in user.urls])
    with psycopg.connect(user.answer["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        ordered = connection.execute("SELECT string_agg(x, '' ORDER BY x) FROM unnest('{い,b,ア,a,B}'::text[]) x")
        assert ordered.fetchone() == ("Babいア",)
    with redis.from_url(user.answer["REDIS_URL"], decode_responses=True) as client:
        settings = client.config_get("maxmemory-policy", "appendonly", "appendfsync")
    assert settings == {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}
    with pytest.raises(redis.AuthenticationError):
        redis.from_url(f"redis://127.0.0.1:{user.answer['REDIS_URL'].rsplit(':', 1)[1]}").ping()


def assert_nothing_is_public(folder: Path, *, passwords: list[str]) -> None:
    """Passwords in private files only, servers on loopback only, under an account without rights."""
    assert all(len(password) > 30 for password in passwords)
    for pid in list_processes(folder):
        words = " ".join(psutil.Process(pid).cmdline())
        assert not any(password in words for password in passwords)
    for state in read_states(folder):
        server = psutil.Process(state.server_pid)
        listening = [c.laddr.ip for c in server.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
        assert listening == ["127.0.0.1"]
        assert server.uids().real == (os.geteuid() or ORDINARY_UID)
    secret_files = [p for p in folder.rglob("*") if p.name in ("state.json", "password", "valkey.conf")]
    assert len(secret_files) == 4
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in secret_files)
    assert all((folder / name / "home").stat().st_mode & 0o777 == 0o700 for name in VARIABLES)


def test_a_folder_of_another_kind_or_account_is_refused(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "file").touch()
    (empty_folder / "link").symlink_to(empty_folder)
    for place in (empty_folder / "file", empty_folder / "link", Path("/proc/1/none")):
        monkeypatch.setenv("EMBEDDED_DIR", str(place))
        with pytest.raises(embedded.EmbeddedError, match="set EMBEDDED_DIR"):
            embedded.ensure()


@pytest.mark.usefixtures("empty_folder")
def test_a_wrong_switch_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED_FSYNC", "maybe")
    with pytest.raises(embedded.EmbeddedError, match="EMBEDDED_FSYNC is 'maybe'"):
        embedded.ensure()


if os.geteuid() == 0:

    def test_root_is_told_of_a_folder_that_the_servers_account_cannot_reach(
        empty_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (empty_folder / "closed").mkdir(mode=0o700)
        monkeypatch.setenv("EMBEDDED_DIR", str(empty_folder / "closed" / "state"))
        with pytest.raises(embedded.EmbeddedError, match="cannot pass through"):
            embedded.ensure()


if can_be_ordinary():

    def test_an_ordinary_user_runs_the_programs_of_the_wheels_in_place(empty_folder: Path) -> None:
        os.chown(empty_folder, ORDINARY_UID, ORDINARY_UID)
        users = [User(empty_folder, uid=ORDINARY_UID)]
        try:
            remember(users[0].urls)
            assert not list(empty_folder.rglob("programs"))
            users[0].leave()
            users.append(User(empty_folder, uid=ORDINARY_UID))
            assert recall(users[1].urls) == ["炒飯", "炒飯"]
            users[1].leave()
        finally:
            for user in users:
                user.close()
