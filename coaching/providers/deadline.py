"""A deadline of our own: vendors' timeouts count one read, one attempt or nothing at all."""

import time

from coaching.errors import ProviderUnavailable


class Deadline:
    """So many seconds from now on. Who works asks it between two pieces of work, or takes what remains as a limit."""

    def __init__(self, seconds: float, *, doing: str) -> None:
        self._ends_at = time.monotonic() + seconds
        self._seconds = seconds
        self._doing = doing

    @property
    def remaining_seconds(self) -> float:
        return max(0.0, self._ends_at - time.monotonic())

    def check(self) -> None:
        """Raises `ProviderUnavailable` once the time is over."""
        if not self.remaining_seconds:
            raise ProviderUnavailable(f"{self._doing} took longer than its {self._seconds:g} s")
