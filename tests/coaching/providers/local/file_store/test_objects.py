import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coaching.errors import (
    Conflict,
    NotFound,
    StoreUnavailable,
)
from coaching.providers.local.file_store import FileStore
from coaching.providers.local.file_store.object_paths import check_object_path
from tests.coaching.providers.local.file_store.steps import (
    CONTENT,
    ESCAPES,
    HOUR,
    BreakingStream,
    append,
    open_upload,
    read_whole,
    write,
)
from tests.coaching.providers.local.racers import SECRET, race, write_object


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
        FileStore(root=tmp_path / "file" / "objects", secret=SECRET)


def test_of_processes_that_write_the_same_path_exactly_one_wins(store: FileStore, tmp_path: Path) -> None:
    answers = sorted(race(write_object, [(tmp_path / "objects", name) for name in "abcd"]))
    assert answers[:3] == ["", "", ""]
    assert read_whole(store, "s/1/film.mp4") == answers[3].encode() * 100_000
