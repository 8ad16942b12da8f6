"""Beats of what has to happen again and again, each of which at most one process takes up."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from coaching.models import Heartbeat


def take_beat(name: str, *, period_seconds: float) -> bool:
    """Whether this tick of `name` is to be worked on: not when another was, less than half a period ago.

    So two beats, or a heap of ticks that waited while nobody took them, do the work once. Ticks carry no expiry for
    that: an expiry compares the clocks of two machines, and a skew of one period would silently drop every tick.
    A beat in the future is a database clock that was set back, and is overwritten.
    """
    due = Q(beaten_at__lte=Now() - timedelta(seconds=period_seconds / 2)) | Q(beaten_at__gt=Now())
    if Heartbeat.objects.filter(due, name=name).update(beaten_at=Now()):
        return True
    _, is_first = Heartbeat.objects.get_or_create(name=name, defaults={"beaten_at": Now()})
    return is_first
