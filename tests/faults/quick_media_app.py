"""The project's own Celery application, with `tests.faults.quick_media` in the place of two stages."""

from project.celery import app

app.conf.imports = ["tests.faults.quick_media"]

__all__ = ["app"]
