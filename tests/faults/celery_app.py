"""The project's own Celery application, whose stages obey `tests.faults.orders`.

FAULT_CLOCK_AHEAD_SECONDS sets the clock of a process apart from those of the others.
"""

import os
import time

import time_machine

from project.celery import app

if ahead_seconds := os.environ.get("FAULT_CLOCK_AHEAD_SECONDS"):
    time_machine.travel(time.time() + float(ahead_seconds), tick=True).start()

app.conf.imports = ["tests.faults.orders", "tests.faults.chat_orders"]

__all__ = ["app"]
