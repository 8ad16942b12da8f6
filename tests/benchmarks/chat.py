"""What a talk with the coach costs: `python -m tests.benchmarks.chat [--learners N] [--sentences N] [--pages N]`.

A web process of its own, and learners who poll it as the page does, pauses included. Measured are: from the moment at
which a sentence was written (as the worker writes it) until the poll that brings it has arrived; how long a poll
without news takes; what share of a core open pages cost on which nothing comes. Learners, writers and web process
share the same cores, so the figures are upper bounds.
"""

import argparse
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import django
import psutil

from project import embedded
from project.processes import HttpAnswer, ProcessSpec, Supervisor
from project.up import choose_port
from tests.benchmarks.rows import Row, record_rows

THREADS = 96
IDLE_SECONDS = 20.0
NEVER_REACHED = "999999999999999-0"  # a cursor behind all that will be written
WARM_UP_POLLS = 3  # every thread of the web process has its connections, as after a minute of service
NEXT_POLL = re.compile(r'hx-get="([^"]+)" hx-trigger="load delay:(\d+)ms"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learners", type=int, default=50, help="how many talk at once")
    parser.add_argument("--sentences", type=int, default=8, help="of each answer")
    parser.add_argument("--pages", type=int, default=200, help="open pages on which nothing comes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moment-clone-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with open_product(folder) as web:
            talks = make_talks(max(options.learners, options.pages))
            visible = measure_visible(web, talks[: options.learners], options.sentences)
            quiet = measure_quiet_polls(web, talks[: options.learners])
            cores = measure_idle_pages(web, talks[: options.pages])
            queries = max(count_queries(talk) for talk in talks[:3])
    record_rows(
        [
            Row("chat: a sentence written to visible, p95", find_p95(visible) * 1000, "ms", 150),
            Row("chat: a poll without news, p95", find_p95(quiet) * 1000, "ms", 20),
            Row("chat: queries of a poll, the login's two included", queries, "queries", 3),
            Row(f"chat: {options.pages} open pages without news", cores, "cores", 0.5),
        ]
    )


@dataclass(frozen=True, slots=True)
class Web:
    port: int
    process: psutil.Process


@dataclass(frozen=True, slots=True)
class Talk:
    """A learner's login and the reply that they wait for."""

    cookie: str
    reply_id: int


@contextmanager
def open_product(folder: Path) -> Iterator[Web]:
    """Servers, schema and a web process, all of this benchmark's own."""
    os.environ |= {
        "EMBEDDED_DIR": str(folder / "servers"),
        "VAR_FOLDER": str(folder / "var"),
        "WEB_THREADS": str(THREADS),
        "LOG_LEVEL": "WARNING",
    }
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    with embedded.ensure():
        os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
        django.setup()
        from django.core.management import call_command  # needs Django's settings

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        port = choose_port(0)
        spec = ProcessSpec(
            name="web",
            argv=(
                *(sys.executable, "-m", "gunicorn", "project.wsgi", f"--bind=127.0.0.1:{port}"),
                *("--worker-class=gthread", f"--threads={THREADS}", "--keep-alive=75", "--no-control-socket"),
            ),
            is_ready=HttpAnswer(port, "/healthz"),
        )
        with Supervisor([spec], log_folder=folder / "log") as supervisor:
            supervisor.wait_until_ready()
            pid = supervisor.pid("web")
            assert pid is not None
            yield Web(port=port, process=psutil.Process(pid))


def make_talks(count: int) -> list[Talk]:
    from django.test import Client

    from coaching.models import User
    from coaching.services.chat import ask_question

    talks = []
    for number in range(count):
        learner = User.objects.create(email=f"learner{number}@example.test", first_name="はる")
        client = Client()
        client.force_login(learner)
        reply, _ = ask_question(user_id=learner.pk, text="なぜですか？", idempotency_key="k")
        talks.append(Talk(cookie=f"sessionid={client.cookies['sessionid'].value}", reply_id=reply.pk))
    return talks


class Page:
    """Polls as the page does: over one kept connection, with the pauses that it is told to make."""

    def __init__(self, web: Web, talk: Talk) -> None:
        self._connection = HTTPConnection("127.0.0.1", web.port, timeout=30)
        self._headers = {"Cookie": talk.cookie, "HX-Request": "true"}
        self._path, self._pause_seconds = f"/chat/replies/{talk.reply_id}/?after=", 0.0

    def poll(self) -> str:
        time.sleep(self._pause_seconds)
        self._connection.request("GET", self._path, headers=self._headers)
        response = self._connection.getresponse()
        body = response.read().decode()
        assert response.status == 200, body
        following = NEXT_POLL.search(body)
        assert following, body
        self._path, self._pause_seconds = following[1].replace("&amp;", "&"), int(following[2]) / 1000
        return body

    def close(self) -> None:
        self._connection.close()


def measure_visible(web: Web, talks: Sequence[Talk], sentences: int) -> list[float]:
    """Seconds from writing to reading, of every sentence of every talk."""
    all_poll = threading.Barrier(len(talks))
    with ThreadPoolExecutor(max_workers=len(talks)) as learners:
        delays = learners.map(lambda talk: watch_one(web, talk, sentences, all_poll), talks)
        return [delay for found in delays for delay in found]


def watch_one(web: Web, talk: Talk, sentences: int, all_poll: threading.Barrier) -> list[float]:
    """The page polls before the first word is written, as it does while the coach thinks."""
    written_at: dict[str, float] = {}
    writer = threading.Thread(target=write_slowly, args=(talk.reply_id, sentences, written_at))
    page = Page(web, talk)
    delays: list[float] = []
    for _ in range(WARM_UP_POLLS):
        page.poll()
    all_poll.wait(timeout=120)
    writer.start()
    while len(delays) < sentences:
        body, now = page.poll(), time.monotonic()
        delays += [now - written_at[mark] for mark in re.findall(r"\[\d+\]", body)]
    writer.join()
    page.close()
    return delays


def write_slowly(reply_id: int, sentences: int, written_at: dict[str, float]) -> None:
    """As a worker shows them: one sentence after another, as a model takes its time."""
    from coaching.services import answer_stream

    answer_stream.show_restart(reply_id)
    for number in range(sentences):
        time.sleep(random.uniform(0.4, 1.6))
        mark = f"[{number}]"
        written_at[mark] = time.monotonic()
        answer_stream.show_text(reply_id, f"卵は余熱でも固まっていきます{mark}。")


def measure_quiet_polls(web: Web, talks: Sequence[Talk], rounds: int = 20) -> list[float]:
    """Seconds of the API's poll without news, each learner's about once a second."""

    def poll(talk: Talk) -> list[float]:
        connection = HTTPConnection("127.0.0.1", web.port, timeout=30)
        headers, taken = {"Cookie": talk.cookie}, []
        path = f"/api/chat/replies/{talk.reply_id}/?after={NEVER_REACHED}"
        time.sleep(random.random())
        for _ in range(1 + rounds):  # the first one opens the connection
            begun = time.monotonic()
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            response.read()
            assert response.status == 204
            taken.append(time.monotonic() - begun)
            time.sleep(random.uniform(0.5, 1.5))  # learners keep no step with each other
        connection.close()
        return taken

    with ThreadPoolExecutor(max_workers=len(talks)) as learners:
        return [seconds for found in learners.map(poll, talks) for seconds in found[1:]]


def measure_idle_pages(web: Web, talks: Sequence[Talk]) -> float:
    """Cores that the web process is busy with while pages poll and nothing comes, once they have backed off."""
    over = threading.Event()

    def stay(talk: Talk) -> None:
        page = Page(web, talk)
        while not over.is_set():
            page.poll()
        page.close()

    threads = [threading.Thread(target=stay, args=(talk,)) for talk in talks]
    for thread in threads:
        thread.start()
    time.sleep(IDLE_SECONDS)  # until the pauses are as long as they get
    before, begun = read_cpu_seconds(web.process), time.monotonic()
    time.sleep(IDLE_SECONDS)
    cores = (read_cpu_seconds(web.process) - before) / (time.monotonic() - begun)
    over.set()
    for thread in threads:
        thread.join()
    return cores


def count_queries(talk: Talk) -> int:
    """Of a page's poll, asked within this process."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_HOST="localhost", HTTP_COOKIE=talk.cookie)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(f"/chat/replies/{talk.reply_id}/?after={NEVER_REACHED}", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return len(captured)


def read_cpu_seconds(process: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


def find_p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.95 * len(seconds))]


if __name__ == "__main__":
    main()
