from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from coaching.errors import (
    Conflict,
    ConsentMissing,
    DishLocked,
    MomentCloneError,
    NotFound,
    QuotaUsedUp,
    SessionLimitReached,
    SubscriptionInactive,
    UploadClosed,
    UploadIncomplete,
    UploadRefused,
)
from coaching.models import (
    Consent,
    PipelineRun,
    Session,
    SessionStatus,
    Stage,
    StageRun,
    StageState,
    Upload,
    User,
    UserDishProgress,
)
from coaching.models.user import SubscriptionStatus
from coaching.providers.ports import SelfServedStore
from coaching.services import sessions
from coaching.services.sessions import VideoClaim

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]


def claim(size_bytes: int = 10_264, content_type: str = "video/mp4") -> VideoClaim:
    return VideoClaim(size_bytes=size_bytes, content_type=content_type, origin="http://testserver")


def begin(user: User, dish: str = "fried-rice", **fields: Any) -> Session:
    return sessions.create_session(user=user, dish_slug=dish, video=claim(**fields))


def end(session: Session, status: SessionStatus) -> Session:
    """Put a session where a run would have brought it."""
    session.status = status
    session.raw_video_path = session.raw_video_path or "sessions/0/raw/any.mp4"
    session.coaching_video_gcs_path = "sessions/0/film.mp4" if status == SessionStatus.COMPLETED else ""
    session.save()
    session.uploads.update(closed_at=timezone.now())
    return session


def send(store: SelfServedStore, session: Session, content: bytes) -> None:
    upload = session.uploads.get(closed_at__isnull=True)
    store.append_chunk(
        token=upload.url.removeprefix("/uploads/"),
        first_byte=0,
        last_byte=len(content) - 1,
        total_bytes=upload.size_bytes,
        stream=BytesIO(content),
    )


@pytest.fixture
def submitted(alice: User, object_store: SelfServedStore, video_bytes: bytes) -> Session:
    session = begin(alice, size_bytes=len(video_bytes))
    send(object_store, session, video_bytes)
    sessions.submit_session(session_id=session.pk, user_id=alice.pk)
    session.refresh_from_db()
    return session


# --- who may begin --------------------------------------------------------------------------------------------------


def test_a_session_begins_as_a_draft_with_an_open_upload(alice: User) -> None:
    session = begin(alice)
    upload = session.uploads.get()
    assert (session.status, session.session_number) == ("draft", 1)
    assert upload.object_path.startswith(f"sessions/{session.pk}/raw/")
    assert upload.object_path.endswith(".mp4")
    assert upload.expires_at > timezone.now() + timedelta(hours=23)


def test_without_a_required_consent_none_begins(alice: User) -> None:
    Consent.objects.create(user=alice, key="cross_border", version="2026-01", granted=False)
    with pytest.raises(ConsentMissing, match="cross_border"):
        begin(alice)


def test_an_unknown_dish_is_not_found(alice: User) -> None:
    with pytest.raises(NotFound):
        begin(alice, "stone-soup")


@pytest.mark.parametrize("status", [SubscriptionStatus.PAST_DUE, SubscriptionStatus.CANCELLED])
def test_who_does_not_pay_begins_none(alice: User, status: SubscriptionStatus) -> None:
    User.objects.filter(pk=alice.pk).update(subscription_status=status)
    with pytest.raises(SubscriptionInactive):
        begin(alice)


def test_a_dish_opens_with_its_month(alice: User) -> None:
    with pytest.raises(DishLocked):
        begin(alice, "yakisoba")
    today = timezone.localdate()
    last_month = today.replace(day=1) - timedelta(days=1)
    User.objects.filter(pk=alice.pk).update(subscribed_since=last_month)
    begin(alice, "yakisoba")
    with pytest.raises(DishLocked):
        begin(alice, "omurice")


def test_a_free_learner_has_one_session_of_all_dishes(bob: User) -> None:
    begin(bob)
    with pytest.raises(QuotaUsedUp):
        begin(bob, "pomodoro")


