"""Which principles does a text speak of?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from coaching.providers.ports.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDocument:
    """One indexed text: a principle's own (`kind="principle"`) or an example diagnosis of it (`kind="diagnosis"`)."""

    key: str
    principle_slug: str
    kind: Literal["principle", "diagnosis"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    query: str
    limit: int = 3
    deadline_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipleHit:
    """`score` ranks within one answer; it has no meaning across answers or indexes."""

    principle_slug: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    hits: tuple[PrincipleHit, ...]
    usage: Usage


class PrincipleIndex(Protocol):
    def index(self, documents: Sequence[IndexDocument]) -> int:
        """Make exactly these documents searchable; unchanged texts are not embedded again. Answers how many were."""

    def search(self, request: SearchRequest) -> SearchAnswer:
        """The best principles, best first; raises `Misconfigured` when nothing was indexed."""
