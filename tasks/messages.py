"""Reads what a stage's message says, and refuses what no process of this release would have sent.

Anybody with the broker's password can put anything onto a queue, and a deployment leaves messages of the release
before. A refused message is logged and acknowledged and changes no state: a row that needs one gets a new one from
the watchdog.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

LONGEST_EXCERPT = 200


class UnusableMessage(Exception):
    """The text says what is wrong with it."""


def read_run_id(args: Sequence[Any], kwargs: Mapping[str, Any]) -> UUID:
    """The run that a stage's message is about. Raises `UnusableMessage`."""
    if len(args) != 1 or kwargs or not isinstance(args[0], str):
        raise UnusableMessage(f"it carries {excerpt((*args, *kwargs.items()))} instead of one run's id")
    try:
        run_id = UUID(args[0])
    except ValueError:
        raise UnusableMessage(f"{excerpt(args[0])} is no run's id") from None
    if str(run_id) != args[0]:
        raise UnusableMessage(f"{excerpt(args[0])} is not how we write a run's id")
    return run_id


def require_queue(*, arrived_on: str | None, expected: str) -> None:
    """Raises `UnusableMessage` for work that came to a pool which is not made for it."""
    if arrived_on != expected:
        raise UnusableMessage(f"it came on the queue {excerpt(arrived_on)} instead of {expected}")


def excerpt(value: object) -> str:
    """Of a stranger's value, as much as a log line bears, without line breaks."""
    text = repr(value)
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}..."
