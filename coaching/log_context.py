"""The ids that every log line carries while something is done: one run's string web, worker and FFmpeg together.

A context variable: each request, task and thread has its own. A thread that works for somebody else is started inside
`contextvars.copy_context().run`. The names are those of `LOG_IDS`; the log's filter puts them on every record.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

LOG_IDS = ("request_id", "task_id", "session_id", "run_id", "stage", "attempt")
REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9_.-]{8,64}")

_ids: ContextVar[Mapping[str, str]] = ContextVar("log_ids", default={})  # noqa: B039 - never changed in place


def read_ids() -> Mapping[str, str]:
    """The ids of what is being done here and now."""
    return _ids.get()


def note_ids(**ids: object) -> None:
    """Add ids until the surrounding `bind_ids` ends."""
    if unknown := ids.keys() - set(LOG_IDS):
        raise ValueError(f"no ids of logs: {sorted(unknown)}")
    _ids.set({**_ids.get(), **{name: str(value) for name, value in ids.items()}})


@contextmanager
def bind_ids(**ids: object) -> Iterator[None]:
    """Add ids for the length of the block."""
    before = _ids.set(_ids.get())
    try:
        note_ids(**ids)
        yield
    finally:
        _ids.reset(before)


def replace_ids(**ids: object) -> None:
    """These and no others, for a thread that begins with something new."""
    _ids.set({})
    note_ids(**ids)
