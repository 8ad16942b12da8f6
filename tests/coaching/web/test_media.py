import datetime
import os
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from coaching.providers.local.file_store import FileStore
from coaching.providers.ports import SelfServedStore
from tests.coaching.api.conftest import read_problem

CONTENT = os.urandom(200_000)
LIFETIME = datetime.timedelta(hours=6)


@pytest.fixture
def film(object_store: SelfServedStore) -> str:
    object_store.write_stream(
        object_path="sessions/1/film.mp4", stream=BytesIO(CONTENT), content_type="video/mp4", max_bytes=10**9
    )
    return sign(object_store)


def sign(store: SelfServedStore, content_type: str = "video/mp4", **fields: Any) -> str:
    return store.sign_url(object_path="sessions/1/film.mp4", content_type=content_type, lifetime=LIFETIME, **fields)


def get(url: str, **headers: str) -> Any:
    return Client().get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_signed_link_reads_the_whole_without_a_login(film: str) -> None:
    response = get(film)
    assert body_of(response) == CONTENT
    assert response.status_code == 200
    headers = dict(response.headers)
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Content-Length"] == str(len(CONTENT))
    assert headers["Content-Disposition"] == "inline"
    assert headers["Accept-Ranges"] == "bytes"


def test_what_is_served_is_taken_for_nothing_else(film: str) -> None:
    headers = get(film).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/javascript", "text/xml", ""])
def test_a_type_that_a_browser_would_run_becomes_a_download(
    film: str, object_store: SelfServedStore, content_type: str
) -> None:
    response = get(sign(object_store, content_type))
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == "attachment"


def test_captions_are_utf8(film: str, object_store: SelfServedStore) -> None:
    assert get(sign(object_store, "text/vtt")).headers["Content-Type"] == "text/vtt; charset=utf-8"


def test_a_download_has_its_name_in_any_script(film: str, object_store: SelfServedStore) -> None:
    response = get(sign(object_store, download_name='チャーハン"1.mp4'))
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''%E3%83%81")
    assert '"' not in disposition


@pytest.mark.parametrize(
    ("asked", "first_byte", "last_byte"),
    [("bytes=0-99", 0, 99), ("bytes=199990-", 199_990, 199_999), ("bytes=-5", 199_995, 199_999)],
)
def test_a_range_is_served_as_such(film: str, asked: str, first_byte: int, last_byte: int) -> None:
    response = get(film, Range=asked)
    assert response.status_code == 206
    assert body_of(response) == CONTENT[first_byte : last_byte + 1]
    assert response.headers["Content-Range"] == f"bytes {first_byte}-{last_byte}/200000"
    assert response.headers["Content-Length"] == str(last_byte - first_byte + 1)


def test_a_range_beyond_the_end_cannot_be_served(film: str) -> None:
    response = get(film, Range="bytes=200000-")
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */200000"


def test_several_ranges_get_the_whole(film: str) -> None:
    assert get(film, Range="bytes=0-1,5-6").status_code == 200


def test_a_range_holds_only_while_the_object_is_the_same(film: str) -> None:
    etag = get(film).headers["ETag"]
    assert get(film, Range="bytes=0-9", If_Range=etag).status_code == 206
    assert get(film, Range="bytes=0-9", If_Range='"another"').status_code == 200


def test_a_browser_that_has_it_gets_no_bytes(film: str) -> None:
    response = get(film, If_None_Match=get(film).headers["ETag"])
    assert (response.status_code, response.content) == (304, b"")
    assert get(film, If_None_Match='"another"').status_code == 200


def test_a_path_written_anew_has_another_etag(film: str, object_store: SelfServedStore) -> None:
    before = get(film).headers["ETag"]
    object_store.delete("sessions/1/film.mp4")
    object_store.write_stream(
        object_path="sessions/1/film.mp4", stream=BytesIO(CONTENT[::-1]), content_type="video/mp4", max_bytes=10**9
    )
    assert get(film).headers["ETag"] != before


def test_a_browser_keeps_the_bytes_no_longer_than_the_link_lives(film: str) -> None:
    control = get(film).headers["Cache-Control"]
    assert control.startswith("private, max-age=")
    assert 3 * 3600 <= int(control.split("=")[1].split(",")[0]) <= 6 * 3600


def test_head_has_the_same_head_and_no_body(film: str) -> None:
    whole, head = get(film), Client().head(film)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Content-Disposition"):
        assert head.headers[name] == whole.headers[name]
    part = Client().head(film, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.headers["Content-Length"]) == (206, "10")


@pytest.mark.parametrize("change", ["path", "type", "expires", "signature", "name", "nothing"])
def test_a_link_that_was_altered_reads_nothing(film: str, change: str) -> None:
    parts = urlsplit(film)
    altered = {
        "path": film.replace("film.mp4", "other.mp4"),
        "type": film.replace("video%2Fmp4", "text%2Fhtml"),
        "expires": film.replace("expires=", "expires=9"),
        "signature": film[:-1] + ("A" if film[-1] != "A" else "B"),
        "name": film + "&name=evil.html",
        "nothing": parts.path,
    }
    read_problem(get(altered[change]), 403, "link_refused")


def test_an_expired_link_reads_nothing(film: str, settings: Any, tmp_path: Path) -> None:
    options = settings.PROVIDERS["object_store"]["options"]
    past = FileStore(root=options["root"], secret=options["secret"], base_path="/media/", read_clock=lambda: 1e9)
    url = past.sign_url(object_path="sessions/1/film.mp4", content_type="video/mp4", lifetime=LIFETIME)
    read_problem(get(url), 403, "link_refused")


def test_a_link_to_what_is_gone_says_so(film: str, object_store: SelfServedStore) -> None:
    object_store.delete("sessions/1/film.mp4")
    read_problem(get(film), 404, "not_found")


@pytest.mark.usefixtures("object_store")
@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/secret_key", ".uploads/x.json", "a//b", "a/../b", "%00"])
def test_no_path_leads_out_of_the_store(path: str) -> None:
    response = get(f"/media/{path}?expires=99999999999&type=text/plain&signature=x")
    assert response.status_code in {301, 403, 404}


def test_nothing_is_written_by_way_of_media(film: str) -> None:
    for method in ("put", "post", "delete", "patch"):
        assert getattr(Client(), method)(film).status_code == 405
