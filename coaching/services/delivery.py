"""Stage `deliver`: the film and its texts reach the learner, all at once, whatever ran twice before.

Everything happens in the transaction that ends the run: the session's columns, the three messages, the learner
state, the dish's progress and the one mail. Before it nothing of this run is visible; after it all of it is.
"""

from typing import Any

from django.db.models.functions import Now

from coaching.models import ChatRoom, Message, Session, SessionStatus, UserDishProgress
from coaching.models.chat import MessageKind, RoomType, Sender
from coaching.models.dish import DishStatus
from coaching.services.execution import StageJob, StageResult
from coaching.services.learner_state import refresh_learner_state
from coaching.services.mail import queue_film_mail
from coaching.services.stage_outputs import (
    Analysed,
    Composed,
    Inspected,
    Listened,
    Retrieved,
    Written,
    dump_output,
    read_output,
)

SESSIONS_PER_DISH = 3


def deliver_film(job: StageJob) -> StageResult:
    """Publish what the run made. Re-runs update the same messages and send no second mail."""
    return StageResult(output={"session": job.session.pk}, effect=lambda: _publish(job))


def _publish(job: StageJob) -> None:
    session = Session.objects.select_related("user", "dish").select_for_update(of=("self",)).get(pk=job.session.pk)
    _fill_session(session, job)
    _post_messages(session)
    state = refresh_learner_state(session.user)
    _advance_dish(session, is_ready=state.ready_for_next_dish)
    queue_film_mail(session)


def _fill_session(session: Session, job: StageJob) -> None:
    inspected = read_output(job.outputs, Inspected)
    listened = read_output(job.outputs, Listened)
    analysed = read_output(job.outputs, Analysed)
    written = dump_output(read_output(job.outputs, Written))
    composed = read_output(job.outputs, Composed)
    session.video_facts = dump_output(inspected)["video"]
    session.thumbnail_path = inspected.thumbnail_path
    session.voice_transcript = listened.transcript
    session.structured_input = listened.structured_input
    session.video_analysis = describe_analysis(analysed)
    session.retrieved_context = dump_output(read_output(job.outputs, Retrieved)) | {"basis": written["basis"]}
    session.coaching_text = written["coaching_text"]
    session.narration_script = written["narration"]
    session.coaching_video_gcs_path = composed.film_path
    session.captions_path = composed.captions_path
    session.chapters_path = composed.chapters_path
    session.film_facts = dump_output(composed)
    session.status = SessionStatus.COMPLETED
    session.pipeline_error = ""
    session.save()


def describe_analysis(analysed: Analysed) -> dict[str, Any]:
    """The document's `video_analysis`: seconds are the truth, the `t` labels derive from them."""
    analysis = analysed.analysis
    moment = analysis.key_moment_seconds
    return {
        "cooking_events": [
            {
                "t": format_moment(event.seconds),
                "seconds": round(event.seconds, 1),
                "event": event.event,
                "description": event.description,
                "state": event.state,
                "confidence": event.confidence,
            }
            for event in analysis.events
        ],
        "key_moment_timestamp": "" if moment is None else format_moment(moment),
        "key_moment_seconds": None if moment is None else round(moment, 1),
        "diagnosis": analysis.diagnosis,
        "outcome": analysis.outcome,
        "principle_slug": analysis.principle_slug,
        "mistake_slug": analysis.mistake_slug,
        "done_well": list(analysis.done_well),
        "confidence": analysis.confidence,
        "reasons": list(analysis.reasons),
        "is_offline": analysed.is_offline,
    }


def format_moment(seconds: float) -> str:
    """41.7 -> "0:41"."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def format_coaching_text(session: Session) -> str:
    """The document's layout of the coaching message, to the letter."""
    text = session.coaching_text
    return (
        "🍳 今回の問題点\n"
        f"{text['mondaiten']}\n"
        f"🍳 {session.session_number}回目のセッションで身につけるべきスキル\n"
        f"{text['skill']}\n"
        "次回試すこと\n"
        f"{text['next_action']}\n"
        "✅ 成功のサイン\n"
        f"{text['success_sign']}"
    )


def _post_messages(session: Session) -> None:
    own_video = {"video_path": session.raw_video_path, "text": ""}
    coaching_text = {"text": format_coaching_text(session), "video_path": ""}
    film = {"video_path": session.coaching_video_gcs_path, "text": ""}
    _post(session, RoomType.COOKING_VIDEOS, Sender.SYSTEM, MessageKind.COOKING_VIDEO, own_video)
    _post(session, RoomType.COACHING, Sender.AI, MessageKind.COACHING_TEXT, coaching_text)
    _post(session, RoomType.COACHING, Sender.AI, MessageKind.COACHING_VIDEO, film)


def _post(session: Session, room_type: RoomType, sender: Sender, kind: MessageKind, content: dict[str, str]) -> None:
    room, _ = ChatRoom.objects.get_or_create(user=session.user, room_type=room_type)
    metadata: dict[str, Any] = {"type": kind.value, "session_id": session.pk}
    if kind == MessageKind.COOKING_VIDEO:
        metadata["thumbnail_path"] = session.thumbnail_path
    else:
        metadata["is_offline_coach"] = session.video_analysis["is_offline"]
    Message.objects.update_or_create(
        session=session, kind=kind, defaults={"chat_room": room, "sender": sender, "metadata": metadata, **content}
    )


def _advance_dish(session: Session, *, is_ready: bool) -> None:
    """In progress since the first submit; completed after the third session or when the learner is ready."""
    completed = Session.objects.filter(user=session.user, dish=session.dish, status=SessionStatus.COMPLETED).count()
    progress, _ = UserDishProgress.objects.get_or_create(
        user=session.user, dish=session.dish, defaults={"status": DishStatus.IN_PROGRESS}
    )
    if progress.status != DishStatus.COMPLETED and (completed >= SESSIONS_PER_DISH or is_ready):
        UserDishProgress.objects.filter(pk=progress.pk).update(status=DishStatus.COMPLETED, completed_at=Now())
