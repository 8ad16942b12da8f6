"""What only a real server shows: bodies without a length, connections that break, and how much memory it all takes."""

import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from pytest_django import Settings

from coaching.models import Session, User
from coaching.providers.local.file_store import FileStore
from coaching.providers.ports import ByteRange
from tests.coaching.web.server import WebServer, log_in_by_cookie, run_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loaded_content")]

MIB = 1024**2
HEAD = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
ALLOWED_BYTES = 64 * MIB


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's; its objects are under `var/objects`."""
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def server(folder: Path, django_db_setup: None) -> Iterator[WebServer]:
    with run_server(folder) as server:
        yield server


def begin(server: WebServer, user: User, size_bytes: int) -> tuple[int, str]:
    """A session begun through the API, and its upload's path."""
    body = f'{{"dish": "fried-rice", "video": {{"size_bytes": {size_bytes}, "content_type": "video/mp4"}}}}'
    headers = log_in_by_cookie(user) | {"Content-Type": "application/json"}
    answer = server.connect()
    answer.request("POST", "/api/sessions/", body, headers)
    response = answer.getresponse()
    assert response.status == 201
    pk = Session.objects.latest("id").pk
    return pk, Session.objects.get(pk=pk).uploads.get(closed_at__isnull=True).url


def make_video(size_bytes: int) -> Iterator[bytes]:
    """A video to the first look, of any size, in pieces."""
    yield HEAD
    left_bytes = size_bytes - len(HEAD)
    block = bytes(MIB)
    while left_bytes > 0:
        yield block[: min(MIB, left_bytes)]
        left_bytes -= MIB


def ask_status(server: WebServer, path: str, size_bytes: int) -> HTTPResponse:
    asking = server.connect()
    asking.request("PUT", path, headers={"Content-Range": f"bytes */{size_bytes}", "Content-Length": "0"})
    return asking.getresponse()


def test_a_body_without_a_length_is_taken_to_its_end(server: WebServer, alice: User, folder: Path) -> None:
    size_bytes = 300_000
    pk, path = begin(server, alice, size_bytes)
    sending = server.connect()
    sending.request("PUT", path, make_video(size_bytes), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert sending.getresponse().status == 200
    store = FileStore(root=folder / "var" / "objects", secret="any")
    stored = store.find(Session.objects.get(pk=pk).uploads.get().object_path)
    assert stored is not None
    assert stored.size_bytes == size_bytes


def test_a_broken_connection_is_carried_on_where_it_broke(server: WebServer, alice: User, folder: Path) -> None:
    size_bytes = 2 * MIB
    _, path = begin(server, alice, size_bytes)
    content = b"".join(make_video(size_bytes))
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size_bytes}\r\n"
        line.sendall(f"{head}Content-Range: bytes 0-{size_bytes - 1}/{size_bytes}\r\n\r\n".encode())
        line.sendall(content[:MIB])
    carry_on(server, path, content)
    store = FileStore(root=folder / "var" / "objects", secret="any")
    kept = store.read_bytes(
        object_path=Session.objects.get().uploads.get().object_path,
        byte_range=ByteRange(first_byte=0, last_byte=size_bytes),
    )
    assert b"".join(kept) == content


def carry_on(server: WebServer, path: str, content: bytes) -> None:
    """As an uploader does: ask where to go on, send the rest; 416 says that the broken request brought more by now."""
    deadline = time.monotonic() + 60
    response = ask_status(server, path, len(content))
    while time.monotonic() < deadline and response.status != 200:
        assert response.status in {308, 416}
        stated = response.headers["Range"]
        first_byte = int(stated.removeprefix("bytes=0-")) + 1 if stated else 0
        headers = {"Content-Range": f"bytes {first_byte}-{len(content) - 1}/{len(content)}"}
        sending = server.connect()
        sending.request("PUT", path, content[first_byte:], headers)
        response = sending.getresponse()
    assert response.status == 200


@pytest.mark.long
def test_a_large_resumable_upload_takes_little_memory(server: WebServer, alice: User) -> None:
    size_bytes, chunk_bytes = 256 * MIB, 8 * MIB
    _, path = begin(server, alice, size_bytes)
    before = server.read_memory_bytes()
    sending = server.connect()
    for first_byte in range(0, size_bytes, chunk_bytes):
        body = make_video(chunk_bytes) if first_byte == 0 else (bytes(MIB) for _ in range(8))
        headers = {
            "Content-Range": f"bytes {first_byte}-{first_byte + chunk_bytes - 1}/{size_bytes}",
            "Content-Length": str(chunk_bytes),
        }
        sending.request("PUT", path, body, headers)
        response = sending.getresponse()
        response.read()
        assert response.status in {200, 308}
    assert ask_status(server, path, size_bytes).status == 200
    assert server.read_peak_bytes() - before <= ALLOWED_BYTES


@pytest.mark.long
def test_a_large_upload_in_one_request_takes_little_memory(server: WebServer, alice: User, folder: Path) -> None:
    size_bytes = 256 * MIB
    pk, _ = begin(server, alice, size_bytes)
    before = server.read_memory_bytes()
    response = post_form(server.connect(), alice, pk, size_bytes)
    assert response.status == 202, response.read()
    assert server.read_peak_bytes() - before <= ALLOWED_BYTES
    assert list((folder / "var" / "work" / "uploads").iterdir()) == []


def post_form(sending: HTTPConnection, user: User, pk: int, size_bytes: int) -> HTTPResponse:
    boundary = "a-boundary-that-no-video-holds"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="video"; filename="cook.mp4"\r\n'
        "Content-Type: video/mp4\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        yield from make_video(size_bytes)
        yield tail

    headers = log_in_by_cookie(user) | {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + size_bytes + len(tail)),
    }
    sending.request("POST", f"/api/sessions/{pk}/upload/", body(), headers)
    return sending.getresponse()


@pytest.mark.long
def test_a_large_film_is_served_with_little_memory(server: WebServer, folder: Path, settings: Settings) -> None:
    size_bytes = 256 * MIB
    store = FileStore(root=folder / "var" / "objects", secret=settings.SECRET_KEY)
    film = folder / "film.mp4"
    with film.open("wb") as file:
        file.writelines(make_video(size_bytes))
    store.write_file(object_path="sessions/1/film.mp4", source=film, content_type="video/mp4")
    url = store.sign_url(
        object_path="sessions/1/film.mp4", content_type="video/mp4", lifetime=settings.SIGNED_URL_LIFETIME
    )
    before = server.read_memory_bytes()
    watching = server.connect()
    watching.request("GET", url)
    response = watching.getresponse()
    assert response.status == 200
    received_bytes = 0
    while piece := response.read(MIB):
        received_bytes += len(piece)
    assert received_bytes == size_bytes
    assert server.read_peak_bytes() - before <= ALLOWED_BYTES
