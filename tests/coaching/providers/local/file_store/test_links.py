import itertools
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from coaching.errors import (
    LinkRefused,
    MomentCloneError,
    NotFound,
)
from coaching.providers.local.file_store import FileStore
from tests.coaching.providers.local.file_store.steps import CONTENT, ESCAPES, HOUR, Clock, write


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
