from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from coaching.errors import Conflict, InputClosed, InvalidInput, NotFound, QuotaUsedUp, UnusableMedia, UploadRefused
from coaching.models import PipelineRun, Session, SessionStatus, User
from coaching.providers.ports import SelfServedStore
from coaching.services import intake, sessions
from media_tools.ffmpeg import run
from tests.coaching.conftest import write_memo
from tests.coaching.services.test_sessions import begin, end

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]


@pytest.fixture
def draft(alice: User) -> Session:
    return begin(alice)


@pytest.fixture
def video_file(tmp_path: Path, video_bytes: bytes) -> Path:
    path = tmp_path / "received"
    path.write_bytes(video_bytes)
    return path


def attach(user: User, session: Session, file: Path, claimed_type: str = "audio/wav") -> str:
    return intake.attach_memo(user=user, session_id=session.pk, file=file, claimed_type=claimed_type).voice_memo_path


# --- the video in one request ---------------------------------------------------------------------------------------


def test_a_whole_video_is_kept_and_ready_to_submit(
    alice: User, draft: Session, video_file: Path, object_store: SelfServedStore
) -> None:
    upload = intake.receive_video(user=alice, session_id=draft.pk, file=video_file, claimed_type="video/mp4")
    assert draft.uploads.filter(closed_at__isnull=True).get() == upload
    run_ = sessions.submit_session(session_id=draft.pk, user_id=alice.pk)
    assert run_ == PipelineRun.objects.get()
    path = Session.objects.get().raw_video_path
    assert object_store.locate(path).object_path == upload.object_path


def test_a_whole_video_takes_up_a_failed_session_again(alice: User, draft: Session, video_file: Path) -> None:
    end(draft, SessionStatus.FAILED)
    intake.receive_video(user=alice, session_id=draft.pk, file=video_file, claimed_type="video/mp4")
    sessions.submit_session(session_id=draft.pk, user_id=alice.pk)
    draft.refresh_from_db()
    assert draft.status == SessionStatus.PROCESSING


@pytest.mark.parametrize(
    ("content", "claimed_type"),
    [(b"", "video/mp4"), (b"<html>", "video/mp4"), (b"\x00\x00\x00\x18ftypmp42", "video/webm"), (b"x", "text/html")],
)
def test_a_video_that_is_none_leaves_nothing_behind(
    *, alice: User, draft: Session, video_file: Path, object_store: SelfServedStore, content: bytes, claimed_type: str
) -> None:
    video_file.write_bytes(content)
    with pytest.raises(UploadRefused):
        intake.receive_video(user=alice, session_id=draft.pk, file=video_file, claimed_type=claimed_type)
    assert list(object_store.list_paths("")) == []


def test_a_video_for_a_session_that_has_one_is_refused_before_it_is_stored(
    alice: User, draft: Session, video_file: Path, object_store: SelfServedStore
) -> None:
    end(draft, SessionStatus.COMPLETED)
    with pytest.raises(Conflict):
        intake.receive_video(user=alice, session_id=draft.pk, file=video_file, claimed_type="video/mp4")
    assert list(object_store.list_paths("")) == []


def test_a_video_that_the_rules_refuse_after_it_was_stored_is_removed(
    bob: User, video_file: Path, object_store: SelfServedStore
) -> None:
    failed = end(begin(bob), SessionStatus.FAILED)
    begin(bob)  # which uses up the quota
    with pytest.raises(QuotaUsedUp):
        intake.receive_video(user=bob, session_id=failed.pk, file=video_file, claimed_type="video/mp4")
    assert list(object_store.list_paths("")) == []


# --- the memo -------------------------------------------------------------------------------------------------------


def test_a_memo_is_kept_under_the_type_that_was_found(
    alice: User, draft: Session, memo_file: Path, object_store: SelfServedStore
) -> None:
    path = attach(alice, draft, memo_file)
    assert path.startswith(f"sessions/{draft.pk}/memo/")
    assert path.endswith(".wav")
    stored = object_store.find(path)
    assert stored is not None
    assert (stored.content_type, stored.size_bytes) == ("audio/wav", memo_file.stat().st_size)