def test_a_free_learner_never_has_later_dishes(bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(subscribed_since=timezone.localdate() - timedelta(days=400))
    with pytest.raises(DishLocked):
        begin(bob, "yakisoba")


@pytest.mark.parametrize("status", [SessionStatus.FAILED, SessionStatus.CANCELLED])
def test_a_session_that_came_to_nothing_does_not_count(bob: User, status: SessionStatus) -> None:
    end(begin(bob), status)
    assert begin(bob).session_number == 1


@pytest.mark.parametrize("status", [SessionStatus.PROCESSING, SessionStatus.COMPLETED])
def test_a_session_that_came_to_something_counts(bob: User, status: SessionStatus) -> None:
    end(begin(bob), status)
    with pytest.raises(QuotaUsedUp):
        begin(bob)


def test_numbers_go_up_and_a_fourth_session_is_refused(alice: User) -> None:
    assert [end(begin(alice), SessionStatus.COMPLETED).session_number for _ in range(3)] == [1, 2, 3]
    with pytest.raises(SessionLimitReached):
        begin(alice)
    assert begin(alice, "pomodoro").session_number == 1


def test_a_number_that_was_given_back_is_given_again(alice: User) -> None:
    cooks = [begin(alice) for _ in range(3)]
    end(cooks[1], SessionStatus.FAILED)
    assert begin(alice).session_number == 2


def test_an_abandoned_draft_does_not_count(bob: User, settings: Settings) -> None:
    abandoned = begin(bob)
    long_ago = timezone.now() - settings.UPLOAD_LIFETIME - timedelta(minutes=1)
    Upload.objects.update(expires_at=long_ago)
    with pytest.raises(QuotaUsedUp):
        begin(bob)  # its memo came a minute ago
    Session.objects.update(updated_at=long_ago)
    assert begin(bob).session_number == 1
    abandoned.refresh_from_db()
    assert abandoned.status == SessionStatus.CANCELLED


def test_a_draft_with_a_living_upload_is_not_abandoned(alice: User, settings: Settings) -> None:
    begin(alice)
    Session.objects.update(updated_at=timezone.now() - settings.UPLOAD_LIFETIME * 2)
    assert sessions.cancel_abandoned_drafts() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"size_bytes": 0},
        {"size_bytes": -1},
        {"size_bytes": 4 * 1024**3 + 1},
        {"content_type": "text/html"},
        {"content_type": "image/gif"},
        {"content_type": "video/x-msvideo"},
    ],
)
def test_what_no_video_of_a_cook_is_like_is_refused_at_once(alice: User, fields: dict[str, Any]) -> None:
    with pytest.raises(UploadRefused):
        begin(alice, **fields)
    assert not Session.objects.exists()


# --- uploading again ------------------------------------------------------------------------------------------------


