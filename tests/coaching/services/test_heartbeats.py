from datetime import timedelta

import pytest
from django.utils import timezone

from coaching.models import Heartbeat
from coaching.queries.heartbeats import WATCHDOG, read_beat_age_seconds
from coaching.services.heartbeats import take_beat

pytestmark = pytest.mark.django_db


def move_beat(seconds: float) -> None:
    Heartbeat.objects.update(beaten_at=timezone.now() + timedelta(seconds=seconds))


def test_the_first_tick_is_taken_and_one_right_after_it_is_not() -> None:
    assert read_beat_age_seconds() is None
    assert take_beat(WATCHDOG, period_seconds=60)
    assert not take_beat(WATCHDOG, period_seconds=60)


def test_a_tick_is_taken_again_once_half_a_period_has_passed() -> None:
    take_beat(WATCHDOG, period_seconds=60)
    move_beat(-31)
    assert take_beat(WATCHDOG, period_seconds=60)
    assert not take_beat(WATCHDOG, period_seconds=60)


def test_a_beat_in_the_future_does_not_silence_the_ticks_until_then() -> None:
    take_beat(WATCHDOG, period_seconds=60)
    move_beat(3600)
    assert take_beat(WATCHDOG, period_seconds=60)


def test_other_work_has_a_beat_of_its_own() -> None:
    take_beat("mail", period_seconds=60)
    assert take_beat(WATCHDOG, period_seconds=60)


def test_the_age_of_the_last_beat_grows() -> None:
    take_beat(WATCHDOG, period_seconds=60)
    move_beat(-90)
    age = read_beat_age_seconds()
    assert age is not None
    assert age >= 90
