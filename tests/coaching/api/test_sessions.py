from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from coaching.models import PipelineRun, Session, SessionStatus, Stage, StageRun, StageState, Upload, User
from coaching.providers.ports import SelfServedStore
from coaching.services import runs
from tests.coaching.api.conftest import read_problem
from tests.coaching.conftest import log_in, write_memo
from tests.coaching.services.test_sessions import begin, end

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]

CLAIM = {"size_bytes": 10_264, "content_type": "video/mp4"}


def make_file(content: bytes, name: str = "cook.mp4", content_type: str = "video/mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


# --- beginning ------------------------------------------------------------------------------------------------------


def test_a_session_is_begun_with_where_to_upload(alice_client: APIClient) -> None:
    response = alice_client.post("/api/sessions/", {"dish": "fried-rice", "video": CLAIM}, format="json")
    assert response.status_code == 201
    body = response.json()
    assert response.headers["Location"] == f"http://testserver/api/sessions/{body['id']}/"
    assert (body["status"], body["session_number"], body["dish"]["slug"]) == ("draft", 1, "fried-rice")
    assert body["upload"]["url"].startswith("http://testserver/uploads/")
    assert body["upload"]["chunk_bytes"] % (256 * 1024) == 0
    assert body["is_input_open"] is True
    assert body["pipeline"] is None
    assert body["raw_video_url"] is None


def test_without_a_video_there_is_no_upload_yet(alice_client: APIClient) -> None:
    assert alice_client.post("/api/sessions/", {"dish": "fried-rice"}, format="json").json()["upload"] is None


@pytest.mark.parametrize(
    ("dish", "video", "status", "code"),
    [
        ("stone-soup", CLAIM, 404, "not_found"),
        ("tempura", CLAIM, 403, "dish_locked"),
        ("pomodoro", CLAIM | {"size_bytes": 0}, 400, "upload_refused"),
        ("pomodoro", CLAIM | {"size_bytes": 5 * 1024**3}, 400, "upload_refused"),
        ("pomodoro", CLAIM | {"size_bytes": -5}, 400, "invalid_input"),
        ("pomodoro", CLAIM | {"content_type": "text/html"}, 400, "upload_refused"),
        ("", CLAIM, 400, "invalid_input"),
    ],
)
def test_a_beginning_that_may_not_be_is_refused(
    alice_client: APIClient, dish: str, video: dict[str, Any], status: int, code: str
) -> None:
    response = alice_client.post("/api/sessions/", {"dish": dish, "video": video}, format="json")
    read_problem(response, status, code)
    assert not Session.objects.exists()


def test_without_consents_none_begins(db: None) -> None:
    stranger = User.objects.create_user("hana@example.com", first_name="花")
    response = log_in(stranger).post("/api/sessions/", {"dish": "pomodoro"}, format="json")
    read_problem(response, 403, "consent_missing")


def test_a_second_session_of_a_free_learner_and_a_fourth_of_anyone(
    alice_client: APIClient, bob_client: APIClient
) -> None:
    assert bob_client.post("/api/sessions/", {"dish": "pomodoro"}, format="json").status_code == 201
    read_problem(bob_client.post("/api/sessions/", {"dish": "pomodoro"}, format="json"), 403, "quota_used_up")
    for _ in range(3):
        assert alice_client.post("/api/sessions/", {"dish": "pomodoro"}, format="json").status_code == 201
    response = alice_client.post("/api/sessions/", {"dish": "pomodoro"}, format="json")
    read_problem(response, 409, "session_limit_reached")


@pytest.mark.parametrize("status", ["past_due", "cancelled"])
def test_who_does_not_pay_reads_everything_and_begins_nothing(
    alice: User, alice_client: APIClient, completed: Session, status: str
) -> None:
    User.objects.filter(pk=alice.pk).update(subscription_status=status)
    assert alice_client.get(f"/api/sessions/{completed.pk}/").json()["coaching_video_url"]
    response = alice_client.post("/api/sessions/", {"dish": "pomodoro"}, format="json")
    read_problem(response, 403, "subscription_inactive")


# --- the resumable way ----------------------------------------------------------------------------------------------


def test_a_whole_cook_by_the_resumable_way(
    alice_client: APIClient,
    object_store: SelfServedStore,
    video_bytes: bytes,
    memo_file: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    claim = CLAIM | {"size_bytes": len(video_bytes)}
    begun = alice_client.post("/api/sessions/", {"dish": "fried-rice", "video": claim}, format="json").json()
    here = f"/api/sessions/{begun['id']}/"
    assert alice_client.patch(here + "ratings/", {"taste": 4, "aroma": 5}, format="json").status_code == 200
    with memo_file.open("rb") as memo:
        assert alice_client.post(here + "voice-memo/", {"memo": memo}, format="multipart").status_code == 200
    url = begun["upload"]["url"]
    total = len(video_bytes)
    headers = {"Content-Range": f"bytes 0-{total - 1}/{total}"}
    answer = Client().put(url, video_bytes, content_type="application/octet-stream", headers=headers)
    assert answer.status_code == 200
    with django_capture_on_commit_callbacks() as callbacks:
        response = alice_client.post(here + "submit/")
    assert len(callbacks) == 2, "the upload's URL dies and the chain is published"
    assert response.status_code == 202
    body = response.json()
    assert (body["status"], body["self_ratings"], body["upload"]) == ("processing", {"taste": 4, "aroma": 5}, None)
    assert body["voice_memo_url"].startswith("http://testserver/media/")
    assert [stage["stage"] for stage in body["pipeline"]["stages"]] == list(Stage)
    assert body["pipeline"]["stages"][0]["queue"] == {"name": "media", "ahead": 0}
    read_problem(alice_client.post(here + "submit/"), 409, "conflict")


def test_a_submit_without_its_video_says_so(alice_client: APIClient, draft: Session) -> None:
    read_problem(alice_client.post(f"/api/sessions/{draft.pk}/submit/"), 409, "upload_incomplete")


def test_a_type_that_lies_is_refused_and_another_video_may_come(
    alice_client: APIClient, draft: Session, object_store: SelfServedStore
) -> None:
    token = draft.uploads.get().url.removeprefix("/uploads/")
    lie = b"<html>" + b" " * (draft.uploads.get().size_bytes - 6)
    object_store.append_chunk(
        token=token, first_byte=0, last_byte=len(lie) - 1, total_bytes=len(lie), stream=BytesIO(lie)
    )
    read_problem(alice_client.post(f"/api/sessions/{draft.pk}/submit/"), 400, "upload_refused")
    response = alice_client.post(f"/api/sessions/{draft.pk}/uploads/", CLAIM, format="json")
    assert response.status_code == 201
    assert response.json()["url"] != draft.uploads.order_by("id")[0].url


def test_a_failed_session_takes_another_video_and_keeps_the_rest(alice_client: APIClient, submitted: Session) -> None:
    Session.objects.update(self_ratings={"taste": 2})
    end(submitted, SessionStatus.FAILED)
    response = alice_client.post(f"/api/sessions/{submitted.pk}/uploads/", CLAIM, format="json")
    assert response.status_code == 201
    body = alice_client.get(f"/api/sessions/{submitted.pk}/").json()
    assert (body["status"], body["pipeline"], body["is_input_open"]) == ("draft", None, True)
    assert body["upload"]["url"] == response.json()["url"]


def test_a_draft_can_be_given_up(bob: User, bob_client: APIClient) -> None:
    session = begin(bob)
    assert bob_client.delete(f"/api/sessions/{session.pk}/").status_code == 204
    assert bob_client.post("/api/sessions/", {"dish": "pomodoro"}, format="json").status_code == 201


# --- the multipart way ----------------------------------------------------------------------------------------------


def test_a_video_in_one_request_starts_the_work(
    alice_client: APIClient, draft: Session, video_bytes: bytes, object_store: SelfServedStore
) -> None:
    response = alice_client.post(
        f"/api/sessions/{draft.pk}/upload/", {"video": make_file(video_bytes)}, format="multipart"
    )
    assert response.status_code == 202, response.content
    assert response.json()["status"] == "processing"
    draft.refresh_from_db()
    stored = object_store.find(draft.raw_video_path)
    assert stored is not None
    assert stored.size_bytes == len(video_bytes)
    assert PipelineRun.objects.get().session == draft
    assert not Upload.objects.filter(closed_at__isnull=True).exists()


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b"", "video/mp4", "invalid_input"),
        (b"<html></html>", "video/mp4", "upload_refused"),
        (b"\x1a\x45\xdf\xa3" + b"webm" * 20, "video/mp4", "upload_refused"),
        (b"GIF89a", "image/gif", "upload_refused"),
    ],
)
def test_a_video_that_is_none_is_refused_and_the_draft_stays(
    *,
    alice_client: APIClient,
    draft: Session,
    object_store: SelfServedStore,
    content: bytes,
    content_type: str,
    code: str,
) -> None:
    file = make_file(content, content_type=content_type)
    response = alice_client.post(f"/api/sessions/{draft.pk}/upload/", {"video": file}, format="multipart")
    read_problem(response, 400, code)
    draft.refresh_from_db()
    assert draft.status == SessionStatus.DRAFT
    assert list(object_store.list_paths("")) == []


