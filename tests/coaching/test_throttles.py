"""Attempts are counted over all processes; without Redis each counts for itself, and says so."""

import logging
import subprocess
import sys

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from coaching import throttles
from coaching.throttles import LoginThrottle

TRY_ONCE = """
import django; django.setup()
from django.test import RequestFactory
from coaching.throttles import LoginThrottle
print(LoginThrottle().may_try(RequestFactory().post("/login/", REMOTE_ADDR="192.0.2.7")))
"""


def try_from(address: str) -> LoginThrottle | None:
    """None where it may; else the throttle that says no."""
    throttle = LoginThrottle()
    return None if throttle.may_try(RequestFactory().post("/login/", REMOTE_ADDR=address)) else throttle


def test_another_process_counts_the_same_attempts() -> None:
    def try_elsewhere() -> str:
        return subprocess.run([sys.executable, "-c", TRY_ONCE], check=True, capture_output=True, text=True).stdout

    assert try_elsewhere().strip() == "True"
    assert [try_from("192.0.2.7") for _ in range(9)] == [None] * 9
    assert try_elsewhere().strip() == "False"
    refused = try_from("192.0.2.7")
    assert refused is not None
    assert 1 <= (refused.wait() or 0) <= 60
    assert try_from("192.0.2.8") is None


def test_without_redis_a_process_counts_for_itself(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    throttles.connect_to_attempts.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            answers = [try_from("192.0.2.9") for _ in range(11)]
    finally:
        throttles.connect_to_attempts.cache_clear()
    assert answers[:10] == [None] * 10
    assert answers[10] is not None
    assert "counted by this process alone" in caplog.text
