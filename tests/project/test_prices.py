import pytest
from django.core.exceptions import ImproperlyConfigured

from coaching.providers.pricing import Price
from project.env import Env
from project.google_providers import describe_google_providers
from project.prices import LIST_PRICES, make_price_table


def test_tokens_sound_and_letters_have_prices_of_their_own() -> None:
    price = Price(input_per_million_tokens=1, audio_input_per_million_tokens=3, output_per_million_tokens=10)
    assert price.of_tokens(input_tokens=1_000_000, audio_input_tokens=400_000, output_tokens=100_000) == (
        pytest.approx(0.6 + 1.2 + 1.0)
    )
    plain = Price(input_per_million_tokens=1)
    assert plain.of_tokens(input_tokens=1_000_000, audio_input_tokens=400_000, output_tokens=0) == pytest.approx(1)
    assert Price(per_audio_minute=0.6).of_audio(30) == pytest.approx(0.3)
    assert Price(per_million_characters=16).of_characters(500_000) == pytest.approx(8)


def test_a_price_of_the_environment_wins_over_the_list() -> None:
    table = make_price_table({"chirp_3": {"per_audio_minute": 0.01}, "new": {"per_audio_minute": 1}}, models=["new"])
    assert table["chirp_3"].per_audio_minute == 0.01
    assert table["ja-JP-Neural2-B"] == LIST_PRICES["ja-JP-Neural2-B"]


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({}, "MODEL_PRICES has no price for gemini-9-flash"),
        ({"gemini-9-flash": {"input_per_token": 1.0}}, "MODEL_PRICES: gemini-9-flash.input_per_token"),
    ],
)
def test_a_model_without_a_price_stops_the_boot(prices: dict[str, dict[str, float]], said: str) -> None:
    env = Env(gemini_api_key="k", gemini_model="gemini-9-flash", model_prices=prices)
    with pytest.raises(ImproperlyConfigured, match=said):
        describe_google_providers(env, redis_url="redis://127.0.0.1:1/0")


def test_a_project_wins_over_a_key() -> None:
    assert describe_google_providers(Env(), redis_url="redis://127.0.0.1:1/0") == {}
    alone = describe_google_providers(Env(gemini_api_key="k"), redis_url="redis://127.0.0.1:1/0")
    assert set(alone) == {"coach"}
    assert (alone["coach"]["options"]["api_key"], alone["coach"]["options"]["project"]) == ("k", "")
