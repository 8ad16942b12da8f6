"""What a call cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call cost. `cost_usd` is an estimate from the price table of the settings; 0 for local engines.

    `output_tokens` include the `thinking_tokens`; `thinking_level` and `finish_reason` are in the vendor's words.
    """

    provider: str
    model: str
    prompt_version: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    thinking_level: str = ""
    finish_reason: str = ""
    audio_seconds: float = 0.0
    characters: int = 0
    cost_usd: float = 0.0
