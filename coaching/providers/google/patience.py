"""Once more at once, where that is likely to do: a dropped connection and a 503 often pass within a second.

Everything longer is the stage's matter: it frees its worker and comes back at `due_at`. A 429 always is.
"""

from collections.abc import Callable
from typing import TypeVar

from coaching.errors import ProviderUnavailable
from coaching.providers.deadline import Deadline

Answer = TypeVar("Answer")

TRIES = 3
LONGEST_WAIT_SECONDS = 2.0


def call_patiently(call: Callable[[], Answer], *, deadline: Deadline, tries: int = TRIES) -> Answer:
    """What `call` answers, tried up to `tries` times while the deadline leaves room; raises what the last did."""
    import tenacity  # comes with Google's clients: the embedded default has none

    def may_pass_soon(error: BaseException) -> bool:
        soon = isinstance(error, ProviderUnavailable) and (error.retry_after_seconds or 0) <= LONGEST_WAIT_SECONDS
        return soon and deadline.remaining_seconds > LONGEST_WAIT_SECONDS

    deadline.check()
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(may_pass_soon),
        stop=tenacity.stop_after_attempt(tries),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT_SECONDS),
        reraise=True,
    )
    return retrying(call)
