import io
import itertools
import multiprocessing
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coaching.errors import (
    Conflict,
    LinkRefused,
    MomentCloneError,
    NotFound,
    StoreUnavailable,
    UploadClosed,
    UploadOffsetMismatch,
    UploadRefused,
)
from coaching.providers.local.file_store import FileStore
from coaching.providers.local.file_store.object_paths import check_object_path

HOUR = timedelta(hours=1)
CONTENT = os.urandom(300_000)
# The suite's own process has threads by now, so it must not fork; a small server that has imported us may.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


class Clock:
    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> FileStore:
    return FileStore(root=tmp_path / "objects", secret="s" * 50, read_clock=clock)


def open_upload(store: FileStore, object_path: str = "s/1/raw.mp4", size_bytes: int = len(CONTENT)) -> str:
    session = store.open_upload(
        object_path=object_path, size_bytes=size_bytes, content_type="video/mp4", origin="", lifetime=HOUR
    )
    return session.url.removeprefix("/uploads/")


def append(store: FileStore, token: str, first_byte: int, body: bytes, **stated: int | None) -> tuple[int, bool]:
    arguments: dict[str, Any] = {"last_byte": first_byte + len(body) - 1, "total_bytes": None} | stated
    status = store.append_chunk(token=token, first_byte=first_byte, stream=io.BytesIO(body), **arguments)
    return status.received_bytes, status.complete


def write(store: FileStore, object_path: str, content: bytes = CONTENT) -> None:
    store.write_stream(
        object_path=object_path, stream=io.BytesIO(content), content_type="video/mp4", max_bytes=len(content)
    )


def read_whole(store: FileStore, object_path: str) -> bytes:
    source = store.locate(object_path).source
    assert isinstance(source, Path)
    return source.read_bytes()


# --- paths ----------------------------------------------------------------------------------------------------------

ESCAPES = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../../x",
    "a/./b",
    "a//b",
    "a/",
    "a/b\n",
    "a\x00b",
    "a\\..\\b",
    "~/x",
    "%2e%2e/x",
    ".lock",
    "a/.film.mp4.json",
    ".uploads/x",
    "あ/b",
    "a b",
    "a" * 129,
    "/".join(["a" * 100] * 6),
]


