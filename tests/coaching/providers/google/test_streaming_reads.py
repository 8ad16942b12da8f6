"""FFmpeg reads what it needs of a stored video by ranges of a signed https link, and nothing without a valid one."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import ffmpeg
import pytest

from coaching.providers.google.cloud_storage import CloudStore
from media_tools.errors import MediaToolFailed
from media_tools.ffmpeg import compile_arguments, open_input, run
from tests.emulators.iam import PROJECT
from tests.emulators.storage import StorageEmulator
from tests.emulators.world import GoogleWorld

SECONDS = 60


@pytest.fixture
def emulator(google_world: GoogleWorld, tmp_path: Path) -> Iterator[StorageEmulator]:
    """Over TLS, by an authority that FFmpeg and the client are told of as an operator would tell them."""
    context = google_world.certificates.make_server_context()
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(google_world.certificates.bundle)))
    with StorageEmulator(google_world.identity, folder=tmp_path / "bucket", tls=context) as emulator:
        yield emulator
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise, which does not compress: a clip of it is a small part of the bytes."""
    video = tmp_path_factory.mktemp("video") / "video.mp4"
    noise = ffmpeg.input("testsrc2=s=320x240:r=15,noise=alls=80:allf=t", f="lavfi")
    film = noise.output(str(video), t=SECONDS, vcodec="libx264", preset="ultrafast", g=30, movflags="faststart")
    run(compile_arguments(film))
    return video


@pytest.fixture
def store(google_world: GoogleWorld, emulator: StorageEmulator, video: Path) -> CloudStore:
    store = CloudStore(
        project=PROJECT,
        bucket=emulator.bucket.name,
        storage_endpoint=emulator.url,
        iam_endpoint=google_world.iam.url,
    )
    store.write_file(object_path="s/1/raw.mp4", source=video, content_type="video/mp4")
    return store


def cut(source: Path | str, target: Path) -> None:
    clip = open_input(source, seek_seconds=40, length_seconds=1).video
    run(compile_arguments(clip.output(str(target), vcodec="libx264", preset="ultrafast")))


def test_a_clip_costs_a_small_part_of_the_video(store: CloudStore, emulator: StorageEmulator, tmp_path: Path) -> None:
    located = store.locate("s/1/raw.mp4")
    assert located.cloud_uri == "gs://test-bucket/s/1/raw.mp4"
    stored = emulator.bucket.get("s/1/raw.mp4")
    cut(located.source, tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").stat().st_size > 1000
    asked = [request.headers.get("Range") or "" for request in emulator.list_requests("X-Goog-Signature")]
    begins = [int(found[1]) for text in asked if (found := re.fullmatch(r"bytes=(\d+)-", text))]
    assert len(begins) == len(asked) >= 2
    # The index at the front, then a jump of most of the way: what lies between is not asked for.
    assert max(begins) > stored.size_bytes * 0.5


def test_a_link_that_was_altered_gives_ffmpeg_nothing(store: CloudStore, tmp_path: Path) -> None:
    source = str(store.locate("s/1/raw.mp4").source).replace("X-Goog-Expires=21600", "X-Goog-Expires=21601")
    with pytest.raises(MediaToolFailed):
        cut(source, tmp_path / "clip.mp4")


def test_a_server_that_nobody_vouches_for_gives_ffmpeg_nothing(store: CloudStore, tmp_path: Path) -> None:
    source = store.locate("s/1/raw.mp4").source
    del os.environ["SSL_CERT_FILE"]
    try:
        with pytest.raises(MediaToolFailed):
            cut(source, tmp_path / "clip.mp4")
    finally:
        os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"]
