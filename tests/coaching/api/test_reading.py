"""Onboarding, dishes, the learner state, the rooms."""

import pytest
from rest_framework.test import APIClient

from coaching.models import ChatRoom, LearnerState, Message, Session, User
from coaching.models.chat import MessageKind, RoomType, Sender
from tests.coaching.api.conftest import read_problem
from tests.coaching.conftest import log_in
from tests.coaching.services.test_onboarding import CORE_ANSWERS, REQUIRED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]


def test_onboarding_saves_profile_and_consents() -> None:
    hana = User.objects.create_user("hana@example.com", first_name="花子")
    client = log_in(hana)
    body = client.get("/api/onboarding/").json()
    assert (body["onboarding_done"], body["answered"], len(body["missing_answers"])) == (False, 0, 14)
    response = client.post(
        "/api/onboarding/", {"answers": CORE_ANSWERS, "consents": REQUIRED, "finish": True}, format="json"
    )
    assert response.status_code == 200, response.content
    assert response.json()["onboarding_done"] is True
    assert response.json()["learner_profile"]["goals"] == ["cook_without_recipes", "impress_family"]
    me = client.get("/api/auth/me/").json()
    assert (me["onboarding_done"], me["first_name"]) == (True, "はな")
    assert all(consent["granted"] for consent in me["consents"] if consent["required"])


def test_faults_of_answers_come_by_their_key(alice_client: APIClient) -> None:
    body = {"answers": {"kitchen.heat_source": "bonfire", "goals": []}}
    problem = read_problem(alice_client.post("/api/onboarding/", body, format="json"), 400, "invalid_input")
    assert {(fault["field"], fault["code"]) for fault in problem["errors"]} == {
        ("answers.kitchen.heat_source", "choice"),
        ("answers.goals", "required"),
    }


def test_finishing_too_early_says_what_is_missing(alice_client: APIClient) -> None:
    problem = read_problem(
        alice_client.post("/api/onboarding/", {"finish": True}, format="json"), 400, "onboarding_incomplete"
    )
    assert len(problem["errors"]) == 14


@pytest.mark.parametrize("answers", [[], "x", 3, {"goals": {"a": {"b": []}}}])
def test_answers_of_another_shape_are_a_problem(alice_client: APIClient, answers: object) -> None:
    read_problem(alice_client.post("/api/onboarding/", {"answers": answers}, format="json"), 400, "invalid_input")


def test_open_dishes_are_listed_with_their_progress(alice_client: APIClient, submitted: Session) -> None:
    dishes = alice_client.get("/api/dishes/").json()
    assert [dish["slug"] for dish in dishes] == ["fried-rice", "beef-steak", "pomodoro"]
    assert dishes[0]["progress"]["status"] == "in_progress"
    assert dishes[0]["session_count"] == 1
    assert dishes[1]["progress"] == {"status": "not_started", "started_at": None, "completed_at": None}


def test_a_dish_tells_what_it_teaches(alice_client: APIClient) -> None:
    dish = alice_client.get("/api/dishes/fried-rice/").json()
    assert "egg_timing" in dish["principles"]
    assert dish["key_points"][0]["moment_ja"] == "火をつける前"
    assert dish["is_open"] is True
    assert alice_client.get("/api/dishes/tempura/").json()["is_open"] is False
    read_problem(alice_client.get("/api/dishes/stone-soup/"), 404, "not_found")


def test_a_new_learner_has_an_empty_state(alice_client: APIClient) -> None:
    state = alice_client.get("/api/learner-state/").json()
    assert (state["skills_acquired"], state["learning_velocity"]) == ([], "steady")
    assert not LearnerState.objects.exists(), "reading writes nothing"


def test_the_learner_state_is_ones_own(alice: User, alice_client: APIClient, charlie_client: APIClient) -> None:
    LearnerState.objects.create(user=alice, skills_acquired=["egg_timing"], next_focus="browning")
    assert alice_client.get("/api/learner-state/").json()["skills_acquired"] == ["egg_timing"]
    assert charlie_client.get("/api/learner-state/").json()["skills_acquired"] == []


def say(session: Session, room_type: RoomType, kind: MessageKind | None, **fields: str) -> Message:
    room, _ = ChatRoom.objects.get_or_create(user=session.user, room_type=room_type)
    metadata = {"type": str(kind), "session_id": session.pk}
    if kind == MessageKind.COOKING_VIDEO:
        metadata["thumbnail_path"] = session.thumbnail_path
    return Message.objects.create(
        chat_room=room, session=session, sender=Sender.AI, kind=kind, metadata=metadata, **fields
    )


def test_both_rooms_are_there_before_anything_was_said(alice_client: APIClient) -> None:
    rooms = alice_client.get("/api/chat/rooms/").json()
    assert [(room["room_type"], room["message_count"]) for room in rooms] == [("cooking_videos", 0), ("coaching", 0)]
    assert alice_client.get("/api/chat/rooms/coaching/messages/").json()["results"] == []
    read_problem(alice_client.get("/api/chat/rooms/help/messages/"), 404, "not_found")


def test_messages_come_newest_first_with_signed_urls(
    alice_client: APIClient, charlie_client: APIClient, completed: Session
) -> None:
    say(completed, RoomType.COACHING, MessageKind.COACHING_TEXT, text="🍳 今回の問題点")
    say(completed, RoomType.COACHING, MessageKind.COACHING_VIDEO, video_path=completed.coaching_video_gcs_path)
    say(completed, RoomType.COOKING_VIDEOS, MessageKind.COOKING_VIDEO, video_path=completed.raw_video_path)
    film, text = alice_client.get("/api/chat/rooms/coaching/messages/").json()["results"]
    assert film["video_url"] == alice_client.get(f"/api/sessions/{completed.pk}/").json()["coaching_video_url"]
    assert (text["text"], text["video_url"], text["session_id"]) == ("🍳 今回の問題点", None, completed.pk)
    cook = alice_client.get("/api/chat/rooms/cooking_videos/messages/").json()["results"][0]
    assert cook["video_url"].startswith("http://testserver/media/sessions/")
    assert cook["metadata"]["thumbnail_url"].startswith("http://testserver/media/sessions/")
    assert "thumbnail_path" not in cook["metadata"]
    assert charlie_client.get("/api/chat/rooms/coaching/messages/").json()["results"] == []


def test_a_message_of_a_deleted_session_is_still_read(alice_client: APIClient, completed: Session) -> None:
    say(completed, RoomType.COACHING, MessageKind.COACHING_VIDEO, video_path=completed.coaching_video_gcs_path)
    Message.objects.update(session=None)
    message = alice_client.get("/api/chat/rooms/coaching/messages/").json()["results"][0]
    assert (message["session_id"], message["video_url"]) == (None, None)
