"""Retrieval in production: Vertex AI Vector Search over the same texts as the embedded index. `PrincipleIndex`.

The low-level clients of google-cloud-aiplatform, imported on first use: the high-level package costs 14 s and 229 MB.
The index is made for DOT_PRODUCT_DISTANCE and streaming updates; vectors have length 1, so a distance is a cosine.
"""

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coaching.errors import Misconfigured, ProviderRateLimited, ProviderUnavailable
from coaching.providers.deadline import Deadline
from coaching.providers.google.cloud_storage import CloudStore
from coaching.providers.google.connection import check_endpoint, load_credentials, open_channel
from coaching.providers.google.embeddings import EmbeddingModel
from coaching.providers.google.faults import translate_google_errors
from coaching.providers.google.gemini_client import GeminiOptions
from coaching.providers.google.index_manifest import IndexedText, Manifest, ManifestShelf, make_manifest
from coaching.providers.google.patience import call_patiently
from coaching.providers.google.per_process import PerProcess
from coaching.providers.ports import IndexDocument, PrincipleHit, SearchAnswer, SearchRequest, Usage
from coaching.providers.pricing import Price
from coaching.providers.rank_fusion import Neighbour, fuse_ranks, rank_by_neighbours

SERVICE = "Vector Search"
MAX_QUERY = 400  # characters, as in the embedded index
NEIGHBOURS = 60
BATCH = 100
AT_ONCE = 8  # texts that are embedded side by side while indexing
INDEXING_SECONDS = 3600.0
CALL_SECONDS = 60.0
TOKENS_A_CHARACTER = 1.0  # of Japanese; the embedding API does not say how many it counted


