"""A cook's session from its beginning to the submit: who may begin one, where its video goes, when the work starts.

A draft waits for its video. Failed, cancelled and abandoned sessions count for nothing and give their number back;
all three can be taken up again with a new upload (`reopen_upload`), and keep their memo and ratings when they are. A
draft is abandoned when its upload has expired and nothing was sent for as long: the next session that its learner
begins cancels it.

Who may begin is decided under a lock on the user's row, so two tabs cannot share the last free session. That lock is
FOR NO KEY UPDATE: rows that refer to the user (messages, mail) may still be written, so nobody deadlocks with it.
Locks are taken in the order user, session, run, stages.
"""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from coaching import queries
from coaching.errors import (
    Conflict,
    ConsentMissing,
    DishLocked,
    NotFound,
    QuotaUsedUp,
    SessionLimitReached,
    SubscriptionInactive,
    UploadClosed,
    UploadIncomplete,
    UploadRefused,
)
from coaching.models import Dish, PipelineRun, Session, SessionStatus, Upload, User, UserDishProgress
from coaching.models.dish import DishStatus
from coaching.models.user import SubscriptionStatus
from coaching.providers.ports import ByteRange, ObjectStore, StoredObject
from coaching.providers.registry import get_object_store
from coaching.services.media_heads import HEAD_BYTES, SUFFIXES, VIDEO_FAMILIES, name_video_type, strip_parameters
from coaching.services.runs import start_run

SESSION_NUMBERS = (1, 2, 3)
FREE_SESSIONS = 1
REOPENABLE = (SessionStatus.DRAFT, SessionStatus.FAILED, SessionStatus.CANCELLED)
UNCLAIMED_TYPES = frozenset({"", "application/octet-stream"})  # browsers that do not know the type say this


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoClaim:
    """What the browser says of the file that it is about to send. `origin` is the page's, for the store's CORS."""

    size_bytes: int
    content_type: str
    origin: str = ""


# --- beginning ------------------------------------------------------------------------------------------------------


def create_session(*, user: User, dish_slug: str, video: VideoClaim | None = None) -> Session:
    """A draft of the learner's next session of the dish; with `video`, its upload is open.

    Raises `NotFound`, `ConsentMissing`, `SubscriptionInactive`, `DishLocked`, `QuotaUsedUp`, `SessionLimitReached`,
    `UploadRefused`.
    """
    if video is not None:
        check_video_claim(video)
    with transaction.atomic():
        learner = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        dish = Dish.objects.filter(slug=dish_slug).first()
        if dish is None:
            raise NotFound(f"no dish {dish_slug!r}")
        cancel_abandoned_drafts(learner)
        number = _find_session_number(learner, dish)
        session = Session.objects.create(user=learner, dish=dish, session_number=number)
        if video is not None:
            _open_upload(session, video)
    return session


def reopen_upload(*, user: User, session_id: int, video: VideoClaim) -> Upload:
    """A new upload for a session that has no video yet or whose video came to nothing; an open one is closed.

    A failed or cancelled session becomes a draft again, under the rules that hold for a new one, and keeps its memo
    and ratings. Raises what `create_session` raises, and `Conflict` once a session is past its upload.
    """
    check_video_claim(video)
    with transaction.atomic():
        session = lock_for_upload(user=user, session_id=session_id)
        return _open_upload(session, video)


def lock_for_upload(*, user: User, session_id: int) -> Session:
    """The session as a draft, locked, to be given a video. Call it in the transaction that does so."""
    learner = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    session = lock_session(user_id=user.pk, session_id=session_id)
    if session.status not in REOPENABLE:
        raise Conflict(f"session {session.pk} is {session.status}: it has its video")
    if session.status != SessionStatus.DRAFT:
        session.session_number = _find_session_number(learner, session.dish, reopened=session)
        session.status = SessionStatus.DRAFT
        session.pipeline_error = ""
        session.save(update_fields=["session_number", "status", "pipeline_error", "updated_at"])
    return session


def require_session_welcome(*, user: User, dish: Dish, reopened: Session | None = None) -> None:
    """Raise what `create_session` (or taking up `reopened`) would raise now; nothing is promised for later."""
    cancel_abandoned_drafts(user)
    _find_session_number(user, dish, reopened=reopened)