@pytest.mark.parametrize("object_path", ESCAPES)
def test_no_method_accepts_a_path_that_is_none(store: FileStore, tmp_path: Path, object_path: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    attempts: list[Callable[[], object]] = [
        lambda: store.write_file(object_path=object_path, source=source, content_type="text/plain"),
        lambda: write(store, object_path),
        lambda: store.locate(object_path),
        lambda: store.fetch(object_path=object_path, destination=tmp_path / "fetched"),
        lambda: store.delete(object_path),
        lambda: open_upload(store, object_path),
        lambda: store.sign_url(object_path=object_path, content_type="text/plain", lifetime=HOUR),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert store.find(object_path) is None


@pytest.mark.parametrize("prefix", ["..", "../", "/", "/etc/", "a/../", ".uploads/", "a/.", "a//"])
def test_no_prefix_lists_what_is_not_an_object(store: FileStore, prefix: str) -> None:
    with pytest.raises(NotFound):
        list(store.list_paths(prefix))


@settings(max_examples=300)
@given(st.text(alphabet="ab./\\~%-_\x00\n あ", max_size=40))
def test_an_accepted_path_stays_below_the_root_and_hides_nowhere(object_path: str) -> None:
    try:
        check_object_path(object_path)
    except NotFound:
        return
    root = Path("/root/of/the/store")
    resolved = Path(os.path.normpath(root / object_path))
    assert resolved.relative_to(root).as_posix() == object_path
    assert not any(part.startswith(".") for part in resolved.relative_to(root).parts)


def test_an_object_cannot_be_a_folder_of_another(store: FileStore) -> None:
    write(store, "s/1/film")
    with pytest.raises(Conflict):
        write(store, "s/1/film/part")
    with pytest.raises(Conflict):
        write(store, "s/1")
    store.delete("s/1")
    assert list(store.list_paths("")) == ["s/1/film"]


# --- files ----------------------------------------------------------------------------------------------------------


def test_nothing_of_the_store_is_open_to_other_users(store: FileStore, tmp_path: Path) -> None:
    write(store, "s/1/film.mp4")
    append(store, open_upload(store), 0, CONTENT[:10])
    root = tmp_path / "objects"
    assert root.stat().st_mode & 0o777 == 0o700
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) == 5
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_stream_that_breaks_leaves_nothing_behind(store: FileStore, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="reset"):
        store.write_stream(
            object_path="s/1/memo.m4a", stream=BreakingStream(CONTENT), content_type="audio/mp4", max_bytes=10**9
        )
    assert store.find("s/1/memo.m4a") is None
    assert list((tmp_path / "objects" / ".drafts").iterdir()) == []


def test_emptied_folders_go_with_their_last_object(store: FileStore, tmp_path: Path) -> None:
    write(store, "s/1/raw.mp4")
    write(store, "s/2/raw.mp4")
    store.delete("s/1/raw.mp4")
    assert not (tmp_path / "objects" / "s" / "1").exists()
    store.delete("s/2/raw.mp4")
    assert not (tmp_path / "objects" / "s").exists()


def test_a_store_that_cannot_write_says_so_as_a_passing_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        FileStore(root=tmp_path / "file" / "objects", secret="s" * 50)


def _write_racing(root: Path, name: str, barrier: Any, results: Any) -> None:
    store = FileStore(root=root, secret="s" * 50)
    barrier.wait()
    try:
        write(store, "s/1/film.mp4", name.encode() * 100_000)
        results.put(name)
    except Conflict:
        results.put("")


def test_of_processes_that_write_the_same_path_exactly_one_wins(store: FileStore, tmp_path: Path) -> None:
    barrier, results = FORKS.Barrier(4), FORKS.Queue()
    names = ["a", "b", "c", "d"]
    writers = [FORKS.Process(target=_write_racing, args=(tmp_path / "objects", n, barrier, results)) for n in names]
    for writer in writers:
        writer.start()
    answers = sorted(results.get(timeout=60) for _ in writers)
    for writer in writers:
        writer.join(timeout=60)
    assert answers[:3] == ["", "", ""]
    assert read_whole(store, "s/1/film.mp4") == answers[3].encode() * 100_000


# --- uploads --------------------------------------------------------------------------------------------------------


class BreakingStream(io.BytesIO):
    """Gives what it has, then breaks as a connection does."""

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        if not piece:
            raise ConnectionResetError("connection reset by peer")
        return piece


def test_a_connection_that_breaks_keeps_the_bytes_before_the_break(store: FileStore) -> None:
    token = open_upload(store)
    status = store.append_chunk(
        token=token, first_byte=0, last_byte=None, total_bytes=None, stream=BreakingStream(CONTENT[:200_000])
    )
    assert (status.received_bytes, status.complete) == (200_000, False)
    assert append(store, token, 200_000, CONTENT[200_000:]) == (len(CONTENT), True)
    assert read_whole(store, "s/1/raw.mp4") == CONTENT


def test_a_body_without_a_range_is_the_whole_upload(store: FileStore) -> None:
    token = open_upload(store)
    assert append(store, token, 0, CONTENT, last_byte=None) == (len(CONTENT), True)
    assert read_whole(store, "s/1/raw.mp4") == CONTENT


def test_a_body_without_a_range_that_is_too_long_is_refused_and_undone(store: FileStore) -> None:
    token = open_upload(store)
    append(store, token, 0, CONTENT[:1000])
    with pytest.raises(UploadRefused):
        append(store, token, 0, CONTENT + b"x", last_byte=None)
    assert store.read_upload_status(token).received_bytes == 1000
    assert append(store, token, 1000, CONTENT[1000:]) == (len(CONTENT), True)


def test_bytes_beyond_the_stated_range_are_left_alone(store: FileStore) -> None:
    token = open_upload(store)
    assert append(store, token, 0, CONTENT, last_byte=999) == (1000, False)


def test_a_chunk_after_a_gap_is_told_where_the_upload_stands(store: FileStore) -> None:
    token = open_upload(store)
    append(store, token, 0, CONTENT[:1000])
    with pytest.raises(UploadOffsetMismatch) as refusal:
        append(store, token, 1001, CONTENT[1001:2000])
    assert refusal.value.received_bytes == 1000
    assert store.read_upload_status(token).received_bytes == 1000


@pytest.mark.parametrize(
    ("first_byte", "last_byte", "total_bytes"),
    [(0, 300_000, None), (300_000, 300_000, None), (5, 4, None), (-1, 4, None), (0, 99, 299_999), (0, 99, 300_001)],
)
def test_a_range_outside_the_upload_is_refused(
    store: FileStore, first_byte: int, last_byte: int, total_bytes: int | None
) -> None:
    token = open_upload(store)
    with pytest.raises(UploadRefused):
        append(store, token, first_byte, CONTENT, last_byte=last_byte, total_bytes=total_bytes)
    assert store.read_upload_status(token).received_bytes == 0


@pytest.mark.parametrize("size_bytes", [0, -1])
def test_an_upload_of_nothing_is_refused(store: FileStore, size_bytes: int) -> None:
    with pytest.raises(UploadRefused):
        open_upload(store, size_bytes=size_bytes)


@pytest.mark.parametrize("token", ["", "x", "../../etc/passwd", "a" * 10_000, "あ\x00"])
def test_a_token_nobody_was_given_opens_nothing(store: FileStore, token: str) -> None:
    open_upload(store)
    with pytest.raises(UploadClosed):
        append(store, token, 0, b"x")
    with pytest.raises(UploadClosed):
        store.read_upload_status(token)
    with pytest.raises(UploadClosed):
        store.cancel_upload(token)
    with pytest.raises(UploadClosed):
        store.count_uploaded_bytes(token)


def test_a_cancelled_upload_is_closed_and_its_bytes_are_gone(store: FileStore, tmp_path: Path) -> None:
    token = open_upload(store)
    append(store, token, 0, CONTENT[:1000])
    store.cancel_upload(token)
    with pytest.raises(UploadClosed):
        append(store, token, 1000, CONTENT[1000:])
    assert list((tmp_path / "objects" / ".uploads").iterdir()) == []


def test_cancelling_a_complete_upload_closes_its_url_and_keeps_the_object(store: FileStore) -> None:
    token = open_upload(store)
    append(store, token, 0, CONTENT)
    store.cancel_upload(token)
    with pytest.raises(UploadClosed):
        store.read_upload_status(token)
    assert read_whole(store, "s/1/raw.mp4") == CONTENT


def test_an_upload_whose_last_request_died_before_the_end_is_finished_by_the_next_question(
    store: FileStore, tmp_path: Path
) -> None:
    token = open_upload(store)
    append(store, token, 0, CONTENT[:-1])
    [part] = (tmp_path / "objects" / ".uploads").glob("*.part")
    with part.open("ab") as file:  # as if the process had been killed right after its last write
        file.write(CONTENT[-1:])
    assert store.read_upload_status(token).complete
    assert read_whole(store, "s/1/raw.mp4") == CONTENT


def test_an_upload_to_a_path_taken_meanwhile_is_a_conflict_and_changes_nothing(store: FileStore) -> None:
    token = open_upload(store)
    write(store, "s/1/raw.mp4", b"first")
    with pytest.raises(Conflict):
        append(store, token, 0, CONTENT)
    assert read_whole(store, "s/1/raw.mp4") == b"first"
    with pytest.raises(UploadClosed):
        store.read_upload_status(token)


def test_a_stalled_request_does_not_keep_out_the_one_that_carries_on(store: FileStore) -> None:
    token = open_upload(store)
    stalled_reader, stalled_writer = os.pipe()
    refusals: list[UploadOffsetMismatch] = []

    def send_slowly() -> None:
        with os.fdopen(stalled_reader, "rb") as stream:
            try:
                store.append_chunk(
                    token=token, first_byte=0, last_byte=len(CONTENT) - 1, total_bytes=None, stream=stream
                )
            except UploadOffsetMismatch as refusal:
                refusals.append(refusal)

    stalled = threading.Thread(target=send_slowly)
    stalled.start()
    try:
        assert append(store, token, 0, CONTENT) == (len(CONTENT), True)
    finally:
        os.write(stalled_writer, CONTENT[:1000])
        os.close(stalled_writer)
        stalled.join(timeout=60)
    assert [refusal.received_bytes for refusal in refusals] == [len(CONTENT)]
    assert read_whole(store, "s/1/raw.mp4") == CONTENT


def _send_all(root: Path, token: str, size_bytes: int, barrier: Any, results: Any) -> None:
    """A tab: asks where the upload stands and sends from there, until it is complete."""
    store = FileStore(root=root, secret="s" * 50)
    content = _content_of(size_bytes)
    barrier.wait()
    status = store.read_upload_status(token)
    while not status.complete:
        body = content[status.received_bytes :][:400_000]
        try:
            status = store.append_chunk(
                token=token,
                first_byte=status.received_bytes,
                last_byte=status.received_bytes + len(body) - 1,
                total_bytes=size_bytes,
                stream=io.BytesIO(body),
            )
        except UploadOffsetMismatch:
            status = store.read_upload_status(token)
    results.put(status.received_bytes)


def _content_of(size_bytes: int) -> bytes:
    return np.arange(size_bytes // 4, dtype=">u4").tobytes()


def test_two_tabs_that_send_the_same_file_at_once_make_one_whole_object(tmp_path: Path) -> None:
    size_bytes = 8_000_000
    store = FileStore(root=tmp_path / "objects", secret="s" * 50)
    token = open_upload(store, size_bytes=size_bytes)
    barrier, results = FORKS.Barrier(3), FORKS.Queue()
    arguments = (tmp_path / "objects", token, size_bytes, barrier, results)
    tabs = [FORKS.Process(target=_send_all, args=arguments) for _ in range(3)]
    for tab in tabs:
        tab.start()
    assert [results.get(timeout=60) for _ in tabs] == [size_bytes] * 3
    for tab in tabs:
        tab.join(timeout=60)
    assert read_whole(store, "s/1/raw.mp4") == _content_of(size_bytes)


def test_sweeping_takes_what_expired_or_stalled_and_leaves_what_moves(tmp_path: Path) -> None:
    clock = Clock()
    store = FileStore(root=tmp_path / "objects", secret="s" * 50, read_clock=clock)
    uploads = tmp_path / "objects" / ".uploads"
    tokens = {name: open_upload(store, f"s/{name}.mp4") for name in ("stalled", "moving")}
    write(store, "s/kept.mp4")
    (stray := uploads / f"{'0' * 64}.part").touch()
    (draft := tmp_path / "objects" / ".drafts" / "left-behind").touch()
    for path in [*uploads.iterdir(), draft]:
        os.utime(path, (clock.now - 7200, clock.now - 7200))
    append(store, tokens["moving"], 0, CONTENT[:10])
    [moving] = [part for part in uploads.glob("*.part") if part.stat().st_size]
    os.utime(moving, (clock.now, clock.now))

    assert store.sweep_uploads(older_than=HOUR) == 3
    assert not stray.exists()
    assert not draft.exists()
    assert store.read_upload_status(tokens["moving"]).received_bytes == 10
    with pytest.raises(UploadClosed):
        store.read_upload_status(tokens["stalled"])
    clock.now += HOUR.total_seconds()
    assert store.sweep_uploads(older_than=timedelta(days=30)) == 1
    assert list(uploads.iterdir()) == []
    assert list(store.list_paths("")) == ["s/kept.mp4"]


# --- signed links ---------------------------------------------------------------------------------------------------


def split(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    return parts.path.removeprefix("/media/"), dict(parse_qsl(parts.query))


def sign(store: FileStore, download_name: str = "") -> str:
    return store.sign_url(
        object_path="s/1/film.mp4", content_type="video/mp4", lifetime=HOUR, download_name=download_name
    )


def test_a_link_stays_the_same_for_half_its_life_and_then_changes_once(store: FileStore, clock: Clock) -> None:
    write(store, "s/1/film.mp4")
    changes = []
    previous = sign(store)
    for _ in range(120):
        clock.now += 60
        url = sign(store)
        if url != previous:
            changes.append(clock.now)
        previous = url
        object_path, query = split(url)
        remaining_seconds = int(query["expires"]) - clock.now
        assert HOUR.total_seconds() / 2 < remaining_seconds <= HOUR.total_seconds()
        assert store.open_signed(object_path=object_path, query=query).stored.size_bytes == len(CONTENT)
    assert [later - earlier for earlier, later in itertools.pairwise(changes)] == [1800, 1800, 1800]


def test_a_link_for_saving_carries_its_name_whatever_script_it_is_in(store: FileStore) -> None:
    write(store, "s/1/film.mp4")
    object_path, query = split(sign(store, download_name="チャーハン 第1回.mp4"))
    assert store.open_signed(object_path=object_path, query=query).download_name == "チャーハン 第1回.mp4"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "text/html"},
        {"name": "evil.html"},
        {"expires": "1999999999"},
        {"expires": "-1"},
        {"expires": "１２"},
        {"expires": "9" * 5000},
        {"signature": ""},
        {"signature": "あ"},
    ],
)
def test_a_link_changed_in_any_term_is_refused(store: FileStore, change: dict[str, str]) -> None:
    write(store, "s/1/film.mp4")
    object_path, query = split(sign(store))
    with pytest.raises(LinkRefused):
        store.open_signed(object_path=object_path, query=query | change)


