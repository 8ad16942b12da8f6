"""What beat runs: the watchdog over runs, the mail that waits, the sweep of what was never finished.

These tasks have a queue of their own and are acknowledged when they start: a tick is replaced by the next one, and
the watchdog must not count itself among the messages of stages. Each takes its beat first: a second beat process, or
ticks that heaped up while nobody took them, repeat nothing.
"""

import json

import redis
from celery import shared_task
from django.conf import settings

from coaching.queries.heartbeats import CHAT_WATCHDOG, MAIL, SWEEP, WATCHDOG
from coaching.services import mail, replies, runs, sweeping
from coaching.services.heartbeats import take_beat
from tasks import chat
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


@shared_task(name="tasks.upkeep.watch_replies", acks_late=False)
def watch_replies() -> None:
    """Publish the answers that are due: lost messages, silent workers, retries."""
    if take_beat(CHAT_WATCHDOG, period_seconds=settings.WATCHDOG_PERIOD_SECONDS):
        for reply_id in replies.take_due_replies():
            chat.publish(reply_id)


@shared_task(name="tasks.upkeep.send_mail", acks_late=False)
def send_mail() -> None:
    if take_beat(MAIL, period_seconds=settings.WATCHDOG_PERIOD_SECONDS):
        mail.send_due_mail()


@shared_task(name="tasks.upkeep.sweep_unfinished", acks_late=False)
def sweep_unfinished() -> None:
    if take_beat(SWEEP, period_seconds=SWEEP_PERIOD_SECONDS):
        sweeping.sweep_unfinished()


def count_broker_messages() -> int:
    """Messages of stages that wait in their queues or are held unacknowledged by a worker.

    The broker holds what is unacknowledged of every queue in one hash, each as [message, exchange, routing key]:
    answers that the chat is writing must not stand in for lost stages.
    """
    queues = sorted(set(settings.STAGE_QUEUES.values()))
    with redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=10) as broker:
        asked = broker.pipeline()
        for queue in queues:
            asked.llen(queue)
        asked.hvals("unacked")
        *waiting, held = asked.execute()
    return sum(map(int, waiting)) + sum(_read_routing_key(entry) in queues for entry in held)


def _read_routing_key(entry: bytes) -> str:
    try:
        _message, _exchange, routing_key = json.loads(entry)
    except ValueError:  # not as our transport writes it
        return ""
    return str(routing_key)