def test_another_memo_replaces_the_first(
    alice: User,
    draft: Session,
    memo_file: Path,
    object_store: SelfServedStore,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = attach(alice, draft, memo_file)
        second = attach(alice, draft, memo_file)
    assert list(object_store.list_paths("")) == [second]
    assert first != second


def test_a_memo_recorded_by_a_phone_is_kept(alice: User, draft: Session, memo_file: Path, tmp_path: Path) -> None:
    phone = tmp_path / "memo.m4a"
    run(["-i", str(memo_file), "-c:a", "aac", str(phone)])
    assert attach(alice, draft, phone, "audio/x-m4a").endswith(".m4a")


def test_a_silent_memo_is_kept(alice: User, draft: Session, tmp_path: Path) -> None:
    assert attach(alice, draft, write_memo(tmp_path / "silence.wav", seconds=2, level=0))


def test_a_memo_of_four_minutes_is_refused(alice: User, draft: Session, tmp_path: Path) -> None:
    with pytest.raises(UnusableMedia) as caught:
        attach(alice, draft, write_memo(tmp_path / "long.wav", seconds=240))
    assert caught.value.fault == "too_long"
    assert "短め" in caught.value.learner_message


@pytest.mark.parametrize(
    ("content", "claimed_type"),
    [
        (b"", "audio/mp4"),
        (b"<html></html>", "audio/mp4"),
        (b"OggS" + b"\x00" * 60, "audio/mp4"),
        (b"\x89PNG\r\n\x1a\n", ""),
    ],
)
def test_a_memo_that_is_no_sound_is_refused(
    alice: User, draft: Session, tmp_path: Path, content: bytes, claimed_type: str
) -> None:
    file = tmp_path / "memo"
    file.write_bytes(content)
    with pytest.raises(UploadRefused):
        attach(alice, draft, file, claimed_type)


@pytest.mark.parametrize("head", [b"OggS" + b"\x00" * 200, b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\xff" * 200])
def test_a_memo_that_only_looks_like_sound_is_refused_and_the_first_stays(
    *, alice: User, draft: Session, memo_file: Path, tmp_path: Path, object_store: SelfServedStore, head: bytes
) -> None:
    first = attach(alice, draft, memo_file)
    file = tmp_path / "memo"
    file.write_bytes(head)
    with pytest.raises(UnusableMedia):
        attach(alice, draft, file, "")
    draft.refresh_from_db()
    assert draft.voice_memo_path == first
    assert list(object_store.list_paths("")) == [first]


def test_a_memo_without_sound_is_refused(alice: User, draft: Session, tmp_path: Path) -> None:
    mute = tmp_path / "mute.mp4"
    run(["-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=1", "-c:v", "libx264", str(mute)])
    with pytest.raises(UnusableMedia) as caught:
        attach(alice, draft, mute, "video/mp4")
    assert caught.value.fault == "no_audio"


def test_a_memo_too_large_is_refused(alice: User, draft: Session, memo_file: Path, settings: Settings) -> None:
    settings.MEMO_MAX_BYTES = 1000
    with pytest.raises(UploadRefused):
        attach(alice, draft, memo_file)


@pytest.mark.parametrize("status", [SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.CANCELLED])
def test_inputs_are_closed_when_the_cook_is_over(
    alice: User, draft: Session, memo_file: Path, status: SessionStatus
) -> None:
    end(draft, status)
    with pytest.raises(InputClosed):
        attach(alice, draft, memo_file)
    with pytest.raises(InputClosed):
        intake.save_ratings(user=alice, session_id=draft.pk, ratings={"taste": 3})


# --- the ratings ----------------------------------------------------------------------------------------------------


def test_ratings_are_merged_in_their_own_order(alice: User, draft: Session) -> None:
    intake.save_ratings(user=alice, session_id=draft.pk, ratings={"aroma": 5, "taste": 2})
    session = intake.save_ratings(user=alice, session_id=draft.pk, ratings={"appearance": 1, "taste": None})
    assert session.self_ratings == {"appearance": 1, "aroma": 5}


@pytest.mark.parametrize("ratings", [{"taste": 0}, {"taste": 6}, {"beauty": 3}, {"taste": 2.5}])
def test_ratings_out_of_range_are_refused(alice: User, draft: Session, ratings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        intake.save_ratings(user=alice, session_id=draft.pk, ratings=ratings)
    draft.refresh_from_db()
    assert draft.self_ratings == {}


def test_anothers_session_takes_nothing(charlie: User, draft: Session, memo_file: Path, video_file: Path) -> None:
    with pytest.raises(NotFound):
        attach(charlie, draft, memo_file)
    with pytest.raises(NotFound):
        intake.save_ratings(user=charlie, session_id=draft.pk, ratings={"taste": 3})
    with pytest.raises(NotFound):
        intake.receive_video(user=charlie, session_id=draft.pk, file=video_file, claimed_type="video/mp4")
