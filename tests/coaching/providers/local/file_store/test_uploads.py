import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from coaching.errors import (
    Conflict,
    UploadClosed,
    UploadOffsetMismatch,
    UploadRefused,
)
from coaching.providers.local.file_store import FileStore
from coaching.providers.local.file_store.uploads import PIECE_BYTES
from tests.coaching.providers.local.file_store.steps import (
    CONTENT,
    HOUR,
    BreakingStream,
    Clock,
    append,
    open_upload,
    read_whole,
    write,
)
from tests.coaching.providers.local.racers import SECRET, make_content, race, send_upload


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
    deadline = time.monotonic() + 60
    try:
        os.write(stalled_writer, CONTENT[:PIECE_BYTES])
        while (received_bytes := store.read_upload_status(token).received_bytes) < PIECE_BYTES:
            assert time.monotonic() < deadline
            stalled.join(timeout=0.01)
        assert append(store, token, received_bytes, CONTENT[received_bytes:]) == (len(CONTENT), True)
        os.write(stalled_writer, CONTENT[PIECE_BYTES:][:1000])
    finally:
        os.close(stalled_writer)
        stalled.join(timeout=60)
    assert [refusal.received_bytes for refusal in refusals] == [len(CONTENT)]
    assert read_whole(store, "s/1/raw.mp4") == CONTENT


def test_two_tabs_that_send_the_same_file_at_once_make_one_whole_object(tmp_path: Path) -> None:
    size_bytes = 8_000_000
    store = FileStore(root=tmp_path / "objects", secret=SECRET)
    token = open_upload(store, size_bytes=size_bytes)
    arguments = (tmp_path / "objects", token, size_bytes)
    assert race(send_upload, [arguments] * 3) == [size_bytes] * 3
    assert read_whole(store, "s/1/raw.mp4") == make_content(size_bytes)


def test_sweeping_takes_what_expired_or_stalled_and_leaves_what_moves(tmp_path: Path) -> None:
    clock = Clock()
    store = FileStore(root=tmp_path / "objects", secret=SECRET, read_clock=clock)
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
