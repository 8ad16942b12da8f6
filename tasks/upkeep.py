"""What beat runs: the watchdog over runs, the mail that waits, the sweep of what was never finished.

These tasks have a queue of their own and are acknowledged when they start: a tick is replaced by the next one, and
the watchdog must not count itself among the messages of stages. Each takes its beat first: a second beat process, or
ticks that heaped up while nobody took them, repeat nothing.
"""

import redis
from celery import shared_task
from django.conf import settings

from coaching.queries.heartbeats import MAIL, SWEEP, WATCHDOG
from coaching.services import mail, runs, sweeping
from coaching.services.heartbeats import take_beat
from tasks.pipeline import publish

SWEEP_PERIOD_SECONDS = 3600.0


@shared_task(name="tasks.upkeep.watch_runs", acks_late=False)
def watch_runs() -> None:
    """Take back what silent workers held, and publish what ought to be published."""
    if not take_beat(WATCHDOG, period_seconds=settings.WATCHDOG_PERIOD_SECONDS):
        return
    runs.expire_leases()
    for due in runs.take_due_stages(count_broker_messages=count_broker_messages):
        publish(due.run_id, due.stage)


@shared_task(name="tasks.upkeep.send_mail", acks_late=False)
def send_mail() -> None:
    if take_beat(MAIL, period_seconds=settings.WATCHDOG_PERIOD_SECONDS):
        mail.send_due_mail()


@shared_task(name="tasks.upkeep.sweep_unfinished", acks_late=False)
def sweep_unfinished() -> None:
    if take_beat(SWEEP, period_seconds=SWEEP_PERIOD_SECONDS):
        sweeping.sweep_unfinished()


def count_broker_messages() -> int:
    """Messages that wait in the stage queues or are held unacknowledged by a worker."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=10) as broker:
        counts = broker.pipeline()
        for queue in sorted(set(settings.STAGE_QUEUES.values())):
            counts.llen(queue)
        counts.hlen("unacked")
        return sum(int(count) for count in counts.execute())
