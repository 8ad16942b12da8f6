"""What a learner sends for a session: the video in one request, the voice memo, the ratings.

Files come as paths of our own temporary files, written by whoever speaks HTTP; they are copied into the store at a
flat memory cost. Memo and ratings may change until a worker begins to listen: then the coach has heard them.
"""

import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.db import transaction

from coaching import queries
from coaching.errors import Conflict, FieldFault, InputClosed, InvalidInput, UploadRefused
from coaching.models import Session, SessionStatus, Upload, User
from coaching.providers.registry import get_object_store
from coaching.services import sessions
from coaching.services.media_faults import translate_media_errors
from coaching.services.media_heads import (
    HEAD_BYTES,
    MEMO_FAMILIES,
    SUFFIXES,
    find_family,
    name_memo_type,
    strip_parameters,
)
from coaching.services.sessions import UNCLAIMED_TYPES, VideoClaim
from media_tools.facts import AudioLimits
from media_tools.probe import probe_audio

RATINGS = ("appearance", "taste", "texture", "aroma")
RATING_VALUES = range(1, 6)


def require_upload_welcome(*, user: User, session_id: int) -> None:
    """Ask before the bytes come: raises `NotFound` or `Conflict` where `receive_video` would."""
    session = queries.get_session(user, session_id)
    if session.status not in sessions.REOPENABLE:
        raise Conflict(f"session {session.pk} is {session.status}: it has its video")


def receive_video(*, user: User, session_id: int, file: Path, claimed_type: str) -> Upload:
    """Keep a whole video as the session's complete upload, ready for `submit_session`.

    Raises what `sessions.reopen_upload` raises; then nothing is kept.
    """
    sessions.check_video_claim(VideoClaim(size_bytes=file.stat().st_size, content_type=claimed_type))
    require_upload_welcome(user=user, session_id=session_id)
    found_type = sessions.check_video_head(_read_head(file), claimed_type=claimed_type)
    store = get_object_store()
    path = sessions.make_video_path(queries.get_session(user, session_id), found_type)
    stored = store.write_file(object_path=path, source=file, content_type=found_type)
    with contextlib.ExitStack() as undo:
        undo.callback(store.delete, path)
        with transaction.atomic():
            session = sessions.lock_for_upload(user=user, session_id=session_id)
            sessions.close_uploads(session)
            upload = sessions.record_upload(session, stored)
        undo.pop_all()  # a row refers to it now
    return upload


def attach_memo(*, user: User, session_id: int, file: Path, claimed_type: str) -> Session:
    """Keep the learner's voice memo; an earlier one is replaced.

    Raises `InputClosed` once the memo is being listened to, `UploadRefused` where it is no sound that we take,
    `UnusableMedia` where it cannot be heard or is too long; then the earlier one stays.
    """
    _require_input_open(queries.get_session(user, session_id))
    found_type = _check_memo(file, claimed_type)
    store = get_object_store()
    path = f"sessions/{session_id}/memo/{secrets.token_hex(8)}.{SUFFIXES[found_type]}"
    store.write_file(object_path=path, source=file, content_type=found_type)
    with contextlib.ExitStack() as undo:
        undo.callback(store.delete, path)
        with transaction.atomic():
            session = _lock_open_inputs(user=user, session_id=session_id)
            earlier, session.voice_memo_path = session.voice_memo_path, path
            session.save(update_fields=["voice_memo_path", "updated_at"])
            if earlier:
                transaction.on_commit(lambda: store.delete(earlier), robust=True)
        undo.pop_all()
    return session


def save_ratings(*, user: User, session_id: int, ratings: Mapping[str, int | None]) -> Session:
    """Keep how the learner found the plate, 1 to 5 each; None takes one back. Raises `InvalidInput`, `InputClosed`."""
    faults = [
        FieldFault(field=name, code="invalid", message="一から五の間でお選びください。")
        for name, value in ratings.items()
        if name not in RATINGS or (value is not None and value not in RATING_VALUES)
    ]
    if faults:
        raise InvalidInput(faults)
    with transaction.atomic():
        session = _lock_open_inputs(user=user, session_id=session_id)
        merged = session.self_ratings | dict(ratings)
        session.self_ratings = {name: merged[name] for name in RATINGS if merged.get(name) is not None}
        session.save(update_fields=["self_ratings", "updated_at"])
        return session


def _check_memo(file: Path, claimed_type: str) -> str:
    size_bytes = file.stat().st_size
    if size_bytes == 0:
        raise UploadRefused("an empty memo", learner_message="音声メモが空でした。もう一度録音してみてください。")
    if size_bytes > settings.MEMO_MAX_BYTES:
        raise UploadRefused(
            f"{size_bytes} bytes, {settings.MEMO_MAX_BYTES} are allowed",
            learner_message="音声メモのファイルが大きすぎます。短めに録音し直してみてください。",
        )
    head = _read_head(file)
    found, claimed = name_memo_type(head), strip_parameters(claimed_type)
    lies = claimed not in UNCLAIMED_TYPES and MEMO_FAMILIES.get(claimed) != find_family(head)
    if found is None or lies:
        raise UploadRefused(
            f"said to be {claimed!r}, found {found or 'no sound'}",
            learner_message="この音声ファイルは受け取れませんでした。もう一度録音してみてください。",
        )
    limits = AudioLimits(max_duration_seconds=settings.MEMO_MAX_SECONDS, max_bytes=settings.MEMO_MAX_BYTES)
    with translate_media_errors("memo"):
        return probe_audio(file, limits).content_type


def _read_head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def _require_input_open(session: Session) -> None:
    if not queries.is_input_open(session):
        raise InputClosed(f"session {session.pk} is {session.status}: the coach has what was given")


def _lock_open_inputs(*, user: User, session_id: int) -> Session:
    """The session with its inputs still open, held so until the transaction ends: no worker can claim `listen`."""
    session = sessions.lock_session(user_id=user.pk, session_id=session_id)
    if session.status == SessionStatus.PROCESSING:
        queries.lock_listen_row(session)
    _require_input_open(session)
    return session
