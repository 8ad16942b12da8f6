"""How much may be spent in a day, in all and for one learner; beyond it runs wait for the next day, or fail.

The day is Tokyo's. Checked before a stage that asks a paid model begins, so a day may end above its budget by what
was under way: the budget stops a flood, it is no invoice.
"""

import logging
import random
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from coaching.errors import BudgetUsedUp, RetryLater
from coaching.models import Stage, User
from coaching.queries.spending import sum_spent_usd

PAID_STAGES = frozenset({Stage.LISTEN, Stage.ANALYSE, Stage.RETRIEVE, Stage.SCRIPT, Stage.NARRATE})
SPREAD = timedelta(minutes=10)  # those who waited for the day do not begin it all at once

logger = logging.getLogger(__name__)


def require_budget(user: User, *, may_wait: bool = True) -> None:
    """Raises `RetryLater` until the next day or `BudgetUsedUp`, as BUDGET_USED_UP says, naming the setting.

    Whoever looks at a page does not wait for tomorrow: without `may_wait` it is `BudgetUsedUp`.
    """
    begins_at, ends_at = find_day(timezone.now())
    bounds = (
        ("DAILY_BUDGET_USD", settings.DAILY_BUDGET_USD, None),
        ("LEARNER_DAILY_BUDGET_USD", settings.LEARNER_DAILY_BUDGET_USD, user),
    )
    for name, bound_usd, of_whom in bounds:
        if not bound_usd:
            continue
        spent_usd = sum_spent_usd(since=begins_at, user=of_whom)
        if spent_usd < bound_usd:
            continue
        whose = "" if of_whom is None else f" for user {of_whom.pk}"
        said = f"{name}={bound_usd:g} is used up{whose}: {spent_usd:.2f} USD were spent since {begins_at:%m-%d %H:%M}"
        logger.warning("%s; runs %s", said, settings.BUDGET_USED_UP)
        if settings.BUDGET_USED_UP == "fail" or not may_wait:
            raise BudgetUsedUp(said)
        raise RetryLater(said, due_at=ends_at + random.random() * SPREAD)


def find_day(now: datetime) -> tuple[datetime, datetime]:
    """Begin and end of the day in Tokyo that `now` is in."""
    begins_at = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return begins_at, begins_at + timedelta(days=1)
