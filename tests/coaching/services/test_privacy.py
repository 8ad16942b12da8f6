"""What is deleted is gone, files included; what stays, stays; nobody's work is pulled away from under them."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from coaching import queries
from coaching.errors import Conflict, InvalidInput
from coaching.models import AuditEntry, Consent, Message, Session, SessionStatus, User
from coaching.models.chat import MessageKind, Sender
from coaching.providers.ports import SelfServedStore
from coaching.services import privacy
from coaching.services.chat import open_rooms
from coaching.services.sweeping import sweep_unfinished
from tests.coaching.services.test_sessions import begin, end

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content")]

PASSWORD = "kome-to-tamago-7"


@pytest.fixture
def cook(alice: User, object_store: SelfServedStore, memo_file: Path) -> Session:
    """Alice's, completed, with footage, memo and film in the store."""
    return keep(begin(alice), object_store, memo_file)


def keep(session: Session, store: SelfServedStore, file: Path) -> Session:
    end(session, SessionStatus.COMPLETED)
    session.raw_video_path = f"sessions/{session.pk}/raw/a.mp4"
    session.voice_memo_path = f"sessions/{session.pk}/memo/b.wav"
    session.coaching_video_gcs_path = f"sessions/{session.pk}/runs/1/compose-1/film.mp4"
    session.video_facts = {"content_type": "video/mp4", "duration_seconds": 61.0}
    session.save()
    for path in (session.raw_video_path, session.voice_memo_path, session.coaching_video_gcs_path):
        store.write_file(object_path=path, source=file, content_type="video/mp4")
    return session


def list_files(store: SelfServedStore, session: Session) -> list[str]:
    return sorted(store.list_paths(f"sessions/{session.pk}/"))


def test_footage_and_memo_go_and_the_film_stays(
    cook: Session,
    alice: User,
    object_store: SelfServedStore,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    assert queries.sign_raw_video(cook) is not None
    with django_capture_on_commit_callbacks(execute=True):
        assert privacy.delete_raw_media(alice) == 1
    cook.refresh_from_db()
    assert list_files(object_store, cook) == [cook.coaching_video_gcs_path]
    assert queries.sign_raw_video(cook) is None
    assert queries.sign_memo(cook) is None
    assert queries.sign_film(cook) is not None
    assert privacy.delete_raw_media(alice) == 0, "there is nothing left to delete"


def test_nobody_elses_footage_goes(cook: Session, charlie: User) -> None:
    assert privacy.delete_raw_media(charlie) == 0
    assert Session.objects.get(pk=cook.pk).raw_media_deleted_at is None


def test_footage_that_is_being_worked_on_stays(cook: Session, alice: User) -> None:
    end(begin(alice, "pomodoro"), SessionStatus.PROCESSING)
    with pytest.raises(Conflict) as refused:
        privacy.delete_raw_media(alice)
    assert "できあがってから" in refused.value.learner_message
    assert Session.objects.get(pk=cook.pk).raw_media_deleted_at is None


def test_the_sweep_keeps_the_promised_term(
    cook: Session,
    object_store: SelfServedStore,
    memo_file: Path,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    fresh = keep(begin(cook.user, "pomodoro"), object_store, memo_file)
    overdue = timezone.now() - settings.RAW_MEDIA_RETENTION - timedelta(minutes=1)
    Session.objects.filter(pk=cook.pk).update(created_at=overdue)
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep_unfinished().footage == 1
        assert sweep_unfinished().footage == 0
    assert list_files(object_store, cook) == [cook.coaching_video_gcs_path]
    assert len(list_files(object_store, fresh)) == 3


def test_an_account_goes_with_everything_of_it(
    cook: Session,
    alice: User,
    charlie: User,
    object_store: SelfServedStore,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    open_rooms(alice)
    Message.objects.create(
        chat_room=alice.chat_rooms.all()[0],
        sender=Sender.AI,
        kind=MessageKind.COACHING_TEXT,
        session=cook,
        text="つぎは、こうしてみましょう。",
    )
    alice.set_password(PASSWORD)
    alice.save()
    with django_capture_on_commit_callbacks(execute=True):
        privacy.delete_account(user=alice, password=PASSWORD)
    assert list_files(object_store, cook) == []
    assert not Session.objects.exists()
    assert not Message.objects.exists()
    assert {consent.user_id for consent in Consent.objects.all()} == {charlie.pk}
    entry = AuditEntry.objects.get()
    assert entry.action == "account.deleted"
    assert "@" not in f"{entry.target}{entry.reason}{entry.details}"


def test_an_account_goes_by_its_password_only(cook: Session, alice: User) -> None:
    with pytest.raises(InvalidInput):
        privacy.delete_account(user=alice, password="wrong")
    assert User.objects.filter(pk=alice.pk).exists()


def test_an_account_with_work_under_way_waits_for_it(alice: User, object_store: SelfServedStore) -> None:
    end(begin(alice), SessionStatus.PROCESSING)
    alice.set_password(PASSWORD)
    alice.save()
    with pytest.raises(Conflict):
        privacy.delete_account(user=alice, password=PASSWORD)
    assert User.objects.filter(pk=alice.pk).exists()
