"""The Celery application: `celery -A project worker|beat|flower`."""

import os
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.signals import beat_init, worker_init, worker_process_init, worker_ready
from django.core.exceptions import ImproperlyConfigured

import project.task_logs  # noqa: F401 - connects its signals
from project import broker
from project.boot import require_broker_access

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

TICK_LIFE_SECONDS = 86_400.0

broker.install()
app = Celery("moment_clone", include=["tasks.stages", "tasks.pipeline", "tasks.chat", "tasks.upkeep", "tasks.content"])
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.on_after_finalize.connect
def schedule_upkeep(sender: Celery, **_: Any) -> None:
    """Beat's table. The tasks see to it that ticks which waited repeat nothing; the expiry only bounds their heap.

    It is long because it compares the clocks of two machines: with a short one a skewed clock drops every tick.
    """
    from django.conf import settings  # the settings are complete only now

    from tasks.content import REFRESH_PERIOD_SECONDS
    from tasks.upkeep import SWEEP_PERIOD_SECONDS

    period = settings.WATCHDOG_PERIOD_SECONDS
    sender.add_periodic_task(
        period, sender.signature("tasks.upkeep.watch_runs"), name="watch-runs", expires=TICK_LIFE_SECONDS
    )
    sender.add_periodic_task(
        period, sender.signature("tasks.upkeep.watch_replies"), name="watch-replies", expires=TICK_LIFE_SECONDS
    )
    sender.add_periodic_task(
        period, sender.signature("tasks.upkeep.send_mail"), name="send-mail", expires=TICK_LIFE_SECONDS
    )
    sender.add_periodic_task(
        SWEEP_PERIOD_SECONDS,
        sender.signature("tasks.upkeep.sweep_unfinished"),
        name="sweep-unfinished",
        expires=TICK_LIFE_SECONDS,
    )
    sender.add_periodic_task(
        REFRESH_PERIOD_SECONDS,
        sender.signature("tasks.upkeep.refresh_index"),
        name="refresh-index",
        expires=TICK_LIFE_SECONDS,
    )


@worker_init.connect
@beat_init.connect
def stop_without_access(**_: Any) -> None:
    """Celery swallows what a receiver raises, but for an exit."""
    try:
        require_broker_access(app.conf.broker_url)
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None


@worker_process_init.connect
def forget_parents_engines(**_: Any) -> None:
    """Engines hold threads and channels that do not survive a fork: each child loads its own."""
    from coaching.providers.registry import forget_adapters  # needs Django's settings

    forget_adapters()


class HeartbeatFile(bootsteps.StartStopStep):
    """Touches WORKER_READY_FILE from the consumer's own timer: a file that ages is a worker that hangs.

    `inspect ping` took seconds under load; a probe that reads a file's age takes none.
    """

    requires = ("celery.worker.components:Timer",)
    PERIOD_SECONDS = 2.0

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self.path = os.environ.get("WORKER_READY_FILE", "")
        self.timer_entry: Any = None

    def start(self, parent: Any) -> None:
        if self.path:
            self.timer_entry = parent.timer.call_repeatedly(self.PERIOD_SECONDS, self.touch_if_ready)

    def stop(self, parent: Any) -> None:
        if self.path:
            Path(self.path).unlink(missing_ok=True)

    def touch_if_ready(self) -> None:
        path = Path(self.path)
        if path.exists():
            path.touch()


app.steps["worker"].add(HeartbeatFile)


@worker_ready.connect
def announce_readiness(**_: Any) -> None:
    """The consumer is connected: only now does the heartbeat file exist."""
    if path := os.environ.get("WORKER_READY_FILE"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
