"""What Google's models cost, in US dollars: list prices of November 2026. MODEL_PRICES adds others and mends these.

A model without a price stops the boot: a budget that counts nothing would be no budget.
"""

from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured
from pydantic import TypeAdapter, ValidationError

from coaching.providers.pricing import Price

LIST_PRICES = {
    "gemini-3-flash-preview": Price(
        input_per_million_tokens=0.50, audio_input_per_million_tokens=1.00, output_per_million_tokens=3.00
    ),
    "gemini-embedding-001": Price(input_per_million_tokens=0.15),
    "gemini-embedding-2": Price(input_per_million_tokens=0.20),
    "chirp_3": Price(per_audio_minute=0.016),
    "chirp_2": Price(per_audio_minute=0.016),
    "ja-JP-Neural2-B": Price(per_million_characters=16.00),
    "ja-JP-Neural2-C": Price(per_million_characters=16.00),
    "ja-JP-Neural2-D": Price(per_million_characters=16.00),
}


def make_price_table(others: dict[str, dict[str, float]], *, models: Iterable[str]) -> dict[str, Price]:
    """List prices and `others`, which win. Raises `ImproperlyConfigured` for a wrong one, or none for a model."""
    try:
        table = LIST_PRICES | TypeAdapter(dict[str, Price]).validate_python(others)
    except ValidationError as error:
        place = ".".join(str(step) for step in error.errors()[0]["loc"])
        raise ImproperlyConfigured(f"MODEL_PRICES: {place}: {error.errors()[0]['msg']}") from error
    if missing := [model for model in models if model not in table]:
        raise ImproperlyConfigured(
            f"MODEL_PRICES has no price for {', '.join(missing)}: add it as JSON, such as "
            f'{{"{missing[0]}": {{"input_per_million_tokens": 0.5, "output_per_million_tokens": 3}}}} '
            "(also audio_input_per_million_tokens, per_audio_minute, per_million_characters; see the service's pricing)"
        )
    return table
