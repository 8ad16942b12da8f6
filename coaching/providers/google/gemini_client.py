"""The wire to Gemini: one SDK client a process, made on first use, and calls that end by their deadline.

With a project it is Vertex AI, where videos are read from gs://; with an API key alone it is the Developer API, where
they go through the Files API. The SDK's own retries stay off: they do not know the deadline, and what is worth a
second try is decided in `patience`.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from pydantic import BaseModel

from coaching.errors import Misconfigured, charge
from coaching.providers.deadline import Deadline
from coaching.providers.google import gemini_answers as answers
from coaching.providers.google.connection import check_endpoint, load_credentials
from coaching.providers.google.gemini_faults import translate_gemini_errors
from coaching.providers.google.gemini_prompts import Task
from coaching.providers.google.http_deadline import hold_to, make_http_client
from coaching.providers.google.patience import TRIES, call_patiently
from coaching.providers.google.per_process import PerProcess
from coaching.providers.ports import Usage
from coaching.providers.pricing import Price

if TYPE_CHECKING:
    from google import genai
    from google.genai import types

    _Chunks: TypeAlias = Generator[types.GenerateContentResponse]

ThinkingLevel: TypeAlias = Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"]
MediaResolution: TypeAlias = Literal["LOW", "MEDIUM", "HIGH"]

# The document names the model by its family; Google serves it under another id.
_FAMILIES = {"gemini-3-flash": "gemini-3-flash-preview"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiOptions:
    """`project` chooses Vertex AI, `api_key` alone the Developer API. `endpoint` is a server of this machine or ""."""

    model: str
    project: str = ""
    location: str = "global"
    api_key: str = field(default="", repr=False)
    endpoint: str = ""
    price: Price = field(default_factory=Price)
    tries: int = TRIES

    @property
    def is_vertex(self) -> bool:
        return bool(self.project)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One question. `form` is the schema of the answer; `name` goes into errors and logs."""

    name: str
    task: Task
    form: type[BaseModel]
    thinking_level: ThinkingLevel
    max_output_tokens: int
    parts: "Sequence[types.Part]" = ()
    media_resolution: MediaResolution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    text: str
    usage: Usage


