"""What Cloud Storage, IAM and the metadata server may do wrong, and what becomes of it. The contract is elsewhere."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from coaching.errors import (
    Conflict,
    Misconfigured,
    MomentCloneError,
    NotFound,
    ProviderRateLimited,
    ProviderUnavailable,
    StoreUnavailable,
    UploadClosed,
    UploadRefused,
)
from coaching.providers.google import connection
from coaching.providers.google.cloud_storage import CloudStore
from coaching.providers.ports import ByteRange
from tests.emulators.fault_table import FaultTable
from tests.emulators.faults import Fault
from tests.emulators.iam import PROJECT
from tests.emulators.storage import StorageEmulator
from tests.emulators.world import GoogleWorld

HOUR = timedelta(hours=1)
FILM = bytes(range(256)) * 400
LARGE = bytes(range(256)) * (36 * 1024)  # 9 MiB: past what is sent in one request
ORIGIN = "https://moment.example"
STORAGE, IAM, METADATA = "Cloud Storage", "IAM signBlob", "metadata server"


@pytest.fixture
def emulator(google_world: GoogleWorld, tmp_path: Path) -> Iterator[StorageEmulator]:
    with StorageEmulator(google_world.identity, folder=tmp_path / "bucket", browser_origins=[ORIGIN]) as emulator:
        yield emulator
    google_world.iam.script.clear()


@pytest.fixture
def make_store(google_world: GoogleWorld, emulator: StorageEmulator) -> Callable[..., CloudStore]:
    def make(**changed: object) -> CloudStore:
        options = {
            "project": PROJECT,
            "bucket": emulator.bucket.name,
            "storage_endpoint": emulator.url,
            "iam_endpoint": google_world.iam.url,
        }
        return CloudStore(**(options | changed))  # type: ignore[arg-type] # options by name

    return make


@pytest.fixture
def store(make_store: Callable[..., CloudStore]) -> CloudStore:
    return make_store(retry_seconds=1.0)


def write(store: CloudStore, content: bytes = FILM, object_path: str = "s/1/film.mp4") -> None:
    store.write_stream(
        object_path=object_path, stream=io.BytesIO(content), content_type="video/mp4", max_bytes=len(content)
    )


def sign(store: CloudStore, lifetime: timedelta = HOUR, **terms: str) -> str:
    return store.sign_url(object_path="s/1/film.mp4", content_type="video/mp4", lifetime=lifetime, **terms)


def read_all(store: CloudStore, size_bytes: int = len(FILM)) -> bytes:
    whole = ByteRange(first_byte=0, last_byte=size_bytes - 1)
    return b"".join(store.read_bytes(object_path="s/1/film.mp4", byte_range=whole))


def describe_error(status: int, reason: str) -> bytes:
    return json.dumps(
        {"error": {"code": status, "message": f"{reason} happened", "errors": [{"reason": reason}]}}
    ).encode()


# --- calls that fail ------------------------------------------------------------------------------------------------

LASTING: dict[str, tuple[Fault, type[MomentCloneError]]] = {
    "401": (Fault(status=401, body=describe_error(401, "authError")), Misconfigured),
    "403": (Fault(status=403, body=describe_error(403, "forbidden")), Misconfigured),
    "429": (Fault(status=429, body=describe_error(429, "rateLimitExceeded")), ProviderRateLimited),
    "429 with Retry-After": (Fault(status=429, headers={"Retry-After": "17"}), ProviderRateLimited),
    "400": (Fault(status=400, body=describe_error(400, "invalid")), MomentCloneError),
    "500": (Fault(status=500), StoreUnavailable),
    "502 with HTML": (Fault(status=502, body=b"<html>Bad Gateway</html>"), StoreUnavailable),
    "503": (Fault(status=503), StoreUnavailable),
    "504": (Fault(status=504), StoreUnavailable),
    "connection dropped": (Fault(drop=True), StoreUnavailable),
    "answer cut off": (Fault(cut_at_bytes=10), StoreUnavailable),
}


@pytest.mark.parametrize("fault", [name for name in LASTING if name != "400"])
def test_a_lasting_fault_is_named_within_seconds_and_says_which_call(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable, fault: str
) -> None:
    write(store)
    planned, expected = LASTING[fault]
    emulator.script.plan(planned, times=100)
    with fault_table.expect(expected, service=STORAGE, fault=fault) as raised:
        store.find("s/1/film.mp4")
    assert "Cloud Storage" in str(raised[0])
    assert "s/1/film.mp4" in str(raised[0])
    assert "Storage" not in raised[0].learner_message
    if fault.endswith("Retry-After"):
        assert isinstance(raised[0], ProviderRateLimited)
        assert raised[0].retry_after_seconds == 17


@pytest.mark.parametrize("fault", ["429", "500", "502 with HTML", "503", "504", "connection dropped"])
def test_a_passing_fault_is_repeated_and_writes_once(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable, fault: str
) -> None:
    emulator.script.plan(LASTING[fault][0], times=1)
    with fault_table.expect_success(service=STORAGE, fault=f"{fault}, once, while writing", how="repeated"):
        write(store)
    assert read_all(store) == FILM
    assert emulator.complaints == []


def test_a_write_whose_answer_was_lost_is_known_for_our_own(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable
) -> None:
    emulator.script.plan(Fault(match="uploadType=multipart", drop_answer=True))
    with fault_table.expect_success(service=STORAGE, fault="412 after a lost answer", how="ours, by its token"):
        write(store)
    assert read_all(store) == FILM
    with pytest.raises(Conflict):
        write(store)


def test_a_chunk_kept_in_part_is_sent_again_from_the_start(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable
) -> None:
    emulator.uploads.keep_next_bytes = 256 * 1024
    with fault_table.expect_success(service=STORAGE, fault="308 that keeps part of a chunk", how="restarted"):
        write(store, LARGE)
    assert read_all(store, len(LARGE)) == LARGE


def test_a_write_that_arrives_altered_is_not_kept(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable, tmp_path: Path
) -> None:
    refusal = Fault(match="POST", status=400, body=describe_error(400, "Provided CRC32C doesn't match"))
    emulator.script.plan(refusal, times=100)
    with pytest.raises(MomentCloneError) as raised:
        write(store)
    fault_table.record(
        service=STORAGE, fault="CRC mismatch at the service", expected="refused", seen=f"refused: {raised.value}"[:110]
    )
    emulator.script.clear()
    assert store.find("s/1/film.mp4") is None


def test_a_download_that_arrives_altered_is_thrown_away(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable, tmp_path: Path
) -> None:
    write(store)
    emulator.script.plan(Fault(match="alt=media", flip_byte=1000), times=100)
    with fault_table.expect(StoreUnavailable, service=STORAGE, fault="corrupt download"):
        store.fetch(object_path="s/1/film.mp4", destination=tmp_path / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["bucket"]


def test_a_bucket_that_does_not_exist_is_no_missing_object(
    make_store: Callable[..., CloudStore], fault_table: FaultTable
) -> None:
    elsewhere = make_store(bucket="another-bucket")
    with fault_table.expect(Misconfigured, service=STORAGE, fault="404 of the bucket") as raised:
        elsewhere.find("s/1/film.mp4")
    assert "GOOGLE_STORAGE_BUCKET=another-bucket" in str(raised[0])


def test_an_endpoint_that_is_not_this_machine_gets_no_credentials(make_store: Callable[..., CloudStore]) -> None:
    with pytest.raises(Misconfigured, match="GOOGLE_ENDPOINTS"):
        make_store(storage_endpoint="http://storage.example:80")


# --- uploads --------------------------------------------------------------------------------------------------------


def open_upload(store: CloudStore) -> str:
    return store.open_upload(
        object_path="s/1/raw.mp4", size_bytes=len(FILM), content_type="video/mp4", origin=ORIGIN, lifetime=HOUR
    ).url


def test_a_session_is_opened_for_one_size_one_origin_and_a_new_object_only(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable
) -> None:
    url = open_upload(store)
    opened = emulator.list_requests("POST /upload/storage/v1/b/test-bucket/o?uploadType=resumable")[-1]
    assert opened.query["ifGenerationMatch"] == "0"
    assert opened.headers["X-Upload-Content-Length"] == str(len(FILM))
    assert opened.headers["Origin"] == ORIGIN
    asked = {"Access-Control-Request-Method": "PUT"}
    assert httpx.options(url, headers={"Origin": ORIGIN} | asked).headers["Access-Control-Allow-Origin"] == ORIGIN
    foreign = httpx.options(url, headers={"Origin": "https://evil.example"} | asked)
    fault_table.record(
        service=STORAGE,
        fault="upload from another origin",
        expected="no CORS headers",
        seen="no CORS headers" if "Access-Control-Allow-Origin" not in foreign.headers else str(foreign.headers),
    )


def test_a_size_other_than_announced_is_refused(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable
) -> None:
    url = open_upload(store)
    answer = httpx.put(url, content=FILM + b"x", headers={"Content-Range": f"bytes 0-{len(FILM)}/{len(FILM) + 1}"})
    fault_table.record(
        service=STORAGE, fault="size mismatch of an upload", expected="400", seen=f"{answer.status_code}"
    )
    assert store.find("s/1/raw.mp4") is None
    assert store.count_uploaded_bytes(url) == 0


def test_a_closed_upload_takes_no_more_bytes_and_closing_twice_is_fine(
    store: CloudStore, fault_table: FaultTable
) -> None:
    url = open_upload(store)
    store.close_upload(url)
    store.close_upload(url)
    assert httpx.put(url, content=FILM).status_code == 410
    with fault_table.expect(UploadClosed, service=STORAGE, fault="410 of an upload"):
        store.count_uploaded_bytes(url)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(match="PUT", status=503), StoreUnavailable),
        (Fault(match="PUT", status=429, headers={"Retry-After": "9"}), ProviderRateLimited),
        (Fault(match="PUT", drop=True), StoreUnavailable),
        (Fault(match="PUT", status=404), UploadClosed),
    ],
)
def test_a_service_that_stumbles_over_a_status_query_is_no_closed_upload(
    store: CloudStore,
    emulator: StorageEmulator,
    fault_table: FaultTable,
    fault: Fault,
    expected: type[MomentCloneError],
) -> None:
    url = open_upload(store)
    emulator.script.plan(fault)
    name = "dropped" if fault.drop else str(fault.status)
    with fault_table.expect(expected, service=STORAGE, fault=f"status query of an upload: {name}"):
        store.count_uploaded_bytes(url)


def test_requests_go_to_sessions_of_our_own_bucket_only(store: CloudStore, emulator: StorageEmulator) -> None:
    seen = len(emulator.log)
    for url in (
        f"{emulator.url}/upload/storage/v1/b/other/o?upload_id=x",
        "http://169.254.169.254/upload/storage/v1/b/test-bucket/o?upload_id=x",
        f"{emulator.url}/upload/storage/v1/b/test-bucket/o",
    ):
        with pytest.raises(UploadClosed):
            store.count_uploaded_bytes(url)
        store.close_upload(url)
    assert len(emulator.log) == seen


def test_an_upload_to_a_path_that_is_taken_is_refused_at_once(store: CloudStore) -> None:
    write(store, object_path="s/1/raw.mp4")
    with pytest.raises(Conflict):
        open_upload(store)
    with pytest.raises(UploadRefused):
        store.open_upload(object_path="s/2", size_bytes=0, content_type="video/mp4", origin=ORIGIN, lifetime=HOUR)


# --- links ----------------------------------------------------------------------------------------------------------


def test_an_altered_or_expired_link_reads_nothing(
    store: CloudStore, emulator: StorageEmulator, fault_table: FaultTable
) -> None:
    write(store)
    url = sign(store)
    assert httpx.get(url).content == FILM
    altered = httpx.get(url.replace("video%2Fmp4", "text%2Fhtml"))
    longer = httpx.get(url.replace("X-Goog-Expires=3600", "X-Goog-Expires=604800"))
    assert longer.status_code == 403
    fault_table.record(service=STORAGE, fault="tampered URL", expected="403", seen=str(altered.status_code))
    emulator.clock_offset_seconds = HOUR.total_seconds() + 1
    expired = httpx.get(url)
    seen = f"{expired.status_code} {'ExpiredToken' if 'ExpiredToken' in expired.text else expired.text}"
    fault_table.record(service=STORAGE, fault="expired URL", expected="400 ExpiredToken", seen=seen)


def test_a_link_says_under_what_name_it_is_saved(store: CloudStore) -> None:
    write(store)
    answer = httpx.get(sign(store, download_name="第1回 炒飯.mp4"))
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert httpx.get(sign(store)).headers["Content-Disposition"] == "inline"


def test_pages_of_other_origins_cannot_read_films(store: CloudStore) -> None:
    write(store)
    url = sign(store)
    assert httpx.get(url, headers={"Origin": ORIGIN}).headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Origin" not in httpx.get(url, headers={"Origin": "https://evil.example"}).headers


def test_one_signature_serves_half_a_life_in_every_process(
    make_store: Callable[..., CloudStore], google_world: GoogleWorld
) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    clock = [now]
    web, other_web = (make_store(redis_url=settings.REDIS_URL, read_clock=lambda: clock[0]) for _ in range(2))
    signed_before = len(google_world.iam.list_requests(":signBlob"))
    path = {"object_path": "s/77/film.mp4", "content_type": "video/mp4", "lifetime": HOUR}
    first = web.sign_url(**path)  # type: ignore[arg-type] # by name
    clock[0] = now + HOUR / 2 - timedelta(seconds=1)
    assert web.sign_url(**path) == first  # type: ignore[arg-type]
    assert other_web.sign_url(**path) == first  # type: ignore[arg-type]
    assert len(google_world.iam.list_requests(":signBlob")) == signed_before + 1
    clock[0] = now + HOUR / 2 + timedelta(seconds=1)
    web.sign_url(**path)  # type: ignore[arg-type]
    assert len(google_world.iam.list_requests(":signBlob")) == signed_before + 2


def test_links_are_signed_without_redis(make_store: Callable[..., CloudStore], google_world: GoogleWorld) -> None:
    cut_off = make_store(redis_url="redis://127.0.0.1:1/0")
    write(cut_off)
    assert httpx.get(sign(cut_off)).content == FILM


def test_a_life_longer_than_iam_vouches_for_is_refused_by_its_setting(store: CloudStore) -> None:
    with pytest.raises(Misconfigured, match="SIGNED_URL_LIFETIME_SECONDS"):
        sign(store, lifetime=timedelta(hours=13))


UNSIGNED: dict[str, tuple[Fault, type[MomentCloneError]]] = {
    "401": (Fault(match="signBlob", status=401), Misconfigured),
    "403": (Fault(match="signBlob", status=403, body=b"Permission 'signBlob' denied"), Misconfigured),
    "404": (Fault(match="signBlob", status=404), Misconfigured),
    "429": (Fault(match="signBlob", status=429, headers={"Retry-After": "11"}), ProviderRateLimited),
    "503": (Fault(match="signBlob", status=503), StoreUnavailable),
    "dropped": (Fault(match="signBlob", drop=True), StoreUnavailable),
}


@pytest.mark.parametrize("fault", UNSIGNED)
def test_iam_that_does_not_sign_is_told_apart(
    store: CloudStore, google_world: GoogleWorld, fault_table: FaultTable, fault: str
) -> None:
    write(store)
    planned, expected = UNSIGNED[fault]
    google_world.iam.script.plan(planned, times=9)
    with fault_table.expect(expected, service=IAM, fault=fault) as raised:
        sign(store)
    if fault == "403":
        assert "roles/iam.serviceAccountTokenCreator" in str(raised[0])
    google_world.iam.script.clear()
    assert httpx.get(sign(store)).content == FILM


# --- credentials ----------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh_credentials() -> Iterator[None]:
    connection.load_credentials.cache_clear()
    yield
    connection.load_credentials.cache_clear()


@pytest.mark.usefixtures("fresh_credentials")
def test_a_metadata_server_that_is_out_passes(
    store: CloudStore, google_world: GoogleWorld, fault_table: FaultTable
) -> None:
    connection.load_credentials()
    google_world.iam.script.plan(Fault(match="/token", status=503), times=100)
    with fault_table.expect(StoreUnavailable, service=METADATA, fault="503 for a token"):
        store.find("s/1/film.mp4")
    google_world.iam.script.clear()
    assert store.find("s/1/film.mp4") is None


@pytest.mark.usefixtures("fresh_credentials")
def test_a_metadata_server_that_stumbles_at_the_first_knock_passes(
    store: CloudStore, google_world: GoogleWorld, fault_table: FaultTable
) -> None:
    google_world.iam.script.plan(Fault(match="GET /$", status=503), times=9)
    with fault_table.expect(ProviderUnavailable, service=METADATA, fault="503 when looked for"):
        store.find("s/1/film.mp4")
    google_world.iam.script.clear()
    assert store.find("s/1/film.mp4") is None


@pytest.mark.usefixtures("fresh_credentials")
def test_a_pod_without_an_account_is_told_how_to_get_one(
    store: CloudStore, google_world: GoogleWorld, fault_table: FaultTable
) -> None:
    connection.load_credentials()
    google_world.iam.script.plan(Fault(match="/service-accounts/", status=404, body=b"not found"), times=100)
    with fault_table.expect(Misconfigured, service=METADATA, fault="404: no service account bound") as raised:
        store.find("s/1/film.mp4")
    assert "Workload Identity" in str(raised[0])


def test_what_is_not_there_is_not_found_by_any_way_of_reading(store: CloudStore, tmp_path: Path) -> None:
    for read in (
        lambda: store.locate("s/1/none"),
        lambda: store.fetch(object_path="s/1/none", destination=tmp_path / "none"),
        lambda: store.read_bytes(object_path="s/1/none", byte_range=ByteRange(first_byte=0, last_byte=9)),
    ):
        with pytest.raises(NotFound):
            read()