def discard_draft(*, user: User, session_id: int) -> None:
    """Cancel a session that was never submitted: it gives its number and its quota back. Raises `Conflict`."""
    with transaction.atomic():
        session = lock_session(user_id=user.pk, session_id=session_id)
        if session.status != SessionStatus.DRAFT:
            raise Conflict(f"session {session.pk} is {session.status}, no draft")
        close_uploads(session)
        session.status = SessionStatus.CANCELLED
        session.save(update_fields=["status", "updated_at"])


def cancel_abandoned_drafts(user: User | None = None) -> int:
    """Cancel the abandoned drafts of one user, or of all; answers how many."""
    now = timezone.now()
    living = Upload.objects.filter(session=OuterRef("pk"), closed_at__isnull=True, expires_at__gt=now)
    drafts = Session.objects.filter(status=SessionStatus.DRAFT, updated_at__lt=now - settings.UPLOAD_LIFETIME)
    if user is not None:
        drafts = drafts.filter(user=user)
    return drafts.exclude(Exists(living)).update(status=SessionStatus.CANCELLED, updated_at=now)


def _find_session_number(user: User, dish: Dish, *, reopened: Session | None = None) -> int:
    """The number of the session that the learner may begin (or take up again) now; the user's row is locked."""
    if missing := queries.list_missing_consents(user):
        raise ConsentMissing(f"user {user.pk} has not given: {', '.join(missing)}")
    if user.subscription_status not in {SubscriptionStatus.FREE, SubscriptionStatus.ACTIVE}:
        raise SubscriptionInactive(f"the subscription of user {user.pk} is {user.subscription_status}")
    if not queries.is_dish_open(dish, user):
        raise DishLocked(f"{dish.slug} opens in month {dish.month_unlocked} of a subscription")
    others = Session.objects.filter(user=user).exclude(status__in=[SessionStatus.FAILED, SessionStatus.CANCELLED])
    if reopened is not None:
        others = others.exclude(pk=reopened.pk)
    if user.subscription_status == SubscriptionStatus.FREE and others.count() >= FREE_SESSIONS:
        raise QuotaUsedUp(f"user {user.pk} has had the free session")
    taken = set(others.filter(dish=dish).values_list("session_number", flat=True))
    free = [number for number in SESSION_NUMBERS if number not in taken]
    if not free:
        raise SessionLimitReached(f"user {user.pk} has had {len(SESSION_NUMBERS)} sessions of {dish.slug}")
    return reopened.session_number if reopened and reopened.session_number in free else free[0]


# --- uploading ------------------------------------------------------------------------------------------------------


def check_video_claim(video: VideoClaim) -> None:
    """Raises `UploadRefused` for a size or a type that no video of a cook has."""
    if video.size_bytes < 1:
        raise UploadRefused("an empty video", learner_message="動画ファイルが空でした。動画を選び直してください。")
    if video.size_bytes > settings.VIDEO_MAX_BYTES:
        raise UploadRefused(
            f"{video.size_bytes} bytes, {settings.VIDEO_MAX_BYTES} are allowed",
            learner_message="動画のファイルが大きすぎます。画質を少し下げて撮り直してみてください。",
        )
    claimed = strip_parameters(video.content_type)
    if claimed not in VIDEO_FAMILIES and claimed not in UNCLAIMED_TYPES:
        raise UploadRefused(f"{claimed!r} is no video that we take")


def check_video_head(head: bytes, *, claimed_type: str) -> str:
    """The type that the first bytes show; raises `UploadRefused` where they show no video, or another kind."""
    found = name_video_type(head)
    claimed = strip_parameters(claimed_type)
    if found is None:
        raise UploadRefused(f"said to be {claimed!r}, but it is no video that we take")
    if claimed not in UNCLAIMED_TYPES and VIDEO_FAMILIES.get(claimed) != VIDEO_FAMILIES[found]:
        raise UploadRefused(
            f"said to be {claimed!r}, but it is {found}",
            learner_message="ファイルの中身が、名前の示す形式と違っています。撮った動画をそのままお送りください。",
        )
    return found


def make_video_path(session: Session, content_type: str) -> str:
    """Where a video of the session is kept: a new path each time, since objects never change."""
    return f"sessions/{session.pk}/raw/{secrets.token_hex(8)}.{SUFFIXES.get(strip_parameters(content_type), 'bin')}"


def close_uploads(session: Session) -> None:
    """Close the open upload, if there is one; its URL dies when the transaction commits."""
    for upload in session.uploads.filter(closed_at__isnull=True):
        Upload.objects.filter(pk=upload.pk).update(closed_at=Now())
        _kill_url_on_commit(upload)