def test_an_upload_can_be_opened_anew_and_the_old_url_dies(
    alice: User,
    object_store: SelfServedStore,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    session = begin(alice)
    old = session.uploads.get()
    with django_capture_on_commit_callbacks(execute=True):
        new = sessions.reopen_upload(user=alice, session_id=session.pk, video=claim(size_bytes=77))
    old.refresh_from_db()
    assert old.closed_at is not None
    assert (new.size_bytes, new.url == old.url) == (77, False)
    with pytest.raises(UploadClosed):
        object_store.count_uploaded_bytes(old.url)
    assert object_store.count_uploaded_bytes(new.url) == 0


@pytest.mark.parametrize("status", [SessionStatus.FAILED, SessionStatus.CANCELLED])
def test_a_session_that_came_to_nothing_is_taken_up_again_with_what_was_sent(
    alice: User, status: SessionStatus
) -> None:
    session = begin(alice)
    session.self_ratings = {"taste": 4}
    session.voice_memo_path = "sessions/1/memo/a.m4a"
    session.pipeline_error = "動画が短すぎました。"
    end(session, status)
    sessions.reopen_upload(user=alice, session_id=session.pk, video=claim())
    session.refresh_from_db()
    assert (session.status, session.pipeline_error) == ("draft", "")
    assert (session.self_ratings, session.voice_memo_path) == ({"taste": 4}, "sessions/1/memo/a.m4a")


def test_a_failed_session_whose_number_was_given_away_gets_another(alice: User) -> None:
    failed = end(begin(alice), SessionStatus.FAILED)
    assert begin(alice).session_number == 1
    sessions.reopen_upload(user=alice, session_id=failed.pk, video=claim())
    failed.refresh_from_db()
    assert failed.session_number == 2


def test_a_failed_session_is_not_taken_up_beyond_the_quota(bob: User) -> None:
    failed = end(begin(bob), SessionStatus.FAILED)
    begin(bob)
    with pytest.raises(QuotaUsedUp):
        sessions.reopen_upload(user=bob, session_id=failed.pk, video=claim())


@pytest.mark.parametrize("status", [SessionStatus.PROCESSING, SessionStatus.COMPLETED])
def test_a_session_with_its_video_takes_no_other(alice: User, status: SessionStatus) -> None:
    session = end(begin(alice), status)
    with pytest.raises(Conflict):
        sessions.reopen_upload(user=alice, session_id=session.pk, video=claim())


def test_a_draft_can_be_given_up(bob: User) -> None:
    sessions.discard_draft(user=bob, session_id=begin(bob).pk)
    begin(bob, "pomodoro")


def test_only_a_draft_can_be_given_up(alice: User, submitted: Session) -> None:
    with pytest.raises(Conflict):
        sessions.discard_draft(user=alice, session_id=submitted.pk)


# --- submitting -----------------------------------------------------------------------------------------------------


def test_a_submit_starts_a_run_and_the_dish(alice: User, submitted: Session) -> None:
    run = PipelineRun.objects.get()
    assert (submitted.status, submitted.pipeline_job_id) == ("processing", run.pk)
    assert submitted.raw_video_content_type == "video/mp4"
    assert StageRun.objects.get(run=run, stage=Stage.INSPECT).state == StageState.QUEUED
    progress = UserDishProgress.objects.get(user=alice)
    assert (progress.dish.slug, progress.status) == ("fried-rice", "in_progress")
    assert progress.started_at is not None


def test_a_submit_kills_the_upload_url(
    alice: User,
    object_store: SelfServedStore,
    video_bytes: bytes,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    session = begin(alice, size_bytes=len(video_bytes))
    url = session.uploads.get().url
    send(object_store, session, video_bytes)
    with django_capture_on_commit_callbacks(execute=True):
        sessions.submit_session(session_id=session.pk, user_id=alice.pk)
    with pytest.raises(UploadClosed):
        object_store.count_uploaded_bytes(url)
    assert object_store.find(Session.objects.get().raw_video_path) is not None


def test_a_second_submit_is_a_conflict(alice: User, submitted: Session) -> None:
    with pytest.raises(Conflict):
        sessions.submit_session(session_id=submitted.pk, user_id=alice.pk)
    assert PipelineRun.objects.count() == 1


def test_a_submit_without_a_video_is_told_so(alice: User) -> None:
    session = sessions.create_session(user=alice, dish_slug="fried-rice")
    with pytest.raises(UploadIncomplete):
        sessions.submit_session(session_id=session.pk, user_id=alice.pk)


def test_a_submit_with_half_a_video_is_told_so(alice: User, object_store: SelfServedStore, video_bytes: bytes) -> None:
    session = begin(alice, size_bytes=len(video_bytes))
    send(object_store, session, video_bytes[:1000])
    with pytest.raises(UploadIncomplete, match="1000 of 10264 bytes"):
        sessions.submit_session(session_id=session.pk, user_id=alice.pk)


def test_a_submit_after_the_upload_was_swept_is_told_so(alice: User, object_store: SelfServedStore) -> None:
    session = begin(alice)
    object_store.close_upload(session.uploads.get().url)
    with pytest.raises(UploadIncomplete):
        sessions.submit_session(session_id=session.pk, user_id=alice.pk)


@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>alert(1)</script></html>",
        b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f\x42\x82\x88matroska",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_a_video_whose_type_lies_is_refused_and_another_may_come(
    alice: User, object_store: SelfServedStore, video_bytes: bytes, content: bytes
) -> None:
    session = begin(alice, size_bytes=len(content))
    send(object_store, session, content)
    with pytest.raises(UploadRefused):
        sessions.submit_session(session_id=session.pk, user_id=alice.pk)
    session.refresh_from_db()
    assert session.status == SessionStatus.DRAFT
    assert not PipelineRun.objects.exists()
    sessions.reopen_upload(user=alice, session_id=session.pk, video=claim(size_bytes=len(video_bytes)))
    send(object_store, session, video_bytes)
    sessions.submit_session(session_id=session.pk, user_id=alice.pk)


def test_a_browser_that_does_not_know_the_type_may_send_all_the_same(
    alice: User, object_store: SelfServedStore, video_bytes: bytes
) -> None:
    session = begin(alice, size_bytes=len(video_bytes), content_type="")
    send(object_store, session, video_bytes)
    sessions.submit_session(session_id=session.pk, user_id=alice.pk)
    session.refresh_from_db()
    assert session.raw_video_content_type == "video/mp4"


def test_a_consent_taken_back_stops_the_submit(alice: User, object_store: SelfServedStore, video_bytes: bytes) -> None:
    session = begin(alice, size_bytes=len(video_bytes))
    send(object_store, session, video_bytes)
    Consent.objects.create(user=alice, key="terms", version="2026-01", granted=False)
    with pytest.raises(ConsentMissing):
        sessions.submit_session(session_id=session.pk, user_id=alice.pk)


@pytest.mark.parametrize(
    "act",
    [
        lambda user, pk: sessions.submit_session(session_id=pk, user_id=user.pk),
        lambda user, pk: sessions.reopen_upload(user=user, session_id=pk, video=claim()),
        lambda user, pk: sessions.discard_draft(user=user, session_id=pk),
    ],
)
def test_anothers_session_is_not_found(alice: User, charlie: User, act: Callable[[User, int], object]) -> None:
    session = begin(alice)
    with pytest.raises(NotFound):
        act(charlie, session.pk)


def test_every_refusal_tells_the_learner_what_to_do_without_measures() -> None:
    refusals: list[type[MomentCloneError]] = [
        *(ConsentMissing, DishLocked, QuotaUsedUp, SessionLimitReached, SubscriptionInactive),
        *(UploadIncomplete, UploadClosed, UploadRefused, Conflict, NotFound),
    ]
    for refusal in refusals:
        assert refusal.learner_message.endswith("。")
        assert not any(character.isdigit() for character in refusal.learner_message)
