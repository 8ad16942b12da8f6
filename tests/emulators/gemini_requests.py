"""What Gemini takes in a generateContent call, read strictly: an unknown field or a wrong value is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.genai import types
from pydantic import ValidationError

from tests.emulators.http_server import Refusal, Request

# What our adapter has reason to send. Vertex knows more; each of those would be news here.
BODY_FIELDS = frozenset({"contents", "systemInstruction", "generationConfig", "safetySettings"})
CONFIG_FIELDS = frozenset(
    {"responseMimeType", "responseSchema", "maxOutputTokens", "thinkingConfig", "mediaResolution"}
)
THINKING_LEVELS = {"gemini-3-flash-preview": {"MINIMAL", "LOW", "MEDIUM", "HIGH"}}
USUAL_LEVELS = frozenset({"LOW", "MEDIUM", "HIGH"})
VIDEO_TYPES = frozenset(
    {"video/mp4", "video/mpeg", "video/mov", "video/avi", "video/x-flv", "video/mpg", "video/webm", "video/wmv"}
    | {"video/3gpp"}
)
MOST_FPS = 24


def complain(message: str) -> Refusal:
    """A 400 in Google's form; the server keeps it among its complaints."""
    return Refusal(400, message, status_name="INVALID_ARGUMENT")


@dataclass(frozen=True, kw_only=True)
class Video:
    uri: str
    content_type: str
    fps: float | None


@dataclass(frozen=True, kw_only=True)
class GenerateCall:
    """A generateContent call as it arrived. `schema` is the wire's own JSON."""

    model: str
    is_vertex: bool
    is_streamed: bool
    system: str
    text: str
    videos: tuple[Video, ...]
    schema: dict[str, Any]
    thinking_level: str
    media_resolution: str
    max_output_tokens: int


def read_call(request: Request, *, model: str, is_vertex: bool, is_streamed: bool) -> GenerateCall:
    """Raises `Refusal` (400) for what Gemini would refuse, and for what nobody here means to send."""
    body = request.json
    refuse_unknown(body, BODY_FIELDS, "")
    config = body.get("generationConfig", {})
    refuse_unknown(config, CONFIG_FIELDS, "generation_config.")
    contents = [parse(types.Content, content) for content in body.get("contents", ())]
    system = parse(types.Content, body.get("systemInstruction", {}))
    if not contents or contents[-1].role != "user":
        raise complain("Please ensure that the last content has the role user.")
    parts = [part for content in contents for part in content.parts or ()]
    level = read_thinking_level(config, model)
    schema = config.get("responseSchema", {})
    if config.get("responseMimeType") == "application/json":
        check_schema(schema, "response_schema")
    return GenerateCall(
        model=model,
        is_vertex=is_vertex,
        is_streamed=is_streamed,
        system="".join(part.text or "" for part in system.parts or ()),
        text="".join(part.text or "" for part in parts),
        videos=tuple(read_videos(parts)),
        schema=schema,
        thinking_level=level,
        media_resolution=str(config.get("mediaResolution", "")),
        max_output_tokens=int(config.get("maxOutputTokens", 65_536)),
    )


def refuse_unknown(given: dict[str, Any], known: frozenset[str], where: str) -> None:
    if unknown := sorted(given.keys() - known):
        raise complain(f'Invalid JSON payload received. Unknown name "{where}{unknown[0]}": Cannot find field.')


def parse(kind: Any, given: Any) -> Any:
    """The SDK's types forbid fields that they do not know."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise complain(f"Invalid value at {kind.__name__}: {error.errors()[0]['loc']}") from error


def read_thinking_level(config: dict[str, Any], model: str) -> str:
    thinking = parse(types.ThinkingConfig, config.get("thinkingConfig", {}))
    level = thinking.thinking_level.value if thinking.thinking_level else "MEDIUM"
    if level not in THINKING_LEVELS.get(model, USUAL_LEVELS):
        raise complain(f"Thinking level {level} is not supported for this model.")
    return str(level)


def read_videos(parts: list[types.Part]) -> Iterator[Video]:
    for part in parts:
        if part.file_data is None:
            continue
        uri, content_type = part.file_data.file_uri or "", part.file_data.mime_type or ""
        fps = part.video_metadata.fps if part.video_metadata else None
        if content_type not in VIDEO_TYPES:
            raise complain(f"Unsupported MIME type: {content_type}")
        if fps is not None and not 0 < fps <= MOST_FPS:
            raise complain(f"fps must be in (0, {MOST_FPS}], got {fps}")
        yield Video(uri=uri, content_type=content_type, fps=fps)


def check_schema(schema: dict[str, Any], where: str) -> None:
    """Vertex's subset of OpenAPI: every node has a type, enumerated strings are not empty, objects have properties."""
    parse(types.Schema, schema)
    kind = str(schema.get("type", "")).upper()
    if kind not in {"OBJECT", "ARRAY", "STRING", "NUMBER", "INTEGER", "BOOLEAN"}:
        raise complain(f"{where}.type: must be specified")
    if any(not value for value in schema.get("enum", ())):
        raise complain(f"{where}.enum[]: cannot be empty")
    if kind == "OBJECT":
        properties = schema.get("properties") or {}
        if not properties:
            raise complain(f"{where}.properties: should be non-empty for OBJECT type")
        if unknown := set(schema.get("required", ())) - properties.keys():
            raise complain(f"{where}.required: no such property: {sorted(unknown)}")
        for name, inner in properties.items():
            check_schema(inner, f"{where}.properties[{name}]")
    if kind == "ARRAY":
        if "items" not in schema:
            raise complain(f"{where}.items: missing field")
        check_schema(schema["items"], f"{where}.items")
