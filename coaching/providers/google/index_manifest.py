"""What is searchable, kept beside the vectors: Vector Search knows ids and numbers, not texts, and lists neither.

One JSON object in the bucket, written anew at each change under a name that sorts after its predecessors. It names the
texts of every id: so the next indexing knows what changed, and a search counts no vector that was meant to be gone.
"""

import hashlib
import io
import json
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from coaching.errors import Misconfigured, NotFound
from coaching.providers.ports import ByteRange, IndexDocument, ObjectStore
from coaching.providers.rank_fusion import WordRanking, split_texts

FORMAT = 1
FOLDER = "search/"
MAX_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedText:
    """`key` is the document's; two documents of a principle with the same text share an id."""

    key: str
    principle_slug: str
    text: str

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.principle_slug}\0{self.text}".encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """`model` and `dimensions` are what the vectors were made with."""

    model: str
    dimensions: int
    texts: tuple[IndexedText, ...] = field(repr=False)

    @cached_property
    def slug_of(self) -> dict[str, str]:
        return {text.id: text.principle_slug for text in self.texts}

    @cached_property
    def words(self) -> WordRanking:
        texts: dict[str, list[str]] = defaultdict(list)
        for text in self.texts:
            texts[text.principle_slug].append(text.text)
        return WordRanking(texts)


def make_manifest(documents: Sequence[IndexDocument], *, model: str, dimensions: int) -> Manifest:
    texts = tuple(
        IndexedText(key=document.key, principle_slug=document.principle_slug, text=text)
        for document in documents
        for text in split_texts(document)
    )
    return Manifest(model=model, dimensions=dimensions, texts=texts)


class ManifestShelf:
    """Reads the newest manifest, and keeps it until there is a newer one. Safe between threads and processes."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: tuple[str, Manifest] | None = None

    def read(self) -> Manifest | None:
        """None where nothing is indexed. Raises `Misconfigured` for a manifest of another version."""
        with self._lock:
            for _ in range(3):
                paths = sorted(self._store.list_paths(FOLDER))
                if not paths:
                    return None
                if self._kept is None or self._kept[0] != paths[-1]:
                    try:
                        self._kept = (paths[-1], self._load(paths[-1]))
                    except NotFound:  # replaced while we looked
                        continue
                return self._kept[1]
        return None

    def _load(self, path: str) -> Manifest:
        content = b"".join(
            self._store.read_bytes(object_path=path, byte_range=ByteRange(first_byte=0, last_byte=MAX_BYTES))
        )
        kept = json.loads(content)
        if kept["format"] != FORMAT:
            raise Misconfigured(f"{path} is of another version: run `manage.py load_content`")
        return Manifest(
            model=kept["model"],
            dimensions=kept["dimensions"],
            texts=tuple(IndexedText(key=k, principle_slug=s, text=t) for k, s, t in kept["texts"]),
        )

    def write(self, manifest: Manifest) -> None:
        """Readers see the new one from their next search on; older ones are removed."""
        older = sorted(self._store.list_paths(FOLDER))
        content = {
            "format": FORMAT,
            "model": manifest.model,
            "dimensions": manifest.dimensions,
            "texts": [[text.key, text.principle_slug, text.text] for text in manifest.texts],
        }
        encoded = json.dumps(content, ensure_ascii=False).encode()
        self._store.write_stream(
            object_path=f"{FOLDER}{time.time_ns():020d}-{secrets.token_hex(4)}.json",
            stream=io.BytesIO(encoded),
            content_type="application/json",
            max_bytes=MAX_BYTES,
        )
        self._remove(older)

    def clear(self) -> None:
        self._remove(sorted(self._store.list_paths(FOLDER)))

    def _remove(self, paths: Sequence[str]) -> None:
        for path in paths:
            self._store.delete(path)
