"""The coach of production: Gemini watches the cook, reads the memo, writes the script and answers questions.

The SDK is imported on first use, in `gemini_client`; importing this module costs nothing.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from coaching.errors import MalformedAnswer, StageCancelled, charge
from coaching.providers.deadline import Deadline
from coaching.providers.google import gemini_forms as forms
from coaching.providers.google import gemini_prompts as prompts
from coaching.providers.google.gemini_answers import strip_json_block
from coaching.providers.google.gemini_client import (
    Call,
    GeminiClient,
    GeminiOptions,
    MediaResolution,
    ThinkingLevel,
)
from coaching.providers.google.gemini_videos import lend_video
from coaching.providers.ports import (
    Analysis,
    AnalysisRequest,
    AnswerOutcome,
    AnswerPiece,
    CoachingScript,
    MemoRequest,
    MemoUnderstanding,
    QuestionRequest,
    ScriptRequest,
    Usage,
)

# Thinking counts, and takes the most of it. A call that needs more than this has lost its way.
MEMO_TOKENS, ANALYSIS_TOKENS, SCRIPT_TOKENS, ANSWER_TOKENS = 8_192, 65_536, 32_768, 8_192


class GeminiCoach:
    """The `Coach` of a deployment with a Google project or a Gemini key.

    `thinking_level` is that of analysis and script, `quick_thinking_level` that of memo and answers. `fps` and
    `media_resolution` say how closely a video is looked at, and so what it costs.
    """

    is_offline = False

    def __init__(
        self,
        *,
        thinking_level: ThinkingLevel = "MEDIUM",
        quick_thinking_level: ThinkingLevel = "LOW",
        fps: float = 1.0,
        media_resolution: MediaResolution = "MEDIUM",
        file_poll_seconds: float = 2.0,
        **connection: Any,
    ) -> None:
        """`connection` holds the fields of `GeminiOptions`. Raises `Misconfigured`."""
        self._client = GeminiClient(GeminiOptions(**connection))
        self._thinking_level = thinking_level
        self._quick_thinking_level = quick_thinking_level
        self._fps = fps
        self._media_resolution = media_resolution
        self._file_poll_seconds = file_poll_seconds

    def understand_memo(self, request: MemoRequest) -> MemoUnderstanding:
        deadline = Deadline(request.deadline_seconds, doing=self._client.describe("memo"))
        form = forms.make_memo_form(request.dish)
        call = Call(
            name="memo",
            task=prompts.compose_memo_task(request),
            form=form,
            thinking_level=self._quick_thinking_level,
            max_output_tokens=MEMO_TOKENS,
        )
        read, usage = self._ask(call, deadline)
        return MemoUnderstanding(**_freeze(read), usage=usage)

    def analyse(self, request: AnalysisRequest) -> Analysis:
        deadline = Deadline(request.deadline_seconds, doing=self._client.describe("analysis"))
        _stop_if_cancelled(request)
        with lend_video(
            self._client,
            request.video,
            fps=self._fps,
            deadline=deadline,
            cancel=request.cancel,
            poll_seconds=self._file_poll_seconds,
        ) as video:
            call = Call(
                name="analysis",
                task=prompts.compose_analysis_task(request),
                form=forms.make_analysis_form(request.dish),
                thinking_level=self._thinking_level,
                max_output_tokens=ANALYSIS_TOKENS,
                parts=(video,),
                media_resolution=self._media_resolution,
            )
            _stop_if_cancelled(request)
            read, usage = self._ask(call, deadline)
        return Analysis(**_freeze(read), usage=usage)

    def write_script(self, request: ScriptRequest) -> CoachingScript:
        deadline = Deadline(request.deadline_seconds, doing=self._client.describe("script"))
        call = Call(
            name="script",
            task=prompts.compose_script_task(request),
            form=forms.make_script_form(prompts.list_principles(request.principles, request.dish)),
            thinking_level=self._thinking_level,
            max_output_tokens=SCRIPT_TOKENS,
        )
        read, usage = self._ask(call, deadline)
        fields = _freeze(read)
        return CoachingScript(**{**fields, "basis": _freeze(fields["basis"])}, usage=usage)

    def answer(self, request: QuestionRequest) -> Iterator[AnswerPiece]:
        """Words are passed on as they come; what the answer rests on is known when the last one has."""
        deadline = Deadline(request.deadline_seconds, doing=self._client.describe("answer"))
        form = forms.make_answer_form(prompts.list_principles(request.principles, request.dish))
        call = Call(
            name="answer",
            task=prompts.compose_answer_task(request),
            form=form,
            thinking_level=self._quick_thinking_level,
            max_output_tokens=ANSWER_TOKENS,
        )
        written, shown, usage = "", "", None
        with closing(self._client.stream(call, deadline=deadline)) as pieces:
            for piece in pieces:
                if request.cancel is not None and request.cancel.is_set():
                    raise StageCancelled(f"{self._client.describe('answer')}: cancelled")
                if isinstance(piece, Usage):
                    usage = piece
                    continue
                written += piece
                text = _read_unfinished_text(written)
                if text.startswith(shown) and len(text) > len(shown):
                    yield AnswerPiece(text=text[len(shown) :])
                    shown = text
        if usage is None:
            raise MalformedAnswer(f"{self._client.describe('answer')}: the stream ended without an end")
        with charge(usage):
            last = self._conclude(form, written, shown=shown, usage=usage, request=request)
        yield last

    def _conclude(
        self, form: type[BaseModel], written: str, *, shown: str, usage: Usage, request: QuestionRequest
    ) -> AnswerPiece:
        what = self._client.describe("answer")
        read = forms.read_form(form, strip_json_block(written), what=what)
        fields = _freeze(read)
        text = fields.pop("text")
        if not text.strip() or not text.startswith(shown):
            raise MalformedAnswer(f"{what}: the whole answer is not what its pieces were")
        seconds = fields["moment_seconds"]
        if seconds is not None and (request.cook is None or not 0 <= seconds <= request.cook.duration_seconds):
            fields["moment_seconds"] = None  # a second that the footage does not have leads nowhere
        return AnswerPiece(text=text[len(shown) :], outcome=AnswerOutcome(**fields, usage=usage))

    def _ask(self, call: Call, deadline: Deadline) -> tuple[BaseModel, Usage]:
        reply = self._client.generate(call, deadline=deadline)
        with charge(reply.usage):
            return forms.read_form(call.form, reply.text, what=self._client.describe(call.name)), reply.usage


def _freeze(read: BaseModel) -> dict[str, Any]:
    """The fields as the ports' dataclasses keep them: tuples for lists, "" for a slug that is none."""
    return {name: _freeze_value(getattr(read, name)) for name in type(read).model_fields}


def _freeze_value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return "" if value == forms.NONE else value


def _read_unfinished_text(written: str) -> str:
    """What of `text` has arrived in an answer whose JSON is still being written; "" before its first letter."""
    start = written.find("{")
    if start < 0:
        return ""
    try:
        begun = from_json(written[start:], allow_partial="trailing-strings")
    except ValueError:  # closed by a ``` or broken; the whole answer is judged at its end
        return ""
    return str(begun.get("text", "")) if isinstance(begun, dict) else ""


def _stop_if_cancelled(request: AnalysisRequest) -> None:
    if request.cancel is not None and request.cancel.is_set():
        raise StageCancelled("Gemini, analysis: cancelled before it was asked")
