"""What Vector Search and the embedding model may do wrong, and what becomes of it. The contract is elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from coaching.errors import (
    MalformedAnswer,
    Misconfigured,
    MomentCloneError,
    ProviderRateLimited,
    ProviderRefused,
    ProviderUnavailable,
)
from coaching.providers.google.vector_search import VectorSearchIndex
from coaching.providers.ports import IndexDocument, SearchRequest
from tests.coaching.providers.contract.indexes import GoogleIndexRoom, open_google_room
from tests.emulators.fault_table import FaultTable
from tests.emulators.faults import Fault
from tests.emulators.grpc_server import compose_retry_info
from tests.emulators.world import GoogleWorld

VECTORS, EMBEDDINGS = "Vector Search", "embeddings"
QUERY = SearchRequest(query="卵が固まってからご飯を入れた。", deadline_seconds=20)
DOCUMENTS = [
    IndexDocument(key="diagnosis:egg:01", principle_slug="egg", kind="diagnosis", text="卵が固まりきった。"),
    IndexDocument(key="diagnosis:heat:01", principle_slug="heat", kind="diagnosis", text="鍋が冷たいまま肉を入れた。"),
]


@pytest.fixture
def room(tmp_path: Path, google_world: GoogleWorld) -> Iterator[GoogleIndexRoom]:
    with open_google_room(tmp_path, google_world) as room:
        yield room


@pytest.fixture
def index(room: GoogleIndexRoom) -> VectorSearchIndex:
    index = room.make()
    index.index(DOCUMENTS)
    return index


FIND = "FindNeighbors"
SEARCH_FAULTS: dict[str, tuple[Fault, type[MomentCloneError]]] = {
    "UNAUTHENTICATED": (Fault(code=grpc.StatusCode.UNAUTHENTICATED, match=FIND), Misconfigured),
    "PERMISSION_DENIED": (Fault(code=grpc.StatusCode.PERMISSION_DENIED, match=FIND), Misconfigured),
    "NOT_FOUND": (Fault(code=grpc.StatusCode.NOT_FOUND, match=FIND), Misconfigured),
    "INVALID_ARGUMENT": (Fault(code=grpc.StatusCode.INVALID_ARGUMENT, match=FIND), ProviderRefused),
    "FAILED_PRECONDITION": (Fault(code=grpc.StatusCode.FAILED_PRECONDITION, match=FIND), ProviderRefused),
    "RESOURCE_EXHAUSTED": (Fault(code=grpc.StatusCode.RESOURCE_EXHAUSTED, match=FIND), ProviderRateLimited),
    "RESOURCE_EXHAUSTED with RetryInfo": (
        Fault(code=grpc.StatusCode.RESOURCE_EXHAUSTED, details=[compose_retry_info(13)], match=FIND),
        ProviderRateLimited,
    ),
    "ABORTED": (Fault(code=grpc.StatusCode.ABORTED, match=FIND), ProviderUnavailable),
    "CANCELLED": (Fault(code=grpc.StatusCode.CANCELLED, match=FIND), ProviderUnavailable),
    "INTERNAL": (Fault(code=grpc.StatusCode.INTERNAL, match=FIND), ProviderUnavailable),
    "UNKNOWN": (Fault(code=grpc.StatusCode.UNKNOWN, match=FIND), ProviderUnavailable),
    "DATA_LOSS": (Fault(code=grpc.StatusCode.DATA_LOSS, match=FIND), ProviderUnavailable),
    "UNAVAILABLE": (Fault(code=grpc.StatusCode.UNAVAILABLE, match=FIND), ProviderUnavailable),
    "DEADLINE_EXCEEDED": (Fault(code=grpc.StatusCode.DEADLINE_EXCEEDED, match=FIND), ProviderUnavailable),
    "garbage for an answer": (Fault(reply=b"\xff\xff\xff garbage", match=FIND), ProviderUnavailable),
    "empty answer": (Fault(reply=b"", match=FIND), ProviderUnavailable),
}


@pytest.mark.parametrize("fault", SEARCH_FAULTS)
def test_a_search_that_fails_says_how(
    room: GoogleIndexRoom, index: VectorSearchIndex, fault_table: FaultTable, fault: str
) -> None:
    planned, expected = SEARCH_FAULTS[fault]
    room.vectors.script.plan(planned, times=9)
    with fault_table.expect(expected, service=VECTORS, fault=fault) as raised:
        index.search(QUERY)
    assert "find_neighbors (principles_1)" in str(raised[0])
    if fault.endswith("RetryInfo"):
        assert isinstance(raised[0], ProviderRateLimited)
        assert raised[0].retry_after_seconds == 13


def test_one_stumble_is_got_over(room: GoogleIndexRoom, index: VectorSearchIndex, fault_table: FaultTable) -> None:
    room.vectors.script.plan(Fault(code=grpc.StatusCode.UNAVAILABLE, match=FIND))
    with fault_table.expect_success(service=VECTORS, fault="UNAVAILABLE, once", how="repeated"):
        assert index.search(QUERY).hits[0].principle_slug == "egg"


def test_a_search_that_hangs_ends_by_its_deadline(
    room: GoogleIndexRoom, index: VectorSearchIndex, fault_table: FaultTable
) -> None:
    room.vectors.script.plan(Fault(delay_seconds=30, match=FIND), times=9)
    with fault_table.expect(ProviderUnavailable, service=VECTORS, fault="no answer until the deadline"):
        index.search(SearchRequest(query=QUERY.query, deadline_seconds=3))


def test_an_index_that_is_still_being_deployed_is_no_empty_answer(
    room: GoogleIndexRoom, index: VectorSearchIndex, fault_table: FaultTable
) -> None:
    room.vectors.is_deployed = False
    with fault_table.expect(ProviderUnavailable, service=VECTORS, fault="empty neighbours") as raised:
        index.search(QUERY)
    assert "needs some minutes" in str(raised[0])


def test_names_that_do_not_belong_together_are_all_in_the_message(
    room: GoogleIndexRoom, index: VectorSearchIndex, fault_table: FaultTable
) -> None:
    elsewhere = room.make(deployed_index="other_1")
    with fault_table.expect(Misconfigured, service=VECTORS, fault="unknown deployed index") as raised:
        elsewhere.search(QUERY)
    assert "GOOGLE_VECTOR_DEPLOYED_INDEX other_1" in str(raised[0])
    with fault_table.expect(Misconfigured, service=EMBEDDINGS, fault="unknown model id") as raised:
        room.make(embedding_model="gemini-embedding-9").search(QUERY)
    assert "GOOGLE_EMBEDDING_MODEL is gemini-embedding-9" in str(raised[0])


def test_nothing_listens_where_the_index_should_be(room: GoogleIndexRoom, fault_table: FaultTable) -> None:
    room.make().index(DOCUMENTS)
    with fault_table.expect(ProviderUnavailable, service=VECTORS, fault="connection refused"):
        room.make(endpoint="http://127.0.0.1:1").search(QUERY)


EMBEDDING_FAULTS: dict[str, tuple[Fault, type[MomentCloneError]]] = {
    "403": (Fault(status=403, body=b'{"error": {"code": 403, "message": "denied"}}'), Misconfigured),
    "429 with Retry-After": (Fault(status=429, headers={"Retry-After": "8"}), ProviderRateLimited),
    "503": (Fault(status=503), ProviderUnavailable),
    "connection dropped": (Fault(drop=True), ProviderUnavailable),
    "no JSON": (Fault(status=200, body=b"{"), MalformedAnswer),
    "no vector": (Fault(status=200, body=b"{}", headers={"Content-Type": "application/json"}), MalformedAnswer),
    "too few numbers": (
        Fault(status=200, body=b'{"embedding": {"values": [0.5, 0.5]}}', headers={"Content-Type": "application/json"}),
        MalformedAnswer,
    ),
}


@pytest.mark.parametrize("fault", EMBEDDING_FAULTS)
def test_an_embedding_that_fails_says_how(
    room: GoogleIndexRoom, index: VectorSearchIndex, fault_table: FaultTable, fault: str
) -> None:
    planned, expected = EMBEDDING_FAULTS[fault]
    room.embeddings.script.plan(planned, times=9)
    with fault_table.expect(expected, service=EMBEDDINGS, fault=fault):
        index.search(QUERY)


@pytest.mark.parametrize("model", ["gemini-embedding-2", "gemini-embedding-001"])
def test_every_text_goes_alone_whatever_the_model(room: GoogleIndexRoom, model: str) -> None:
    room.make(embedding_model=model).index(DOCUMENTS)
    assert sorted(room.embeddings.texts) == sorted(document.text for document in DOCUMENTS)


def test_another_model_embeds_everything_anew(room: GoogleIndexRoom, index: VectorSearchIndex) -> None:
    assert room.make(embedding_model="gemini-embedding-001").index(DOCUMENTS) == len(DOCUMENTS)


def test_indexing_waits_as_long_as_the_model_asks(room: GoogleIndexRoom, fault_table: FaultTable) -> None:
    room.embeddings.script.plan(Fault(status=429, headers={"Retry-After": "8"}), times=2)
    with fault_table.expect_success(service=EMBEDDINGS, fault="429 while indexing", how="waited and went on"):
        assert room.make().index(DOCUMENTS) == len(DOCUMENTS)
    assert room.waited_seconds == [8, 8]


def test_an_indexing_that_broke_off_is_done_again(room: GoogleIndexRoom) -> None:
    room.vectors.script.plan(Fault(match="Upsert", code=grpc.StatusCode.PERMISSION_DENIED))
    with pytest.raises(Misconfigured):
        room.make().index(DOCUMENTS)
    with pytest.raises(Misconfigured, match="load_content"):
        room.make().search(QUERY)
    assert room.make().index(DOCUMENTS) == len(DOCUMENTS)


def test_what_is_gone_leaves_the_service_too(room: GoogleIndexRoom, index: VectorSearchIndex) -> None:
    kept = room.vectors.ids
    index.index(DOCUMENTS[:1])
    assert room.vectors.ids < kept
    index.index([])
    assert room.vectors.ids == set()