def test_a_form_without_the_file_says_which_field(alice_client: APIClient, draft: Session) -> None:
    response = alice_client.post(f"/api/sessions/{draft.pk}/upload/", {"film": "x"}, format="multipart")
    problem = read_problem(response, 400, "invalid_input")
    assert [(fault["field"], fault["code"]) for fault in problem["errors"]] == [("video", "required")]


def test_a_video_that_nobody_wants_is_not_read(
    alice_client: APIClient, submitted: Session, video_bytes: bytes, settings: Settings, tmp_path: Path
) -> None:
    """The refusal comes before the body is parsed, so no temporary file is ever made."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "not-there"
    file = make_file(video_bytes)
    response = alice_client.post(f"/api/sessions/{submitted.pk}/upload/", {"video": file}, format="multipart")
    read_problem(response, 409, "conflict")


def test_a_video_too_large_is_refused_by_its_length(
    alice_client: APIClient, draft: Session, video_bytes: bytes, settings: Settings
) -> None:
    settings.VIDEO_MAX_BYTES = 1000
    response = alice_client.post(
        f"/api/sessions/{draft.pk}/upload/", {"video": make_file(video_bytes)}, format="multipart"
    )
    read_problem(response, 400, "upload_refused")
    response = alice_client.post(
        f"/api/sessions/{draft.pk}/upload/", {"video": make_file(video_bytes * 10)}, format="multipart"
    )
    read_problem(response, 413, "payload_too_large")


def test_temporary_files_do_not_outlive_their_request(
    alice_client: APIClient, draft: Session, video_bytes: bytes, settings: Settings, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    file = make_file(video_bytes)
    alice_client.post(f"/api/sessions/{draft.pk}/upload/", {"video": file}, format="multipart")
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == []


# --- memo and ratings -----------------------------------------------------------------------------------------------


def test_a_memo_too_long_is_refused_in_the_learners_words(
    alice_client: APIClient, draft: Session, tmp_path: Path
) -> None:
    file = make_file(write_memo(tmp_path / "m.wav", seconds=200).read_bytes(), "m.wav", "audio/wav")
    response = alice_client.post(f"/api/sessions/{draft.pk}/voice-memo/", {"memo": file}, format="multipart")
    assert "長すぎました" in read_problem(response, 422, "unusable_media")["detail"]


def test_memo_and_ratings_are_closed_once_the_coach_listens(
    alice_client: APIClient, submitted: Session, memo_file: Path
) -> None:
    run = PipelineRun.objects.get()
    claim = runs.claim_stage(run_id=run.pk, stage=Stage.INSPECT, worker="test")
    assert claim is not None
    runs.commit_stage(claim, output={"video": {"content_type": "video/mp4"}, "thumbnail_path": "p.jpg"})
    here = f"/api/sessions/{submitted.pk}/"
    assert alice_client.patch(here + "ratings/", {"taste": 4}, format="json").status_code == 200
    runs.claim_stage(run_id=run.pk, stage=Stage.LISTEN, worker="test")
    assert alice_client.get(here).json()["is_input_open"] is False
    read_problem(alice_client.patch(here + "ratings/", {"taste": 1}, format="json"), 409, "input_closed")
    with memo_file.open("rb") as memo:
        response = alice_client.post(here + "voice-memo/", {"memo": memo}, format="multipart")
    read_problem(response, 409, "input_closed")


@pytest.mark.parametrize("ratings", [{"taste": 0}, {"taste": 6}, {"taste": "good"}, {"taste": [3]}])
def test_ratings_out_of_range_are_faults_of_their_field(
    alice_client: APIClient, draft: Session, ratings: dict[str, Any]
) -> None:
    response = alice_client.patch(f"/api/sessions/{draft.pk}/ratings/", ratings, format="json")
    assert {fault["field"] for fault in read_problem(response, 400, "invalid_input")["errors"]} == {"taste"}


# --- reading --------------------------------------------------------------------------------------------------------


def test_nothing_of_an_upload_is_shown_before_inspect_passed(alice_client: APIClient, submitted: Session) -> None:
    here = f"/api/sessions/{submitted.pk}/"
    body = alice_client.get(here).json()
    assert (body["raw_video_url"], body["poster_url"]) == (None, None)
    StageRun.objects.filter(stage=Stage.INSPECT).update(
        state=StageState.DONE,
        output={"video": {"content_type": "video/quicktime"}, "thumbnail_path": "sessions/1/poster.jpg"},
    )
    body = alice_client.get(here).json()
    assert "type=video%2Fquicktime" in body["raw_video_url"]
    assert "sessions/1/poster.jpg" in body["poster_url"]


def test_a_finished_session_has_its_film_and_all_that_goes_with_it(alice_client: APIClient, completed: Session) -> None:
    body = alice_client.get(f"/api/sessions/{completed.pk}/").json()
    for name in ("coaching_video", "captions", "chapters", "poster", "download", "raw_video", "voice_memo"):
        assert body[f"{name}_url"].startswith("http://testserver/media/"), name
    assert "name=fried-rice-1.mp4" in body["download_url"]
    assert body["film"] == {"duration_seconds": 58.2, "width_px": 1280, "height_px": 720, "is_offline_coach": True}


def test_signed_urls_and_etags_stay_the_same_between_polls(alice_client: APIClient, completed: Session) -> None:
    here = f"/api/sessions/{completed.pk}/"
    first = alice_client.get(here)
    etag = first.headers["ETag"]
    again = alice_client.get(here, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    Session.objects.update(self_ratings={"taste": 5})
    changed = alice_client.get(here, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.json()["coaching_video_url"] == first.json()["coaching_video_url"]


def test_the_list_holds_ones_own_sessions_newest_first(
    alice: User, alice_client: APIClient, charlie: User, completed: Session
) -> None:
    newer = begin(alice, "pomodoro")
    begin(charlie)
    body = alice_client.get("/api/sessions/").json()
    assert [session["id"] for session in body["results"]] == [newer.pk, completed.pk]
    assert body["results"][1]["poster_url"]
    assert body["next"] is None


def test_the_list_is_read_page_by_page(alice: User, alice_client: APIClient) -> None:
    cooks = [end(begin(alice), SessionStatus.FAILED).pk for _ in range(5)]
    seen: list[int] = []
    url = "/api/sessions/?page_size=2"
    while url:
        body = alice_client.get(url).json()
        seen += [session["id"] for session in body["results"]]
        url = body["next"]
    assert seen == cooks[::-1]


def test_a_cursor_that_is_none_is_a_problem(alice_client: APIClient) -> None:
    read_problem(alice_client.get("/api/sessions/?cursor=%00x"), 404, "not_found")
