"""One text, one vector of length 1, by Gemini's embedding model.

gemini-embedding-2 answers a list of texts with one merged vector (`:embedContent`), 001 with one each (`:predict`): so
every call carries one text, whichever model it is. Shortened vectors are no longer of length 1 (Google's own note).
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from coaching.errors import MalformedAnswer
from coaching.providers.deadline import Deadline
from coaching.providers.google.gemini_client import GeminiClient, GeminiOptions
from coaching.providers.google.gemini_faults import translate_gemini_errors
from coaching.providers.google.http_deadline import hold_to
from coaching.providers.google.patience import call_patiently

Vector: TypeAlias = NDArray[np.float32]


class EmbeddingModel:
    def __init__(self, options: GeminiOptions, *, dimensions: int) -> None:
        self._client = GeminiClient(options)
        self.model = options.model
        self.dimensions = dimensions

    def embed(self, text: str, *, deadline: Deadline) -> Vector:
        """(dimensions,), of length 1. Raises what `translate_gemini_errors` does, `MalformedAnswer` for no vector."""
        what = self._client.describe("embedding")

        def ask() -> Any:
            from google.genai import types

            deadline.check()
            with (
                translate_gemini_errors(what, fix=f"GOOGLE_EMBEDDING_MODEL is {self.model}. {self._client.advise()}"),
                hold_to(deadline),
            ):
                return self._client.connect().models.embed_content(
                    model=self.model,
                    contents=text,
                    config=types.EmbedContentConfig(output_dimensionality=self.dimensions),
                )

        answer = call_patiently(ask, deadline=deadline)
        found: list[Any] = answer.embeddings or []
        values = np.array(found[0].values or () if len(found) == 1 else (), np.float32)
        length = float(np.linalg.norm(values))
        if values.shape != (self.dimensions,) or not np.isfinite(length) or length == 0:
            raise MalformedAnswer(
                f"{what}: {len(found)} vectors of {values.size} numbers; {self.dimensions} were asked"
            )
        vector: Vector = values / np.float32(length)
        return vector
