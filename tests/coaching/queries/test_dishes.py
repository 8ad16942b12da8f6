from datetime import date

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from coaching import queries
from coaching.errors import NotFound
from coaching.models import SessionStatus, User
from coaching.models.user import SubscriptionStatus
from tests.coaching.services.test_sessions import begin, end

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content")]


def months_ago(months: int) -> date:
    today = timezone.localdate()
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return date(year, month + 1, 1)


@pytest.mark.parametrize(
    ("status", "months", "open_month"),
    [
        (SubscriptionStatus.FREE, None, 1),
        (SubscriptionStatus.FREE, 5, 1),
        (SubscriptionStatus.ACTIVE, None, 1),
        (SubscriptionStatus.ACTIVE, 0, 1),
        (SubscriptionStatus.ACTIVE, 1, 2),
        (SubscriptionStatus.ACTIVE, 14, 15),
        (SubscriptionStatus.ACTIVE, -1, 1),
        (SubscriptionStatus.PAST_DUE, 2, 3),
        (SubscriptionStatus.CANCELLED, 2, 3),
    ],
)
def test_dishes_open_by_the_months_of_a_subscription(
    alice: User, status: SubscriptionStatus, months: int | None, open_month: int
) -> None:
    alice.subscription_status = status
    alice.subscribed_since = None if months is None else months_ago(months)
    assert queries.get_open_month(alice) == open_month


def test_the_list_holds_the_open_dishes_in_order(alice: User) -> None:
    assert [view.dish.slug for view in queries.list_open_dishes(alice)] == ["fried-rice", "beef-steak", "pomodoro"]
    alice.subscribed_since = months_ago(1)
    assert len(queries.list_open_dishes(alice)) == 9
    assert len(queries.list_all_dishes(alice)) == 29


def test_a_dish_that_is_not_open_can_be_read_about(alice: User) -> None:
    assert not queries.get_dish(alice, "tempura").is_open
    with pytest.raises(NotFound):
        queries.get_dish(alice, "stone-soup")


@pytest.mark.usefixtures("object_store")
def test_sessions_are_counted_for_their_learner_alone(alice: User, charlie: User) -> None:
    end(begin(alice), SessionStatus.COMPLETED)
    end(begin(alice), SessionStatus.FAILED)
    begin(alice)
    end(begin(charlie), SessionStatus.COMPLETED)
    view = queries.get_dish(alice, "fried-rice")
    assert (view.session_count, view.progress.status) == (1, "not_started")


def test_the_list_takes_two_queries_however_many_dishes(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    alice.subscribed_since = months_ago(12)
    with django_assert_num_queries(2):
        assert len(queries.list_open_dishes(alice)) == 29
