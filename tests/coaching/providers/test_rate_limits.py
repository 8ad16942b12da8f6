"""The gate before a model, over processes that share nothing but Redis."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import Settings

from coaching.errors import ProviderRateLimited, RetryLater
from coaching.providers import registry
from coaching.providers.ports import SearchRequest
from coaching.providers.rate_limits import LimitedAdapter, ModelGate

PROJECT = Path(__file__).resolve().parents[3]
ASK_OFTEN = """
import sys
from coaching.errors import RetryLater
from coaching.providers.rate_limits import ModelGate
gate = ModelGate(redis_url=sys.argv[1], key=sys.argv[2], rate="25/hour")
entered = 0
for _ in range(40):
    try:
        gate.enter()
        entered += 1
    except RetryLater:
        pass
print(entered)
"""


@pytest.fixture
def model() -> str:
    return f"model-{secrets.token_hex(4)}"


def make_gate(model: str, rate: str = "100/minute") -> ModelGate:
    return ModelGate(redis_url=django_settings.REDIS_URL, key=model, rate=rate)


def seconds_from_now(error: RetryLater) -> float:
    return (error.due_at - datetime.now(UTC)).total_seconds()


class Model:
    """Says what it is told to; counts how often it was asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0

    def search(self, _request: SearchRequest) -> str:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return "found"

    def answer(self, _request: Any) -> Iterator[str]:
        yield "はい"
        raise ProviderRateLimited("in mid-answer", retry_after_seconds=40)

    def index(self, documents: list[str]) -> int:
        return len(documents)


def test_many_processes_together_enter_as_often_as_allowed(model: str) -> None:
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASK_OFTEN, django_settings.REDIS_URL, model],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    entered = [int(process.communicate(timeout=60)[0]) for process in asking]
    assert sum(entered) == 25


def test_who_is_turned_away_learns_when_there_is_room(model: str) -> None:
    gate = make_gate(model, "2/minute")
    gate.enter()
    gate.enter()
    with pytest.raises(RetryLater, match="2 per 1 minute are taken") as turned_away:
        gate.enter()
    assert 29 < seconds_from_now(turned_away.value) <= 60 * 1.5


def test_a_model_that_complains_is_left_alone_by_everybody(model: str) -> None:
    busy = Model(ProviderRateLimited("429", retry_after_seconds=20))
    with pytest.raises(ProviderRateLimited):
        LimitedAdapter(busy, make_gate(model)).search(SearchRequest(query="卵"))
    calm = Model()
    with pytest.raises(RetryLater, match="pause") as turned_away:
        LimitedAdapter(calm, make_gate(model)).search(SearchRequest(query="卵"))
    assert calm.asked == 0
    assert 15 < seconds_from_now(turned_away.value) <= 20 * 1.5
    other = LimitedAdapter(Model(), make_gate(f"{model}-other"))
    assert other.search(SearchRequest(query="卵")) == "found"


def test_a_shorter_pause_does_not_end_a_longer_one(model: str) -> None:
    gate = make_gate(model)
    gate.pause(30)
    gate.pause(2)
    with pytest.raises(RetryLater) as turned_away:
        gate.enter()
    assert seconds_from_now(turned_away.value) > 20


def test_a_complaint_in_the_middle_of_an_answer_counts_too(model: str) -> None:
    pieces = LimitedAdapter(Model(), make_gate(model)).answer(object())
    assert next(pieces) == "はい"
    with pytest.raises(ProviderRateLimited):
        next(pieces)
    with pytest.raises(RetryLater):
        make_gate(model).enter()


def test_what_is_no_single_call_goes_through(model: str) -> None:
    gate = make_gate(model)
    gate.pause(30)
    assert LimitedAdapter(Model(), gate).index(["a", "b"]) == 2
    with pytest.raises(AttributeError):
        LimitedAdapter(Model(), gate).append_chunk  # noqa: B018 - asking is the point


def test_without_redis_nobody_asks_and_nobody_is_blamed(model: str) -> None:
    gate = ModelGate(redis_url="redis://127.0.0.1:1/0", key=model, rate="5/minute")
    with pytest.raises(RetryLater):
        gate.enter()
    gate.pause(5)


def test_the_registry_puts_an_adapter_with_a_limit_behind_its_gate(settings: Settings, model: str) -> None:
    index = settings.PROVIDERS["principle_index"] | {"limit": {"key": model, "rate": "1/hour"}}
    settings.PROVIDERS = settings.PROVIDERS | {"principle_index": index}
    registry.forget_adapters()
    try:
        redis.Redis.from_url(settings.REDIS_URL).set(
            f"model-pause:{model}", "1", px=int(timedelta(minutes=1).total_seconds() * 1000)
        )
        with pytest.raises(RetryLater):
            registry.get_principle_index().search(SearchRequest(query="卵"))
    finally:
        registry.forget_adapters()
