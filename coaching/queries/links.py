"""Signed URLs, made when something is read: columns hold paths. Every function answers None for an empty path."""

from django.conf import settings

from coaching.models import Session, SessionStatus
from coaching.providers.registry import get_object_store
from coaching.queries.sessions import RunProgress

FILM_TYPE = "video/mp4"
CAPTIONS_TYPE = "text/vtt"
POSTER_TYPE = "image/jpeg"
MEMO_TYPES = {
    "m4a": "audio/mp4",
    "3gp": "audio/3gpp",
    "webm": "audio/webm",
    "mka": "audio/x-matroska",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "flac": "audio/flac",
}


def _sign(object_path: str, content_type: str, *, download_name: str = "") -> str | None:
    if not object_path:
        return None
    return get_object_store().sign_url(
        object_path=object_path,
        content_type=content_type,
        lifetime=settings.SIGNED_URL_LIFETIME,
        download_name=download_name,
    )


def sign_film(session: Session) -> str | None:
    return _sign(session.coaching_video_gcs_path, FILM_TYPE)


def sign_film_download(session: Session) -> str | None:
    name = f"{session.dish.slug}-{session.session_number}.mp4"
    return _sign(session.coaching_video_gcs_path, FILM_TYPE, download_name=name)


def sign_captions(object_path: str) -> str | None:
    """Captions and chapters: both are WebVTT."""
    return _sign(object_path, CAPTIONS_TYPE)


def sign_poster(object_path: str) -> str | None:
    return _sign(object_path, POSTER_TYPE)


def sign_memo(session: Session) -> str | None:
    """The learner's own memo, which passed the probe before it was kept; its suffix says what was found."""
    return _sign(session.voice_memo_path, MEMO_TYPES.get(session.voice_memo_path.rpartition(".")[2], ""))


def sign_raw_video(session: Session, progress: RunProgress | None = None) -> str | None:
    """The learner's own cook, as the type that the probe found; None until a run has passed `inspect`."""
    if session.raw_media_deleted_at is not None:
        return None
    if session.status == SessionStatus.DRAFT:
        return None  # what it may still hold is the video of a run that came to nothing
    found = (progress.found_by_inspect if progress else None) or {"video": session.video_facts}
    content_type = found["video"].get("content_type", "")
    return _sign(session.raw_video_path, content_type) if content_type else None