class GeminiClient:
    """Safe to share between threads; a forked child makes its own client."""

    def __init__(self, options: GeminiOptions) -> None:
        if not options.project and not options.api_key:
            raise Misconfigured("Gemini needs GOOGLE_CLOUD_PROJECT, or GEMINI_API_KEY for the Developer API")
        self.options = options
        check_endpoint(options.endpoint)
        self._client = PerProcess(self._make)

    def connect(self) -> "genai.Client":
        """The SDK's client of this process; keep it while its services are used. Raises `Misconfigured`."""
        return self._client.get()

    def _make(self) -> "genai.Client":
        from google import genai  # heavy, and only where Gemini is used
        from google.genai import types

        options = self.options
        http: dict[str, Any] = {"httpx_client": make_http_client()}
        if options.endpoint:
            http["base_url"] = options.endpoint
        if options.is_vertex:
            return genai.Client(
                vertexai=True,
                project=options.project,
                location=options.location,
                credentials=load_credentials(),
                http_options=types.HttpOptions(**http),
            )
        return genai.Client(vertexai=False, api_key=options.api_key, http_options=types.HttpOptions(**http))

    def describe(self, name: str) -> str:
        options = self.options
        place = f"{options.project}/{options.location}" if options.is_vertex else "Developer API"
        return f"Gemini, {name} ({options.model}, {place})"

    def advise(self) -> str:
        """Which settings an operator looks at when the service says no."""
        options = self.options
        model = f"GEMINI_MODEL is {options.model}"
        if meant := _FAMILIES.get(options.model):
            model += f", which Google serves as {meant}"
        if not options.is_vertex:
            return f"Check GEMINI_API_KEY (https://aistudio.google.com/apikey). {model}."
        return (
            f"GOOGLE_CLOUD_PROJECT is {options.project}, GEMINI_LOCATION is {options.location} (preview models are "
            f"served from global only), {model}. The service account needs roles/aiplatform.user, "
            "aiplatform.googleapis.com must be enabled, and Vertex AI's service agent must be able to read the bucket. "
            "GEMINI_THINKING_LEVEL and GEMINI_QUICK_THINKING_LEVEL must be levels that the model has."
        )

    def generate(self, call: Call, *, deadline: Deadline) -> Reply:
        """A whole answer. Raises what `gemini_answers.check_finished` and `gemini_faults` do."""
        what = self.describe(call.name)
        client = self.connect()

        def ask() -> "types.GenerateContentResponse":
            with translate_gemini_errors(what, fix=self.advise()), hold_to(deadline):
                return client.models.generate_content(
                    model=self.options.model, contents=_make_contents(call), config=_make_config(call)
                )

        response = call_patiently(ask, deadline=deadline, tries=self.options.tries)
        text, finish_reason = answers.read_text(response), answers.read_finish_reason(response)
        usage = self._count(call, response.usage_metadata, finish_reason)
        with charge(usage):
            answers.check_prompt_passed(response, what=what)
            answers.check_finished(finish_reason=finish_reason, text=text, what=what)
        return Reply(text=answers.strip_json_block(text), usage=usage)

    def stream(self, call: Call, *, deadline: Deadline) -> Generator[str | Usage]:
        """The answer's text piece by piece, and its usage last of all. Closing the iterator hangs up.

        Only a call of which nothing has arrived yet is tried again.
        """
        what = self.describe(call.name)
        client = self.connect()

        def take(chunks: "_Chunks") -> "types.GenerateContentResponse | None":
            with translate_gemini_errors(what, fix=self.advise()), hold_to(deadline):
                return next(chunks, None)

        def ask() -> "tuple[_Chunks, types.GenerateContentResponse | None]":
            begun = client.models.generate_content_stream(
                model=self.options.model, contents=_make_contents(call), config=_make_config(call)
            )
            chunks = cast("_Chunks", begun)  # the SDK says Iterator; it has to be closed when nobody listens
            return chunks, take(chunks)

        chunks, chunk = call_patiently(ask, deadline=deadline, tries=self.options.tries)
        text, finish_reason, metadata = "", "", None
        with closing(chunks):
            while chunk is not None:
                answers.check_prompt_passed(chunk, what=what)
                finish_reason = answers.read_finish_reason(chunk) or finish_reason
                metadata = chunk.usage_metadata or metadata
                if piece := answers.read_text(chunk):
                    text += piece
                    yield piece
                chunk = take(chunks)
        usage = self._count(call, metadata, finish_reason)
        with charge(usage):
            answers.check_finished(finish_reason=finish_reason, text=text, what=what)
        yield usage

    def _count(
        self, call: Call, metadata: "types.GenerateContentResponseUsageMetadata | None", finish_reason: str
    ) -> Usage:
        return answers.compose_usage(
            metadata,
            model=self.options.model,
            prompt_version=call.task.prompt.version,
            thinking_level=call.thinking_level,
            finish_reason=finish_reason,
            price=self.options.price,
        )


def _make_contents(call: Call) -> "types.Content":
    """Videos before the text, as Google advises."""
    from google.genai import types

    return types.Content(role="user", parts=[*call.parts, types.Part(text=call.task.text)])


def _make_config(call: Call) -> "types.GenerateContentConfig":
    """Temperature and its kin stay out: Gemini 3 is tuned for its own. No tools, so no call of functions either."""
    from google.genai import types

    return types.GenerateContentConfig(
        system_instruction=call.task.prompt.system,
        response_mime_type="application/json",
        response_schema=call.form,
        max_output_tokens=call.max_output_tokens,
        thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel(call.thinking_level)),
        media_resolution=types.MediaResolution(f"MEDIA_RESOLUTION_{call.media_resolution}")
        if call.media_resolution
        else None,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        # Knives, flames and hot oil are what cooking is about.
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT,
                threshold=types.HarmBlockThreshold.BLOCK_ONLY_HIGH,
            )
        ],
    )
