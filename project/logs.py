"""How log lines look: readable ones by default, JSON objects with LOG_FORMAT=json. Neither holds a secret.

Everything logs through the standard library, as Django, Celery and gunicorn do; `coaching.log_context` says for whom.
"""

import logging
from typing import Any, Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from coaching.log_context import LOG_IDS, read_ids
from media_tools.redaction import redact

LogFormat = Literal["line", "json"]


class IdsFilter(logging.Filter):
    """Puts the ids of what is being done on the record."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in read_ids().items():
            record.__dict__.setdefault(name, value)
        return True


class LineFormatter(logging.Formatter):
    """`time LEVEL logger [ids] message`."""

    def format(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name}={record.__dict__[name]}" for name in LOG_IDS if name in record.__dict__)
        record.ids = f" [{ids}]" if ids else ""
        return redact(super().format(record))


class RedactingJsonFormatter(JsonFormatter):
    """Redacts the finished object: messages, tracebacks and extra fields alike. What is cut holds no quote."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def describe_logging(*, level: str, log_format: LogFormat) -> dict[str, Any]:
    """For `logging.config.dictConfig`. JSON fields are named as Cloud Logging reads them."""
    line = {
        "()": "project.logs.LineFormatter",
        "fmt": "%(asctime)s %(levelname)s %(name)s%(ids)s %(message)s",
    }
    structured = {
        "()": "project.logs.RedactingJsonFormatter",
        "fmt": "%(levelname)s %(name)s %(process)d %(message)s",
        "rename_fields": {"levelname": "severity", "name": "logger", "exc_info": "exception"},
        # Fields that Django and Celery add: a request's query, and what a task's message holds.
        "reserved_attrs": [*RESERVED_ATTRS, "request", "data", "context", "ids"],
        "timestamp": "time",
        "json_ensure_ascii": False,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"ids": {"()": "project.logs.IdsFilter"}},
        "formatters": {"chosen": structured if log_format == "json" else line},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen", "filters": ["ids"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handler of this logger writes in another form, and only while DEBUG is on.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # What is answered with 4xx has a line of `coaching.web.request_log`, which names its request.
            "django.request": {"level": "ERROR"},
            # A line for each message received and each task done doubles what the stage's own lines say.
            "celery.worker.strategy": {"level": "WARNING"},
            # Likewise a line for each call to Gemini, and the address is all that it tells.
            "httpx": {"level": "WARNING"},
        },
    }
