"""What every object store promises, whoever keeps the bytes."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from coaching.errors import Conflict, NotFound, UploadClosed, UploadRefused
from coaching.providers.ports import ByteRange, UploadSession
from tests.coaching.providers.contract.stores import STORES, StoreHarness
from tests.emulators.world import GoogleWorld

HOUR = timedelta(hours=1)
FILM = bytes(range(256)) * 4096  # 1 MiB, no two neighbouring 256-byte blocks cut at the same place look alike
CHUNK = 256 * 1024


@pytest.fixture(params=sorted(STORES))
def harness(request: pytest.FixtureRequest, tmp_path: Path, google_world: GoogleWorld) -> Iterator[StoreHarness]:
    with STORES[request.param](tmp_path, google_world) as harness:
        yield harness


def write(harness: StoreHarness, object_path: str, content: bytes = FILM) -> None:
    harness.store.write_stream(
        object_path=object_path, stream=io.BytesIO(content), content_type="video/mp4", max_bytes=len(content)
    )


def read(harness: StoreHarness, object_path: str, byte_range: ByteRange | None = None) -> bytes:
    url = harness.store.sign_url(object_path=object_path, content_type="video/mp4", lifetime=HOUR)
    return harness.read(url, byte_range=byte_range).body


def open_upload(harness: StoreHarness, object_path: str = "s/1/raw.mp4", size_bytes: int = len(FILM)) -> UploadSession:
    return harness.store.open_upload(
        object_path=object_path,
        size_bytes=size_bytes,
        content_type="video/mp4",
        origin="http://127.0.0.1",
        lifetime=HOUR,
    )


def put(harness: StoreHarness, url: str, first_byte: int, end: int, *, cut_at: int | None = None) -> tuple[int, int]:
    answer = harness.put_chunk(
        url,
        body=FILM[first_byte : end if cut_at is None else cut_at],
        first_byte=first_byte,
        last_byte=end - 1,
        total_bytes=len(FILM),
    )
    return answer.status_code, answer.received_bytes


# --- objects --------------------------------------------------------------------------------------------------------


def test_a_written_file_is_found_with_its_size_and_type_and_reads_the_same(
    harness: StoreHarness, tmp_path: Path
) -> None:
    source = tmp_path / "source.mp4"
    source.write_bytes(FILM)
    stored = harness.store.write_file(object_path="s/1/film.mp4", source=source, content_type="video/mp4")
    assert stored == harness.store.find("s/1/film.mp4")
    assert (stored.object_path, stored.size_bytes, stored.content_type) == ("s/1/film.mp4", len(FILM), "video/mp4")
    assert stored.created_at.tzinfo is not None
    assert read(harness, "s/1/film.mp4") == FILM


def test_an_object_never_changes_once_it_exists(harness: StoreHarness, tmp_path: Path) -> None:
    write(harness, "s/1/film.mp4")
    other = tmp_path / "other.mp4"
    other.write_bytes(b"other")
    with pytest.raises(Conflict):
        write(harness, "s/1/film.mp4", b"other")
    with pytest.raises(Conflict):
        harness.store.write_file(object_path="s/1/film.mp4", source=other, content_type="text/plain")
    stored = harness.store.find("s/1/film.mp4")
    assert stored is not None
    assert stored.content_type == "video/mp4"
    assert read(harness, "s/1/film.mp4") == FILM


def test_what_is_done_to_a_fetched_copy_does_not_reach_the_object(harness: StoreHarness, tmp_path: Path) -> None:
    write(harness, "s/1/film.mp4")
    copy = harness.store.fetch(object_path="s/1/film.mp4", destination=tmp_path / "copy.mp4")
    assert copy.read_bytes() == FILM
    copy.write_bytes(b"scribbled over")
    assert read(harness, "s/1/film.mp4") == FILM


def test_a_stream_past_its_bound_is_refused_and_leaves_nothing(harness: StoreHarness) -> None:
    with pytest.raises(UploadRefused):
        harness.store.write_stream(
            object_path="s/1/memo.m4a", stream=io.BytesIO(FILM), content_type="audio/mp4", max_bytes=len(FILM) - 1
        )
    assert harness.store.find("s/1/memo.m4a") is None
    assert list(harness.store.list_paths("")) == []


def test_what_does_not_exist_is_not_found(harness: StoreHarness, tmp_path: Path) -> None:
    assert harness.store.find("s/1/none.mp4") is None
    with pytest.raises(NotFound):
        harness.store.locate("s/1/none.mp4")
    with pytest.raises(NotFound):
        harness.store.fetch(object_path="s/1/none.mp4", destination=tmp_path / "none.mp4")
    assert not (tmp_path / "none.mp4").exists()


def test_deleting_twice_is_fine_and_takes_only_that_object(harness: StoreHarness) -> None:
    write(harness, "s/1/film.mp4")
    write(harness, "s/1/film.mp4.vtt")
    harness.store.delete("s/1/film.mp4")
    harness.store.delete("s/1/film.mp4")
    assert list(harness.store.list_paths("s/1/")) == ["s/1/film.mp4.vtt"]


def test_a_deleted_path_can_be_written_again(harness: StoreHarness) -> None:
    write(harness, "s/1/film.mp4")
    harness.store.delete("s/1/film.mp4")
    write(harness, "s/1/film.mp4", b"a later film")
    assert read(harness, "s/1/film.mp4") == b"a later film"


def test_paths_are_listed_by_prefix(harness: StoreHarness) -> None:
    for path in ("s/1/raw.mp4", "s/1/film.mp4", "s/10/raw.mp4", "u/raw.mp4"):
        write(harness, path, b"x")
    assert sorted(harness.store.list_paths("s/1/")) == ["s/1/film.mp4", "s/1/raw.mp4"]
    assert sorted(harness.store.list_paths("s/1")) == ["s/1/film.mp4", "s/1/raw.mp4", "s/10/raw.mp4"]
    assert sorted(harness.store.list_paths("")) == ["s/1/film.mp4", "s/1/raw.mp4", "s/10/raw.mp4", "u/raw.mp4"]
    assert list(harness.store.list_paths("none/")) == []


# --- uploads --------------------------------------------------------------------------------------------------------


def test_an_upload_in_chunks_becomes_the_object_with_its_last_byte(harness: StoreHarness) -> None:
    session = open_upload(harness)
    assert harness.store.count_uploaded_bytes(session.url) == 0
    for first_byte in range(0, len(FILM) - CHUNK, CHUNK):
        assert put(harness, session.url, first_byte, first_byte + CHUNK) == (308, first_byte + CHUNK)
        assert harness.store.count_uploaded_bytes(session.url) == first_byte + CHUNK
        assert harness.store.find("s/1/raw.mp4") is None
    assert put(harness, session.url, len(FILM) - CHUNK, len(FILM)) == (200, len(FILM))
    stored = harness.store.find("s/1/raw.mp4")
    assert stored is not None
    assert (stored.size_bytes, stored.content_type) == (len(FILM), "video/mp4")
    assert read(harness, "s/1/raw.mp4") == FILM
    assert harness.store.count_uploaded_bytes(session.url) == len(FILM)


def test_a_chunk_cut_in_its_middle_keeps_what_arrived_and_goes_on_from_there(harness: StoreHarness) -> None:
    session = open_upload(harness)
    status_code, received_bytes = put(harness, session.url, 0, len(FILM), cut_at=2 * CHUNK + 1000)
    assert status_code == 308
    assert 0 < received_bytes <= 2 * CHUNK + 1000
    assert harness.store.count_uploaded_bytes(session.url) == received_bytes
    assert put(harness, session.url, received_bytes, len(FILM)) == (200, len(FILM))
    assert read(harness, "s/1/raw.mp4") == FILM


def test_bytes_sent_twice_are_kept_once(harness: StoreHarness) -> None:
    session = open_upload(harness)
    put(harness, session.url, 0, 2 * CHUNK)
    assert put(harness, session.url, CHUNK, len(FILM)) == (200, len(FILM))
    assert read(harness, "s/1/raw.mp4") == FILM


def test_a_last_chunk_sent_again_after_its_answer_was_lost_is_answered_again(harness: StoreHarness) -> None:
    session = open_upload(harness)
    put(harness, session.url, 0, len(FILM))
    assert put(harness, session.url, len(FILM) - CHUNK, len(FILM)) == (200, len(FILM))


def test_an_upload_of_another_size_than_agreed_is_refused(harness: StoreHarness) -> None:
    session = open_upload(harness, size_bytes=CHUNK)
    beyond = harness.put_chunk(session.url, body=FILM, first_byte=0, last_byte=len(FILM) - 1, total_bytes=len(FILM))
    assert beyond.status_code == 400
    assert harness.store.find("s/1/raw.mp4") is None


def test_an_upload_that_expired_is_closed(harness: StoreHarness) -> None:
    session = open_upload(harness)
    put(harness, session.url, 0, CHUNK)
    harness.expire(session)
    with pytest.raises(UploadClosed):
        harness.store.count_uploaded_bytes(session.url)


def test_an_upload_nobody_opened_is_closed(harness: StoreHarness) -> None:
    session = open_upload(harness)
    with pytest.raises(UploadClosed):
        harness.store.count_uploaded_bytes(session.url + "x")


# --- signed links ---------------------------------------------------------------------------------------------------


def test_a_signed_link_reads_the_object_under_the_type_it_was_signed_with(harness: StoreHarness) -> None:
    write(harness, "s/1/film.mp4")
    url = harness.store.sign_url(object_path="s/1/film.mp4", content_type="video/webm", lifetime=HOUR)
    answer = harness.read(url)
    assert (answer.status_code, answer.content_type, answer.body) == (200, "video/webm", FILM)


@pytest.mark.parametrize(
    ("first_byte", "last_byte"), [(0, 0), (0, 999), (1000, 70_000), (len(FILM) - 5, len(FILM) - 1)]
)
def test_a_signed_link_serves_exactly_the_range_asked_for(
    harness: StoreHarness, first_byte: int, last_byte: int
) -> None:
    write(harness, "s/1/film.mp4")
    byte_range = ByteRange(first_byte=first_byte, last_byte=last_byte)
    assert read(harness, "s/1/film.mp4", byte_range) == FILM[first_byte : last_byte + 1]


def test_a_signed_link_reads_no_other_object(harness: StoreHarness) -> None:
    write(harness, "s/1/film.mp4")
    write(harness, "s/2/film.mp4", b"another learner's")
    url = harness.store.sign_url(object_path="s/1/film.mp4", content_type="video/mp4", lifetime=HOUR)
    assert harness.read(url.replace("s/1/", "s/2/")).status_code == 403


def test_a_signed_link_ends_with_its_life_and_not_before_half_of_it(harness: StoreHarness) -> None:
    write(harness, "s/1/film.mp4")
    url = harness.store.sign_url(object_path="s/1/film.mp4", content_type="video/mp4", lifetime=HOUR)
    harness.let_time_pass(HOUR.total_seconds() / 2 - 1)
    assert harness.read(url).status_code == 200
    harness.let_time_pass(HOUR.total_seconds() / 2 + 1)
    assert harness.read(url).status_code == 403
