"""How long ago what must happen again and again last happened."""

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from coaching.models import Heartbeat

WATCHDOG = "watchdog"
MAIL = "mail"
SWEEP = "sweep"
CHAT_WATCHDOG = "chat-watchdog"


def read_age_seconds(name: str) -> float | None:
    """Seconds since the last beat of `name`, by the database's clock; None when there has been none."""
    age = ExpressionWrapper(Now() - F("beaten_at"), output_field=DurationField())
    row = Heartbeat.objects.filter(name=name).annotate(age=age).values_list("age", flat=True).first()
    return None if row is None else row.total_seconds()


def read_beat_age_seconds() -> float | None:
    """Seconds since a tick of Celery beat last came to its effect: the watchdog over runs began to look.

    It grows when beat is silent, and as well when the broker, or the worker of the queue `upkeep`, is: in each case
    nothing takes up what was lost. A few `WATCHDOG_PERIOD_SECONDS` are usual; None: never since the installation.
    """
    return read_age_seconds(WATCHDOG)
