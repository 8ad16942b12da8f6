"""The two rooms: what is shown, how older messages come, what counts as unread."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from coaching import queries
from coaching.models import ChatRoom, Message, User
from coaching.models.chat import RoomType, Sender
from coaching.queries.rooms import MESSAGES_PER_PAGE
from coaching.services.chat import open_rooms
from coaching.services.rooms import mark_room_read
from tests.finished_cooks import Footage, finish_cook, share_footage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]
ROOM = "/chat/coaching/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def footage() -> Footage:
    return share_footage()


@pytest.fixture
def alice_page(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def say(user: User, text: str, sender: Sender = Sender.AI) -> Message:
    open_rooms(user)
    room = ChatRoom.objects.get(user=user, room_type=RoomType.COACHING)
    return Message.objects.create(chat_room=room, sender=sender, text=text)


def read(response: Any) -> str:
    return str(response.content.decode())


def count_unread(user: User) -> dict[RoomType, int]:
    return {room.room_type: room.unread_count for room in queries.list_rooms(user)}


def test_a_new_learner_is_told_what_will_come(alice_page: Client) -> None:
    assert "まだコーチングは届いていません" in read(alice_page.get(ROOM))
    assert "まだ動画はありません" in read(alice_page.get("/chat/cooking-videos/"))


def test_a_finished_cook_stands_in_both_rooms(alice: User, alice_page: Client, footage: Footage) -> None:
    session = finish_cook(alice, footage)
    coaching = read(alice_page.get(ROOM))
    assert "🍳 今回の問題点" in coaching
    assert 'data-link="coaching_video_url"' in coaching
    assert f"/sessions/{session.pk}/captions.vtt" in coaching
    assert f'href="/sessions/{session.pk}/"' in coaching
    cooks = read(alice_page.get("/chat/cooking-videos/"))
    assert 'data-link="raw_video_url"' in cooks
    assert 'poster="/media/' in cooks


def test_nobody_reads_anothers_room(alice: User, charlie: User) -> None:
    say(alice, "ひみつの相談")
    client = Client()
    client.force_login(charlie)
    assert "ひみつの相談" not in read(client.get(ROOM))


def test_older_messages_come_by_cursor_until_the_first(alice: User, alice_page: Client) -> None:
    said = [say(alice, f"第{number:03}話") for number in range(MESSAGES_PER_PAGE * 2 + 1)]
    newest = read(alice_page.get(ROOM))
    assert "第040話" in newest
    assert "第020話" not in newest
    cursor = f"{ROOM}?before={said[MESSAGES_PER_PAGE + 1].pk}"
    assert f'hx-get="{cursor}" hx-trigger="revealed"' in newest
    older = read(alice_page.get(cursor, headers=HTMX))
    assert older.index("第001話") < older.index("第020話")
    assert "<html" not in older
    assert f"{ROOM}?before={said[1].pk}" in older
    oldest = read(alice_page.get(f"{ROOM}?before={said[1].pk}", headers=HTMX))
    assert "第000話" in oldest
    assert "?before=" not in oldest


def test_without_javascript_older_messages_are_a_page(alice: User, alice_page: Client) -> None:
    said = [say(alice, f"第{number:03}話") for number in range(MESSAGES_PER_PAGE + 1)]
    page = read(alice_page.get(f"{ROOM}?before={said[-1].pk}"))
    assert "<html" in page
    assert "いちばん新しいところへ" in page


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "１２", "1;drop", ""])
def test_a_forged_cursor_shows_the_newest(alice: User, alice_page: Client, cursor: str) -> None:
    say(alice, "いちばん新しい話")
    assert "いちばん新しい話" in read(alice_page.get(ROOM, {"before": cursor}))


def test_what_was_seen_is_no_longer_unread(alice: User, alice_page: Client) -> None:
    say(alice, "こんにちは")
    say(alice, "質問です", Sender.USER)
    assert count_unread(alice) == {RoomType.COOKING_VIDEOS: 0, RoomType.COACHING: 1}
    assert "1<span" in read(alice_page.get("/chat/cooking-videos/")), "the other room's count"
    alice_page.get(ROOM)
    assert count_unread(alice)[RoomType.COACHING] == 0
    newer = say(alice, "お返事です")
    assert count_unread(alice)[RoomType.COACHING] == 1
    page = read(alice_page.get(ROOM))
    assert page.index("質問です") < page.index("ここから未読") < page.index("お返事です")
    mark_room_read(user=alice, room_type=RoomType.COACHING, up_to=newer.pk - 1)
    assert count_unread(alice)[RoomType.COACHING] == 0, "a slower tab takes nothing back"


def test_reading_what_is_older_marks_nothing(alice: User, alice_page: Client) -> None:
    said = [say(alice, f"第{number:03}話") for number in range(MESSAGES_PER_PAGE + 5)]
    alice_page.get(f"{ROOM}?before={said[-1].pk}")
    alice_page.get(f"{ROOM}?before={said[-1].pk}", headers=HTMX)
    assert count_unread(alice)[RoomType.COACHING] == len(said)


def test_the_api_counts_the_unread(alice: User, alice_client: APIClient) -> None:
    say(alice, "こんにちは")
    rooms = {room["room_type"]: room["unread_count"] for room in alice_client.get("/api/chat/rooms/").json()}
    assert rooms == {"cooking_videos": 0, "coaching": 1}


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "あ" * 1001, "🍳🥚🍚", "مرحبا كيف أطبخ الأرز؟", "'; DROP TABLE coaching_message; --"],
)
def test_any_text_is_shown_as_text(alice: User, alice_page: Client, text: str) -> None:
    say(alice, text)
    page = read(alice_page.get(ROOM))
    assert "<script>alert" not in page
    assert 'class="message-body" dir="auto"' in page
    assert text.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;") in page


def test_a_film_that_is_gone_says_so(alice: User, alice_page: Client, footage: Footage) -> None:
    finish_cook(alice, footage)
    Message.objects.update(session=None)
    assert "この動画は、もう見られません。" in read(alice_page.get(ROOM))


def test_a_room_costs_the_same_however_much_is_in_it(
    alice: User, alice_page: Client, footage: Footage, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 2, 3):
        finish_cook(alice, footage, session_number=number)
    alice_page.get(ROOM)
    # The login takes two, then the room, its messages with their sessions, the counts, the marker.
    with django_assert_num_queries(6):
        alice_page.get(ROOM)
