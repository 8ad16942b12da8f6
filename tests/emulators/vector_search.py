"""Vertex AI Vector Search over gRPC: one index, deployed once, searched exactly."""

import threading
from typing import Any

import grpc
import numpy as np
from google.cloud.aiplatform_v1 import types

from tests.emulators.grpc_server import GrpcEmulator, GrpcRefusal, Method
from tests.emulators.iam import Identity

INDEX = "projects/12345/locations/asia-northeast1/indexes/67890"
INDEX_ENDPOINT = "projects/12345/locations/asia-northeast1/indexEndpoints/13579"
DEPLOYED_INDEX = "principles_1"
FIND = "/google.cloud.aiplatform.v1.MatchService/FindNeighbors"
UPSERT = "/google.cloud.aiplatform.v1.IndexService/UpsertDatapoints"
REMOVE = "/google.cloud.aiplatform.v1.IndexService/RemoveDatapoints"
MOST_POINTS = 1000
LENGTH_TOLERANCE = 1e-3


class VectorSearchEmulator(GrpcEmulator):
    """`is_deployed=False`: what was upserted is not found yet, as in the first minutes of a real one."""

    def __init__(self, identity: Identity, *, dimensions: int) -> None:
        self._dimensions = dimensions
        self._points: dict[str, np.typing.NDArray[np.float64]] = {}
        self._lock = threading.Lock()
        self.is_deployed = True
        super().__init__(identity)

    @property
    def ids(self) -> set[str]:
        return set(self._points)

    def list_methods(self) -> list[Method]:
        return [
            _describe(FIND, self.find, types.FindNeighborsRequest, types.FindNeighborsResponse, "index_endpoint"),
            _describe(UPSERT, self.upsert, types.UpsertDatapointsRequest, types.UpsertDatapointsResponse, "index"),
            _describe(REMOVE, self.remove, types.RemoveDatapointsRequest, types.RemoveDatapointsResponse, "index"),
        ]

    def upsert(self, asked: Any) -> Any:
        self._require_index(asked.index)
        if not 1 <= len(asked.datapoints) <= MOST_POINTS:
            raise _complain(f"{len(asked.datapoints)} datapoints at once")
        for point in asked.datapoints:
            if not point.datapoint_id or len(point.restricts) != 1 or point.restricts[0].namespace != "principle":
                raise _complain(f"not a datapoint that anybody here means: {point.datapoint_id!r}")
        with self._lock:
            self._points |= {point.datapoint_id: self._read_vector(point) for point in asked.datapoints}
        return types.UpsertDatapointsResponse()

    def remove(self, asked: Any) -> Any:
        self._require_index(asked.index)
        with self._lock:
            for name in asked.datapoint_ids:
                self._points.pop(name, None)
        return types.RemoveDatapointsResponse()

    def find(self, asked: Any) -> Any:
        if asked.index_endpoint != INDEX_ENDPOINT or asked.deployed_index_id != DEPLOYED_INDEX:
            raise GrpcRefusal(grpc.StatusCode.NOT_FOUND, f"Deployed index {asked.deployed_index_id} is not found.")
        return types.FindNeighborsResponse(nearest_neighbors=[self._find_nearest(query) for query in asked.queries])

    def _find_nearest(self, query: Any) -> Any:
        if not 1 <= query.neighbor_count <= MOST_POINTS:
            raise _complain(f"neighbor_count: {query.neighbor_count}")
        vector = self._read_vector(query.datapoint)
        with self._lock:
            points = list(self._points.items()) if self.is_deployed else []
        nearest = sorted(((float(point @ vector), name) for name, point in points), reverse=True)
        return types.FindNeighborsResponse.NearestNeighbors(
            id=query.datapoint.datapoint_id,
            neighbors=[
                types.FindNeighborsResponse.Neighbor(
                    distance=similarity, datapoint=types.IndexDatapoint(datapoint_id=name)
                )
                for similarity, name in nearest[: query.neighbor_count]
            ],
        )

    def _require_index(self, name: str) -> None:
        if name != INDEX:
            raise GrpcRefusal(grpc.StatusCode.NOT_FOUND, f"Index {name} is not found.")

    def _read_vector(self, point: Any) -> "np.typing.NDArray[np.float64]":
        vector = np.array(point.feature_vector, np.float64)
        if vector.shape != (self._dimensions,):
            raise _complain(f"{vector.size} dimensions, the index has {self._dimensions}")
        if abs(np.linalg.norm(vector) - 1) > LENGTH_TOLERANCE:
            raise _complain("not of length 1: a dot product would rank it wrongly")
        return vector


def _complain(message: str) -> GrpcRefusal:
    return GrpcRefusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def _describe(name: str, answer: Any, asked: Any, answered: Any, routed_by: str) -> Method:
    return Method(name=name, answer=answer, read=asked.deserialize, write=answered.serialize, routed_by=routed_by)
