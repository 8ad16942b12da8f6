"""What a learner may have deleted, and what is deleted by itself: raw footage and memos, or the whole account.

Rows change first, files go after the commit: a file that outlives a crash is found again by the next sweep, because
its row still says when it was due.
"""

import logging
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from coaching.errors import Conflict, FieldFault, InvalidInput
from coaching.models import AuditEntry, Session, SessionStatus, User
from coaching.providers.registry import get_object_store
from coaching.services.sessions import close_uploads

logger = logging.getLogger(__name__)

AT_REST = (SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.CANCELLED)
UNDER_WAY = (SessionStatus.UPLOADED, SessionStatus.PROCESSING)
STILL_WORKING = "いまコーチングを作っている回があります。できあがってから、もう一度お試しください。"


def delete_raw_media(user: User) -> int:
    """Delete the footage and the memos of all the user's cooks; films and texts stay. Answers of how many cooks.

    Raises `Conflict` while one of them is being worked on.
    """
    with transaction.atomic():
        mine = Session.objects.filter(user=user).select_for_update(no_key=True)
        _refuse_under_way(mine)
        return _forget_media(mine.filter(status__in=AT_REST, raw_media_deleted_at__isnull=True))


def delete_expired_raw_media(*, limit: int = 200) -> int:
    """The same for cooks of all learners whose footage has been kept for RAW_MEDIA_RETENTION. Safe to repeat."""
    old = Q(created_at__lt=timezone.now() - settings.RAW_MEDIA_RETENTION, raw_media_deleted_at__isnull=True)
    with transaction.atomic():
        due = Session.objects.filter(old, status__in=AT_REST).order_by("created_at")[:limit]
        locked = Session.objects.filter(pk__in=[session.pk for session in due])
        return _forget_media(locked.filter(old, status__in=AT_REST).select_for_update(skip_locked=True))


def delete_account(*, user: User, password: str) -> None:
    """Delete the learner and everything of theirs: cooks, films, texts, answers, consents, mails.

    Raises `InvalidInput` for a wrong password, `Conflict` while a cook is being worked on.
    """
    if not user.check_password(password):
        raise InvalidInput([FieldFault(field="password", code="wrong", message="いまのパスワードと合いません。")])
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        sessions = Session.objects.filter(user=locked).select_for_update(no_key=True)
        _refuse_under_way(sessions)
        for session in sessions:
            close_uploads(session)
            _delete_files_on_commit(f"sessions/{session.pk}/")
        AuditEntry.objects.create(action="account.deleted", target=f"user:{locked.pk}", reason="the learner's wish")
        locked.delete()


def _refuse_under_way(sessions: QuerySet[Session]) -> None:
    if working := [session.pk for session in sessions if session.status in UNDER_WAY]:
        raise Conflict(f"sessions {working} are being worked on", learner_message=STILL_WORKING)


def _forget_media(sessions: Iterable[Session]) -> int:
    """The rows are locked. Paths stay, so that a row says what it once had; nothing is signed any more."""
    count = 0
    for session in sessions:
        session.raw_media_deleted_at = timezone.now()
        session.voice_memo_path = ""
        session.save(update_fields=["raw_media_deleted_at", "voice_memo_path", "updated_at"])
        _delete_files_on_commit(f"sessions/{session.pk}/raw/")
        _delete_files_on_commit(f"sessions/{session.pk}/memo/")
        count += 1
    return count


def _delete_files_on_commit(prefix: str) -> None:
    transaction.on_commit(lambda: _delete_files(prefix), robust=True)


def _delete_files(prefix: str) -> None:
    store = get_object_store()
    paths = list(store.list_paths(prefix))
    for path in paths:
        store.delete(path)
    logger.info("deleted %d files of %s", len(paths), prefix)
