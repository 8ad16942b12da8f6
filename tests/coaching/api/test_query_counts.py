"""What a page costs does not grow with what is on it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from coaching.models import Session, SessionStatus, User
from coaching.models.chat import RoomType
from tests.coaching.api.test_reading import say
from tests.coaching.services.test_sessions import begin, end

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]


def count_queries(client: APIClient, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/auth/me/", 3),
        ("/api/onboarding/", 4),
        ("/api/dishes/", 4),
        ("/api/dishes/fried-rice/", 4),
        ("/api/sessions/", 3),
        ("/api/sessions/{pk}/", 6),
        ("/api/chat/rooms/", 3),
        ("/api/chat/rooms/coaching/messages/", 3),
        ("/api/learner-state/", 3),
    ],
)
def test_a_read_takes_the_same_few_queries_however_much_there_is(
    alice: User, alice_client: APIClient, completed: Session, path: str, most: int
) -> None:
    path = path.format(pk=completed.pk)
    alice_client.get(path)
    few = count_queries(alice_client, path)
    for number in range(12):
        cook = end(begin(alice, "pomodoro"), SessionStatus.FAILED)
        say(cook, RoomType.COACHING, None, text=f"message {number}")
    assert count_queries(alice_client, path) == few
    assert few <= most
