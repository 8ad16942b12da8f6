"""Signed URLs, made when something is read: columns hold paths. Every function answers None for an empty path."""

from django.conf import settings

from coaching.models import Session
from coaching.providers.registry import get_object_store

FILM_TYPE = "video/mp4"
CAPTIONS_TYPE = "text/vtt"
POSTER_TYPE = "image/jpeg"


def sign_object(object_path: str, content_type: str, *, download_name: str = "") -> str | None:
    if not object_path:
        return None
    return get_object_store().sign_url(
        object_path=object_path,
        content_type=content_type,
        lifetime=settings.SIGNED_URL_LIFETIME,
        download_name=download_name,
    )


def sign_film(session: Session) -> str | None:
    return sign_object(session.coaching_video_gcs_path, FILM_TYPE)


def sign_film_download(session: Session) -> str | None:
    name = f"{session.dish.slug}-{session.session_number}.mp4"
    return sign_object(session.coaching_video_gcs_path, FILM_TYPE, download_name=name)


def sign_delivered_video(session: Session) -> str | None:
    """The learner's own cook, as the type that the probe found; None until a run has passed `inspect`."""
    content_type = session.video_facts.get("content_type", "")
    return sign_object(session.raw_video_path, content_type) if content_type else None