def _kill_url_on_commit(upload: Upload) -> None:
    if upload.url:
        transaction.on_commit(lambda: get_object_store().close_upload(upload.url), robust=True)


def record_upload(session: Session, stored: StoredObject) -> Upload:
    """An upload that is complete already: what came in one request."""
    return Upload.objects.create(
        session=session,
        url="",
        object_path=stored.object_path,
        size_bytes=stored.size_bytes,
        content_type=stored.content_type,
        expires_at=timezone.now() + settings.UPLOAD_LIFETIME,
    )


def _open_upload(session: Session, video: VideoClaim) -> Upload:
    close_uploads(session)
    opened = get_object_store().open_upload(
        object_path=make_video_path(session, video.content_type),
        size_bytes=video.size_bytes,
        content_type=strip_parameters(video.content_type) or "application/octet-stream",
        origin=video.origin,
        lifetime=settings.UPLOAD_LIFETIME,
    )
    return Upload.objects.create(
        session=session,
        url=opened.url,
        object_path=opened.object_path,
        size_bytes=video.size_bytes,
        content_type=strip_parameters(video.content_type),
        expires_at=opened.expires_at,
    )


# --- submitting -----------------------------------------------------------------------------------------------------


def submit_session(*, session_id: int, user_id: int) -> PipelineRun:
    """Start the work on a session whose video is complete. The caller publishes the run after commit.

    Raises `NotFound`, `Conflict` for a second submit, `ConsentMissing`, `UploadIncomplete`, and `UploadRefused` where
    the video is not what it was said to be; then nothing has changed and another upload may be opened.
    """
    with transaction.atomic():
        session = lock_session(user_id=user_id, session_id=session_id)
        if session.status != SessionStatus.DRAFT:
            raise Conflict(f"session {session.pk} is {session.status}: it was submitted before")
        if missing := queries.list_missing_consents(session.user):
            raise ConsentMissing(f"user {user_id} has not given: {', '.join(missing)}")
        upload = session.uploads.filter(closed_at__isnull=True).first()
        if upload is None:
            raise UploadIncomplete(f"session {session.pk} has no upload")
        store = get_object_store()
        stored = _find_uploaded(store, upload)
        session.raw_video_content_type = check_video_head(_read_head(store, stored), claimed_type=upload.content_type)
        session.raw_video_path = stored.object_path
        session.raw_media_deleted_at = None
        session.status = SessionStatus.UPLOADED
        session.save(
            update_fields=[
                "raw_video_content_type",
                "raw_video_path",
                "raw_media_deleted_at",
                "status",
                "updated_at",
            ]
        )
        close_uploads(session)
        _begin_dish(session)
        return start_run(session=session)


def _find_uploaded(store: ObjectStore, upload: Upload) -> StoredObject:
    """The object that the upload became; asking the store first lets it finish an upload that was cut at its end."""
    received_bytes = 0
    if upload.url:
        try:
            received_bytes = store.count_uploaded_bytes(upload.url)
        except UploadClosed as error:
            if store.find(upload.object_path) is None:
                raise UploadIncomplete(f"{upload.object_path}: {error}") from error
    stored = store.find(upload.object_path)
    if stored is None:
        raise UploadIncomplete(f"{upload.object_path}: {received_bytes} of {upload.size_bytes} bytes have arrived")
    if stored.size_bytes != upload.size_bytes:
        raise UploadRefused(f"{upload.object_path}: {stored.size_bytes} bytes, {upload.size_bytes} were announced")
    return stored


def _read_head(store: ObjectStore, stored: StoredObject) -> bytes:
    wanted = ByteRange(first_byte=0, last_byte=min(HEAD_BYTES, stored.size_bytes) - 1)
    return b"".join(store.read_bytes(object_path=stored.object_path, byte_range=wanted))


def _begin_dish(session: Session) -> None:
    progress, _ = UserDishProgress.objects.get_or_create(user=session.user, dish=session.dish)
    UserDishProgress.objects.filter(pk=progress.pk, status=DishStatus.NOT_STARTED).update(
        status=DishStatus.IN_PROGRESS, started_at=Now()
    )


def lock_session(*, user_id: int, session_id: int) -> Session:
    """Raises `NotFound`, for another learner's session as well."""
    session = (
        Session.objects.select_for_update(of=("self",))
        .select_related("user", "dish")
        .filter(pk=session_id, user_id=user_id)
        .first()
    )
    if session is None:
        raise NotFound(f"user {user_id} has no session {session_id}")
    return session