class VectorSearchIndex:
    """`index`, `index_endpoint` are full resource names; `domain` is the endpoint's public one."""

    def __init__(
        self,
        *,
        project: str,
        index: str,
        index_endpoint: str,
        deployed_index: str,
        domain: str,
        embedding_model: str,
        dimensions: int,
        bucket: str,
        embedding_location: str = "global",
        embedding_price: Price | None = None,
        endpoint: str = "",
        gemini_endpoint: str = "",
        storage_endpoint: str = "",
        iam_endpoint: str = "",
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._index = index
        self._index_endpoint = index_endpoint
        self._deployed_index = deployed_index
        self._domain = domain
        self._endpoint = check_endpoint(endpoint)
        self._price = embedding_price or Price()
        self._wait = wait
        options = GeminiOptions(
            model=embedding_model, project=project, location=embedding_location, endpoint=gemini_endpoint
        )
        self._embeddings = EmbeddingModel(options, dimensions=dimensions)
        store = CloudStore(project=project, bucket=bucket, storage_endpoint=storage_endpoint, iam_endpoint=iam_endpoint)
        self._shelf = ManifestShelf(store)
        self._match = PerProcess(self._connect_match)
        self._upkeep = PerProcess(self._connect_index)

    # --- indexing ---------------------------------------------------------------------------------------------------

    def index(self, documents: Sequence[IndexDocument]) -> int:
        """Vectors first, then the manifest that makes them count, then what is gone is removed: whoever searches
        meanwhile finds the old or the new. For commands, not for stages: it waits where the model asks for it.
        """
        deadline = Deadline(INDEXING_SECONDS, doing="indexing")
        wanted = make_manifest(documents, model=self._embeddings.model, dimensions=self._embeddings.dimensions)
        before = self._shelf.read()
        is_comparable = before is not None and (before.model, before.dimensions) == (wanted.model, wanted.dimensions)
        known = before.slug_of if before is not None and is_comparable else {}
        fresh = {text.id: text for text in wanted.texts if text.id not in known}
        self._upsert(list(fresh.values()), deadline)
        if wanted.texts:
            if before is None or before != wanted:
                self._shelf.write(wanted)
        else:
            self._shelf.clear()
        self._remove([] if before is None else sorted(before.slug_of.keys() - wanted.slug_of.keys()), deadline)
        return len({text.key for text in wanted.texts if text.id in fresh})

    def _upsert(self, texts: Sequence[IndexedText], deadline: Deadline) -> None:
        from google.cloud.aiplatform_v1.types import IndexDatapoint, UpsertDatapointsRequest

        def make_point(text: IndexedText) -> Any:
            return IndexDatapoint(
                datapoint_id=text.id,
                feature_vector=self._embed_unhurried(text.text, deadline).tolist(),
                restricts=[IndexDatapoint.Restriction(namespace="principle", allow_list=[text.principle_slug])],
            )

        for batch in _in_batches(texts):
            with ThreadPoolExecutor(AT_ONCE) as pool:
                points = list(pool.map(make_point, batch))
            asked = UpsertDatapointsRequest(index=self._index, datapoints=points)
            self._change("upsert", lambda client, **how: client.upsert_datapoints(request=asked, **how), deadline)  # noqa: B023 - called at once

    def _remove(self, ids: Sequence[str], deadline: Deadline) -> None:
        from google.cloud.aiplatform_v1.types import RemoveDatapointsRequest

        for batch in _in_batches(ids):
            asked = RemoveDatapointsRequest(index=self._index, datapoint_ids=list(batch))
            self._change("remove", lambda client, **how: client.remove_datapoints(request=asked, **how), deadline)  # noqa: B023 - called at once

    def _change(self, call: str, send: Callable[..., Any], deadline: Deadline) -> None:
        """Both changes may be repeated: they say what is to be, not what to do."""

        def ask() -> None:
            deadline.check()
            with translate_google_errors(SERVICE, f"{call} ({self._index})", fix=self._advise()):
                send(self._upkeep.get(), timeout=min(CALL_SECONDS, deadline.remaining_seconds), retry=None)

        call_patiently(ask, deadline=deadline)

    def _embed_unhurried(self, text: str, deadline: Deadline) -> Any:
        while True:
            deadline.check()
            try:
                return self._embeddings.embed(text, deadline=deadline)
            except ProviderRateLimited as error:
                self._wait(min(deadline.remaining_seconds, error.retry_after_seconds or 5.0))

    # --- searching --------------------------------------------------------------------------------------------------

    def search(self, request: SearchRequest) -> SearchAnswer:
        """No words, no hits; words beyond 400 characters do not count.

        Raises `ProviderUnavailable` where the deployed index knows none of our texts: a new one takes minutes.
        """
        deadline = Deadline(request.deadline_seconds, doing="searching")
        manifest = self._shelf.read()
        if manifest is None:
            raise Misconfigured("nothing is indexed: run `manage.py load_content`")
        query = request.query[:MAX_QUERY]
        if not re.search(r"\w", query):
            return SearchAnswer(hits=(), usage=Usage(provider="google", model=self._embeddings.model))
        neighbours = self._find_neighbours(query, manifest, deadline)
        ranked = fuse_ranks(rank_by_neighbours(neighbours), manifest.words.rank(query))[: request.limit]
        return SearchAnswer(
            hits=tuple(PrincipleHit(principle_slug=slug, score=score) for slug, score in ranked),
            usage=self._count(query),
        )

    def _find_neighbours(self, query: str, manifest: Manifest, deadline: Deadline) -> list[Neighbour]:
        from google.cloud.aiplatform_v1.types import FindNeighborsRequest, IndexDatapoint

        vector = self._embeddings.embed(query, deadline=deadline)
        asked = FindNeighborsRequest(
            index_endpoint=self._index_endpoint,
            deployed_index_id=self._deployed_index,
            queries=[
                FindNeighborsRequest.Query(
                    datapoint=IndexDatapoint(datapoint_id="query", feature_vector=vector.tolist()),
                    neighbor_count=NEIGHBOURS,
                )
            ],
        )

        def ask() -> Any:
            deadline.check()
            with translate_google_errors(SERVICE, f"find_neighbors ({self._deployed_index})", fix=self._advise()):
                return self._match.get().find_neighbors(
                    request=asked, timeout=min(CALL_SECONDS, deadline.remaining_seconds), retry=None
                )

        answer = call_patiently(ask, deadline=deadline)
        found = [
            Neighbour(manifest.slug_of[near.datapoint.datapoint_id], float(near.distance))
            for nearest in answer.nearest_neighbors
            for near in nearest.neighbors
            if near.datapoint.datapoint_id in manifest.slug_of
        ]
        if not found:
            raise ProviderUnavailable(
                f"{SERVICE}, find_neighbors ({self._deployed_index}): none of our {len(manifest.slug_of)} texts came "
                "back; an index that was just filled or deployed needs some minutes"
            )
        return found

    def _count(self, query: str) -> Usage:
        tokens = round(len(query) * TOKENS_A_CHARACTER)
        return Usage(
            provider="google",
            model=self._embeddings.model,
            input_tokens=tokens,
            characters=len(query),
            cost_usd=self._price.of_tokens(input_tokens=tokens, audio_input_tokens=0, output_tokens=0),
        )

    # --- the clients ------------------------------------------------------------------------------------------------

    def _connect_match(self) -> Any:
        from google.cloud.aiplatform_v1.services.match_service import MatchServiceClient
        from google.cloud.aiplatform_v1.services.match_service.transports import MatchServiceGrpcTransport

        if self._endpoint:
            return MatchServiceClient(transport=MatchServiceGrpcTransport(channel=open_channel(self._endpoint)))
        return MatchServiceClient(credentials=load_credentials(), client_options={"api_endpoint": self._domain})

    def _connect_index(self) -> Any:
        from google.cloud.aiplatform_v1.services.index_service import IndexServiceClient
        from google.cloud.aiplatform_v1.services.index_service.transports import IndexServiceGrpcTransport

        if self._endpoint:
            return IndexServiceClient(transport=IndexServiceGrpcTransport(channel=open_channel(self._endpoint)))
        region = self._index.split("/")[3]
        host = f"{region}-aiplatform.googleapis.com"
        return IndexServiceClient(credentials=load_credentials(), client_options={"api_endpoint": host})

    def _advise(self) -> str:
        return (
            f"GOOGLE_VECTOR_INDEX is {self._index}, GOOGLE_VECTOR_ENDPOINT {self._index_endpoint}, "
            f"GOOGLE_VECTOR_DEPLOYED_INDEX {self._deployed_index}, GOOGLE_VECTOR_DOMAIN {self._domain}: they have to "
            "belong together, and the service account needs roles/aiplatform.user"
        )


def _in_batches(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
