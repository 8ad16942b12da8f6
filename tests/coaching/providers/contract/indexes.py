"""Indexes under contract. Each opens a room in which any number of adapters, as of several processes, share one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from coaching.providers.deadline import Deadline
from coaching.providers.google.vector_search import VectorSearchIndex
from coaching.providers.local.principle_index import LocalPrincipleIndex
from coaching.providers.local.sentence_vectors import SentenceVectors
from coaching.providers.ports import PrincipleIndex
from tests.emulators.embeddings import EmbeddingsEmulator
from tests.emulators.iam import PROJECT
from tests.emulators.storage import StorageEmulator
from tests.emulators.vector_search import DEPLOYED_INDEX, INDEX, INDEX_ENDPOINT, VectorSearchEmulator
from tests.emulators.world import GoogleWorld

DIMENSIONS = 768
MakeIndex = Callable[[], PrincipleIndex]


class GoogleIndexRoom:
    """The three services behind an index; what a text means is said by the embedded engine."""

    def __init__(
        self,
        storage: StorageEmulator,
        vectors: VectorSearchEmulator,
        embeddings: EmbeddingsEmulator,
        world: GoogleWorld,
    ) -> None:
        self.storage, self.vectors, self.embeddings = storage, vectors, embeddings
        self._iam_endpoint = world.iam.url
        self.waited_seconds: list[float] = []

    def make(self, **changed: str) -> VectorSearchIndex:
        options: dict[str, Any] = {
            "project": PROJECT,
            "index": INDEX,
            "index_endpoint": INDEX_ENDPOINT,
            "deployed_index": DEPLOYED_INDEX,
            "domain": "unused.example",
            "embedding_model": "gemini-embedding-2",
            "bucket": self.storage.bucket.name,
            "endpoint": self.vectors.url,
            "gemini_endpoint": self.embeddings.url,
            "storage_endpoint": self.storage.url,
            "iam_endpoint": self._iam_endpoint,
        }
        return VectorSearchIndex(**(options | changed), dimensions=DIMENSIONS, wait=self.waited_seconds.append)


_engine = SentenceVectors(Path("unused: nothing is kept"))


@cache
def embed(text: str) -> tuple[float, ...]:
    """Each text once in a run: the engine is slow, and the tests say the same things again and again."""
    return tuple(float(value) for value in _engine.embed(text[:400], Deadline(60, doing="embedding")))


@contextmanager
def open_google_room(folder: Path, world: GoogleWorld) -> Iterator[GoogleIndexRoom]:
    with (
        StorageEmulator(world.identity, folder=folder / "bucket") as storage,
        VectorSearchEmulator(world.identity, dimensions=DIMENSIONS) as vectors,
        EmbeddingsEmulator(world.identity, embedder=embed) as embeddings,
    ):
        room = GoogleIndexRoom(storage, vectors, embeddings, world)
        yield room
        assert storage.complaints + vectors.complaints + embeddings.complaints == []


@contextmanager
def open_local(folder: Path, _world: GoogleWorld) -> Iterator[MakeIndex]:
    yield lambda: LocalPrincipleIndex(cache_folder=folder / "cache", index_folder=folder / "index")


@contextmanager
def open_vector_search(folder: Path, world: GoogleWorld) -> Iterator[MakeIndex]:
    with open_google_room(folder, world) as room:
        yield room.make


INDEXES: dict[str, Callable[[Path, GoogleWorld], AbstractContextManager[MakeIndex]]] = {
    "local": open_local,
    "vector_search": open_vector_search,
}
