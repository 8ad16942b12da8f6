"""Retrieval of the embedded default: exact, in numpy, over principles and example diagnoses of each."""

import fcntl
import re
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeAlias

import numpy as np

from coaching.errors import Misconfigured
from coaching.providers.deadline import Deadline
from coaching.providers.local.principle_model import PrincipleModel, fit_model
from coaching.providers.local.sentence_vectors import MODEL, SentenceVectors, read_arrays, write_arrays
from coaching.providers.ports import IndexDocument, PrincipleHit, SearchAnswer, SearchRequest, Usage
from coaching.providers.rank_fusion import split_texts

Etag: TypeAlias = tuple[int, int, int]

FORMAT = 2
MAX_QUERY = 400  # characters: more than a diagnosis or a memo's worries; the engine cannot be stopped in a long text
INDEXING_SECONDS = 1800.0


class LocalPrincipleIndex:
    """`cache_folder` keeps vectors, for anyone; `index_folder` what is searchable, for the processes of one product."""

    def __init__(self, *, cache_folder: Path, index_folder: Path) -> None:
        self._vectors = SentenceVectors(Path(cache_folder))
        self._path = Path(index_folder) / "principles.npz"
        self._model: PrincipleModel | None = None
        self._etag: Etag | None = None
        self._lock = threading.Lock()

    def index(self, documents: Sequence[IndexDocument]) -> int:
        """Other processes search the new index from their next search on."""
        deadline = Deadline(INDEXING_SECONDS, doing="indexing")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not documents:
                self._path.unlink(missing_ok=True)
                return 0
            texts, slugs, owners = _split_documents(documents)
            vectors, fresh = self._vectors.embed_all(texts, deadline)
            model = fit_model(texts=texts, vectors=vectors, principle_slugs=slugs)
            write_arrays(self._path, format=np.array(FORMAT), **asdict(model))
        return len({owner for owner, text in zip(owners, texts, strict=True) if text in fresh})

    def search(self, request: SearchRequest) -> SearchAnswer:
        """No words, no hits; words beyond 400 characters do not count."""
        deadline = Deadline(request.deadline_seconds, doing="searching")
        model = self._read_model()
        usage = Usage(provider="local", model=MODEL, characters=len(request.query))
        if not re.search(r"\w", request.query):
            return SearchAnswer(hits=(), usage=usage)
        query = request.query[:MAX_QUERY]
        scores = model.score(text=query, vector=self._vectors.embed(query, deadline))
        best = np.argsort(-scores, kind="stable")[: request.limit]
        hits = tuple(PrincipleHit(principle_slug=str(model.slugs[i]), score=float(scores[i])) for i in best)
        return SearchAnswer(hits=hits, usage=usage)

    def _read_model(self) -> PrincipleModel:
        """What was indexed last, by whichever process."""
        with self._lock:
            etag = self._read_etag()
            if self._model is None or etag != self._etag:
                arrays = read_arrays(self._path)
                if arrays is None:
                    raise _not_indexed(self._path)
                if int(arrays.pop("format", np.array(0))) != FORMAT:
                    raise Misconfigured(f"{self._path} is of another version: run `manage.py load_content`")
                self._model, self._etag = PrincipleModel(**arrays), etag
            return self._model

    def _read_etag(self) -> Etag:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            raise _not_indexed(self._path) from None
        return status.st_ino, status.st_mtime_ns, status.st_size


def _not_indexed(path: Path) -> Misconfigured:
    return Misconfigured(f"nothing is indexed ({path} is missing): run `manage.py load_content`")


def _split_documents(documents: Sequence[IndexDocument]) -> tuple[list[str], list[str], list[str]]:
    """Texts, their principles and their documents' keys."""
    texts: list[str] = []
    slugs: list[str] = []
    owners: list[str] = []
    for document in documents:
        pieces = split_texts(document)
        texts += pieces
        slugs += [document.principle_slug] * len(pieces)
        owners += [document.key] * len(pieces)
    return texts, slugs, owners
