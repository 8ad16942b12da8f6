"""Vertex AI's embedding models over their real protocol; what a text means is said by an embedder.

gemini-embedding-2 takes one content (`:embedContent`), gemini-embedding-001 a list of instances (`:predict`).
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from tests.emulators.http_server import Answer, HttpEmulator, Refusal, Request
from tests.emulators.iam import PROJECT, Identity

MODELS = {"gemini-embedding-2": "embedContent", "gemini-embedding-001": "predict"}
MOST_DIMENSIONS = 3072
SHORTENED_LENGTH = 0.8  # what is cut to fewer dimensions is no longer of length 1
_METHOD = re.compile(
    r"/v1beta1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
    r"/publishers/google/models/(?P<model>[^/:]+):(?P<verb>\w+)"
)

Embedder = Callable[[str], Sequence[float]]  # of length 1, of any number of dimensions


class EmbeddingsEmulator(HttpEmulator):
    def __init__(self, identity: Identity, *, embedder: Embedder, project: str = PROJECT) -> None:
        super().__init__()
        self._identity = identity
        self._embedder = embedder
        self._project = project
        self.texts: list[str] = []

    def answer(self, request: Request) -> Answer:
        match = _METHOD.fullmatch(request.path)
        if match is None or request.method != "POST":
            return super().answer(request)
        self._identity.require_token(request)
        if match["project"] != self._project:
            raise Refusal(403, f"Permission denied on {match['project']}.", status_name="PERMISSION_DENIED")
        if match["model"] not in MODELS:
            raise Refusal(404, f"Publisher Model {match['model']} was not found.", status_name="NOT_FOUND")
        if match["verb"] != MODELS[match["model"]]:
            raise _complain(f"{match['model']} has no {match['verb']}")
        return self._predict(request.json) if match["verb"] == "predict" else self._embed_content(request.json)

    def _embed_content(self, body: dict[str, Any]) -> Answer:
        _refuse_unknown(body, {"content", "embedContentConfig"})
        config = body.get("embedContentConfig", {})
        _refuse_unknown(config, {"outputDimensionality"})
        content = body.get("content", {})
        _refuse_unknown(content, {"parts", "role"})
        parts = content.get("parts", ())
        if len(parts) != 1 or set(parts[0]) != {"text"}:
            raise _complain("several parts give one merged vector: nobody here means that")
        values = self._embed(parts[0]["text"], config.get("outputDimensionality"))
        return Answer.of_json({"embedding": {"values": values}, "usageMetadata": {"promptTokenCount": 7}})

    def _predict(self, body: dict[str, Any]) -> Answer:
        _refuse_unknown(body, {"instances", "parameters"})
        parameters = body.get("parameters", {})
        _refuse_unknown(parameters, {"outputDimensionality"})
        predictions = []
        for instance in body.get("instances", ()):
            _refuse_unknown(instance, {"content"})
            values = self._embed(instance["content"], parameters.get("outputDimensionality"))
            predictions.append({"embeddings": {"values": values, "statistics": {"token_count": 7, "truncated": False}}})
        return Answer.of_json({"predictions": predictions})

    def _embed(self, text: str, dimensions: int | None) -> list[float]:
        if not text:
            raise _complain("The text content is empty.")
        if dimensions is None or not 1 <= dimensions <= MOST_DIMENSIONS:
            raise _complain(f"outputDimensionality: {dimensions}")
        self.texts.append(text)
        values = [float(value) for value in self._embedder(text)][:dimensions]
        return [value * SHORTENED_LENGTH for value in values] + [0.0] * (dimensions - len(values))


def _complain(message: str) -> Refusal:
    return Refusal(400, message, status_name="INVALID_ARGUMENT")


def _refuse_unknown(content: dict[str, Any], known: set[str]) -> None:
    if unknown := content.keys() - known:
        raise _complain(f"Unknown names: {sorted(unknown)}")
