"""The project's own Celery application, whose stages obey `tests.faults.orders`."""

from project.celery import app

app.conf.imports = ["tests.faults.orders"]

__all__ = ["app"]
