"""Reads what Gemini answered. Blocked, cut off, empty and aimless answers raise nothing in the SDK: they do here.

Order matters: a blocked prompt has no candidates, a blocked or truncated candidate may have no text, and a 200 with
an empty body has nothing at all.
"""

import re
from typing import TYPE_CHECKING

from coaching.errors import ContentBlocked, EmptyAnswer, MalformedAnswer, TruncatedAnswer
from coaching.providers.ports import Usage
from coaching.providers.pricing import Price

if TYPE_CHECKING:
    from google.genai import types

DONE = "STOP"
OUT_OF_TOKENS = "MAX_TOKENS"
BLOCKING = frozenset({"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT"})
_JSON_BLOCK = re.compile(r"\s*```(?:json)?\s*\n(?P<inside>.*?)\n?\s*```\s*", re.DOTALL)


def check_prompt_passed(response: "types.GenerateContentResponse", *, what: str) -> None:
    """Raises `ContentBlocked` where the question itself was stopped."""
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        raise ContentBlocked(f"{what}: the prompt was blocked: {feedback.block_reason.value}")


def read_text(response: "types.GenerateContentResponse") -> str:
    """The text of the first candidate, without what the model thought aloud; "" where there is none."""
    if not response.candidates or response.candidates[0].content is None:
        return ""
    return "".join(part.text or "" for part in response.candidates[0].content.parts or () if not part.thought)


def read_finish_reason(response: "types.GenerateContentResponse") -> str:
    """In Gemini's words, new ones included; "" where the answer goes on, or is missing."""
    if not response.candidates or response.candidates[0].finish_reason is None:
        return ""
    return str(response.candidates[0].finish_reason.value)


def check_finished(*, finish_reason: str, text: str, what: str) -> None:
    """Raises `ContentBlocked`, `TruncatedAnswer`, `EmptyAnswer` or `MalformedAnswer` for what is no whole answer."""
    if finish_reason in BLOCKING:
        raise ContentBlocked(f"{what}: the answer was blocked: {finish_reason}")
    if finish_reason == OUT_OF_TOKENS:
        amount = f"{len(text)} characters" if text else "nothing: thinking took them all"
        raise TruncatedAnswer(f"{what}: out of tokens after {amount}")
    if finish_reason != DONE and (finish_reason or text):
        raise MalformedAnswer(f"{what}: the answer ended with {finish_reason or 'no reason, in the middle'}")
    if not text.strip():
        raise EmptyAnswer(f"{what}: the answer is empty ({finish_reason or 'not even a reason was given'})")


def strip_json_block(text: str) -> str:
    """The JSON inside a ```json block, which models put around it now and then; other texts as they are."""
    block = _JSON_BLOCK.fullmatch(text)
    return block["inside"] if block else text


def compose_usage(
    metadata: "types.GenerateContentResponseUsageMetadata | None",
    *,
    model: str,
    prompt_version: str,
    thinking_level: str,
    finish_reason: str,
    price: Price,
) -> Usage:
    input_tokens = (metadata.prompt_token_count if metadata else None) or 0
    thinking_tokens = (metadata.thoughts_token_count if metadata else None) or 0
    output_tokens = ((metadata.candidates_token_count if metadata else None) or 0) + thinking_tokens
    details = (metadata.prompt_tokens_details if metadata else None) or ()
    audio_tokens = sum(d.token_count or 0 for d in details if d.modality is not None and d.modality.value == "AUDIO")
    cost_usd = price.of_tokens(
        input_tokens=input_tokens, audio_input_tokens=min(audio_tokens, input_tokens), output_tokens=output_tokens
    )
    return Usage(
        provider="google",
        model=model,
        prompt_version=prompt_version,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        thinking_tokens=thinking_tokens,
        thinking_level=thinking_level,
        finish_reason=finish_reason,
        cost_usd=round(cost_usd, 6),
    )
