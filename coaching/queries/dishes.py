"""Which dishes a learner may cook, and how far they have come with them."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone

from coaching.errors import NotFound
from coaching.models import Dish, SessionStatus, User, UserDishProgress
from coaching.models.dish import DishStatus
from coaching.models.user import SubscriptionStatus

NOT_COUNTING = (SessionStatus.FAILED, SessionStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DishView:
    """A dish as one learner sees it. `session_count` counts what counts: neither failed nor cancelled."""

    dish: Dish
    is_open: bool
    progress: UserDishProgress
    session_count: int


def get_open_month(user: User) -> int:
    """The newest month of dishes that is open: months subscribed + 1, by the calendar of Tokyo; free learners: 1."""
    since = user.subscribed_since
    if user.subscription_status == SubscriptionStatus.FREE or since is None:
        return 1
    today = timezone.localdate()
    return max(0, (today.year - since.year) * 12 + today.month - since.month) + 1


def is_dish_open(dish: Dish, user: User) -> bool:
    return dish.month_unlocked <= get_open_month(user)


def list_open_dishes(user: User) -> list[DishView]:
    return _view_dishes(user, Q(month_unlocked__lte=get_open_month(user)))


def list_all_dishes(user: User) -> list[DishView]:
    """Open or not: the pages show what is coming."""
    return _view_dishes(user, Q())


def get_dish(user: User, slug: str) -> DishView:
    """Raises `NotFound`. A dish that is not open yet can be read about."""
    views = _view_dishes(user, Q(slug=slug))
    if not views:
        raise NotFound(f"no dish {slug!r}")
    return views[0]


def _view_dishes(user: User, wanted: Q) -> list[DishView]:
    counting = Count(
        "sessions", filter=Q(sessions__user=user) & ~Q(sessions__status__in=[*NOT_COUNTING, SessionStatus.DRAFT])
    )
    progress = {row.dish_id: row for row in UserDishProgress.objects.filter(user=user)}
    return [
        DishView(
            dish=dish,
            is_open=is_dish_open(dish, user),
            progress=progress.get(dish.pk) or UserDishProgress(user=user, dish=dish, status=DishStatus.NOT_STARTED),
            session_count=dish.session_count,
        )
        for dish in Dish.objects.filter(wanted).annotate(session_count=counting).order_by("order")
    ]