def test_a_link_without_its_terms_is_refused(store: FileStore) -> None:
    write(store, "s/1/film.mp4")
    object_path, query = split(sign(store))
    for missing in query:
        with pytest.raises(LinkRefused):
            store.open_signed(object_path=object_path, query={k: v for k, v in query.items() if k != missing})


def test_a_link_signed_with_another_key_is_refused(store: FileStore, tmp_path: Path) -> None:
    write(store, "s/1/film.mp4")
    stranger = FileStore(root=tmp_path / "elsewhere", secret="t" * 50)
    object_path, query = split(sign(stranger))
    with pytest.raises(LinkRefused):
        store.open_signed(object_path=object_path, query=query)


def test_a_link_to_a_deleted_object_is_not_found(store: FileStore) -> None:
    write(store, "s/1/film.mp4")
    object_path, query = split(sign(store))
    store.delete("s/1/film.mp4")
    with pytest.raises(NotFound):
        store.open_signed(object_path=object_path, query=query)


@pytest.mark.parametrize("object_path", ESCAPES)
def test_no_link_leads_outside_even_with_a_signature_of_something_else(store: FileStore, object_path: str) -> None:
    write(store, "s/1/film.mp4")
    _, query = split(sign(store))
    with pytest.raises(MomentCloneError):
        store.open_signed(object_path=object_path, query=query)
