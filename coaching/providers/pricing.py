"""What calls cost, by the price table of the settings: estimates for budgets and the admin, no invoice."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """In US dollars. A model uses those that fit it; `audio_input_…` is None where sound costs what the rest does."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # a misspelt price would be no price

    input_per_million_tokens: float = 0.0
    audio_input_per_million_tokens: float | None = None
    output_per_million_tokens: float = 0.0
    per_audio_minute: float = 0.0
    per_million_characters: float = 0.0

    def of_tokens(self, *, input_tokens: int, audio_input_tokens: int, output_tokens: int) -> float:
        """`audio_input_tokens` are among the `input_tokens`; `output_tokens` include thinking, which costs the same."""
        audio_price = self.audio_input_per_million_tokens
        if audio_price is None:
            audio_price = self.input_per_million_tokens
        plain_tokens = input_tokens - audio_input_tokens
        spent = plain_tokens * self.input_per_million_tokens + audio_input_tokens * audio_price
        return (spent + output_tokens * self.output_per_million_tokens) / 1e6

    def of_audio(self, seconds: float) -> float:
        return seconds / 60 * self.per_audio_minute

    def of_characters(self, count: int) -> float:
        return count * self.per_million_characters / 1e6
