"""Everything that is kept of a learner, for them to take along: one JSON document, files by signed links."""

from typing import Any

from django.utils import timezone

from coaching import queries
from coaching.models import Consent, Message, Session, User, UserDishProgress
from coaching.queries.links import sign_film, sign_memo, sign_raw_video


def compose_export(user: User, *, origin: str) -> dict[str, Any]:
    """`origin` ("https://host") makes the links of an own store absolute; they expire as all links do."""
    state = queries.get_learner_state(user)
    return {
        "exported_at": timezone.now(),
        "account": {
            "email": user.email,
            "email_verified_at": user.email_verified_at,
            "first_name": user.first_name,
            "created_at": user.created_at,
            "subscription_status": user.subscription_status,
            "subscribed_since": user.subscribed_since,
        },
        "answers": user.learner_profile,
        "consents": list(
            Consent.objects.filter(user=user).order_by("pk").values("key", "version", "granted", "recorded_at")
        ),
        "learner_state": {
            "skills_acquired": state.skills_acquired,
            "skills_developing": state.skills_developing,
            "recurring_mistakes": state.recurring_mistakes,
            "learning_velocity": state.learning_velocity,
            "session_summaries": state.session_summaries,
            "next_focus": state.next_focus,
        },
        "dishes": list(
            UserDishProgress.objects.filter(user=user).values("dish__slug", "status", "started_at", "completed_at")
        ),
        "sessions": [_describe_session(session, origin) for session in queries.list_sessions(user)],
        "messages": list(
            Message.objects.filter(chat_room__user=user)
            .order_by("pk")
            .values("chat_room__room_type", "sender", "session_id", "text", "created_at")
        ),
    }


def _describe_session(session: Session, origin: str) -> dict[str, Any]:
    return {
        "id": session.pk,
        "dish": session.dish.slug,
        "session_number": session.session_number,
        "status": session.status,
        "created_at": session.created_at,
        "self_ratings": session.self_ratings,
        "voice_transcript": session.voice_transcript,
        "structured_input": session.structured_input,
        "video_facts": session.video_facts,
        "video_analysis": session.video_analysis,
        "coaching_text": session.coaching_text,
        "narration_script": session.narration_script,
        "raw_media_deleted_at": session.raw_media_deleted_at,
        "files": {
            "film": _make_absolute(sign_film(session), origin),
            "raw_video": _make_absolute(sign_raw_video(session), origin),
            "voice_memo": _make_absolute(sign_memo(session), origin),
        },
    }


def _make_absolute(url: str | None, origin: str) -> str | None:
    return f"{origin}{url}" if url and url.startswith("/") else url
