"""What each stage keeps in `StageRun.output`, written and read back through one typed form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from coaching.models import Stage
from coaching.providers.ports import Analysis, CoachingText, NarrationScript
from media_tools.facts import VideoFacts

Form = TypeVar("Form")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    video: VideoFacts
    thumbnail_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """Both empty where there was no memo. `structured_input` is the document's."""

    transcript: str
    structured_input: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    analysis: Analysis
    is_offline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """`principle_slugs`: what was named by the analysis first, then by the search, best first."""

    principle_slugs: tuple[str, ...]
    found_by_search: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    coaching_text: CoachingText
    narration: NarrationScript
    basis: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenPart:
    object_path: str
    duration_seconds: float
    loudness_lufs: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrated:
    """`part2` begins with the pivot sentence."""

    part1: SpokenPart
    part2: SpokenPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    film_path: str
    captions_path: str
    chapters_path: str
    duration_seconds: float
    frames: int
    width_px: int
    height_px: int
    loudness_lufs: float | None
    key_start_seconds: float
    moment_seconds: float


_STAGE_OF: dict[type, Stage] = {
    Inspected: Stage.INSPECT,
    Listened: Stage.LISTEN,
    Analysed: Stage.ANALYSE,
    Retrieved: Stage.RETRIEVE,
    Written: Stage.SCRIPT,
    Narrated: Stage.NARRATE,
    Composed: Stage.COMPOSE,
}


def dump_output(output: Any) -> dict[str, Any]:
    """JSON of one of the dataclasses above."""
    dumped: dict[str, Any] = TypeAdapter(type(output)).dump_python(output, mode="json")
    return dumped


def read_output(outputs: Mapping[Stage, dict[str, Any]], form: type[Form]) -> Form:
    """What the stage kept, in its form. Raises `KeyError` for a stage that is not done."""
    read: Form = TypeAdapter(form).validate_python(outputs[_STAGE_OF[form]])
    return read
