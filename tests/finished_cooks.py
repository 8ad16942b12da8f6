"""Cooks as the pipeline leaves them, with real files in the store: for tests that look at pages, not at the making."""

import atexit
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils import timezone

from coaching.models import ChatRoom, Dish, Message, Session, SessionStatus, User
from coaching.models.chat import MessageKind, RoomType, Sender
from coaching.providers.registry import get_object_store
from coaching.services.delivery import format_coaching_text
from media_tools.ffmpeg import run
from media_tools.webvtt import Cue, write_webvtt
from tests.media.clips import make_clip

FILM_SECONDS = 6.0
RAW_SECONDS = 12.0
CAPTIONS = [
    Cue(0.0, 1.8, "はるさん、こんにちは。"),
    Cue(2.0, 3.8, "卵が固まる前に、\nご飯を入れましょう。"),
    Cue(4.0, 5.8, "音がパチパチ <軽く> 続けば成功です。"),
]
CHAPTERS = [Cue(0.0, 2.0, "はじめに"), Cue(2.0, 4.0, "ここがポイント"), Cue(4.0, 6.0, "次のひと皿へ")]
TEXTS = {
    "mondaiten": "卵がすっかり固まってから、ご飯が入っていました。",
    "skill": "卵が半分かたまった、とろりとしたときにご飯を合わせると、粒のまわりに卵がまといます。",
    "next_action": "卵を入れたら、ふちが白くなったところで、すぐにご飯を入れてみましょう。",
    "success_sign": "パチパチと軽い音が続き、ご飯がつやよくほぐれます。",
}
NARRATION = {
    "part1": "はるさん、こんにちは。",
    "pivot": "動画を使ってそのポイントを見てみましょう",
    "part2": "卵が固まる前に、ご飯を入れましょう。音がパチパチ軽く続けば成功です。",
}
BASIS = {"mondaiten": ["egg_timing"], "skill": ["egg_timing", "heat_management"], "next_action": ["egg_timing"]}


@dataclass(frozen=True)
class Footage:
    """Small real files: a film of 6 s, a cook of 12 s, a poster, captions and chapters."""

    film: Path
    raw: Path
    poster: Path
    captions: Path
    chapters: Path


def make_footage(folder: Path, *, shown: Path | None = None) -> Footage:
    """Test patterns; or `shown`, for pictures that people look at, as film and cook alike."""
    film = shown or make_clip(folder / "film.mp4", seconds=FILM_SECONDS, muxer=["-movflags", "+faststart"])
    raw = shown or make_clip(folder / "raw.mp4", seconds=RAW_SECONDS, muxer=["-movflags", "+faststart"])
    poster = folder / "poster.jpg"
    run(["-ss", "20" if shown else "1", "-i", str(raw), "-frames:v", "1", str(poster)])
    captions, chapters = folder / "captions.vtt", folder / "chapters.vtt"
    write_webvtt(captions, CAPTIONS)
    write_webvtt(chapters, CHAPTERS)
    return Footage(film=film, raw=raw, poster=poster, captions=captions, chapters=chapters)


@cache
def share_footage() -> Footage:
    """One that every test of this process may use; it goes with the process."""
    folder = tempfile.mkdtemp(prefix="moment-clone-footage-")
    atexit.register(shutil.rmtree, folder)
    return make_footage(Path(folder))


def describe_analysis(**changes: Any) -> dict[str, Any]:
    events = [
        ("0:02", 2.0, "egg_added", "卵を入れました", "音が高く立つ"),
        ("0:07", 7.0, "rice_added", "ご飯を入れました", "卵は固まっている"),
    ]
    return {
        "cooking_events": [
            {"t": t, "seconds": seconds, "event": event, "description": text, "state": state, "confidence": 0.8}
            for t, seconds, event, text, state in events
        ],
        "key_moment_timestamp": "0:07",
        "key_moment_seconds": 7.0,
        "diagnosis": "ご飯が入る前に、卵がすっかり固まっていました。",
        "outcome": "mistake",
        "principle_slug": "egg_timing",
        "mistake_slug": "over_cook_egg_before_combining",
        "done_well": ["heat_management"],
        "confidence": 0.8,
        "reasons": [],
        "is_offline": True,
    } | changes


def finish_cook(
    user: User, footage: Footage, *, dish_slug: str = "fried-rice", session_number: int = 1, **fields: Any
) -> Session:
    """A completed session of the user's with its files in the store and its messages in the rooms."""
    store = get_object_store()
    folder = f"sessions/test-{secrets.token_hex(6)}"
    kinds = {
        "film": "video/mp4",
        "raw": "video/mp4",
        "poster": "image/jpeg",
        "captions": "text/vtt",
        "chapters": "text/vtt",
    }
    paths = {
        name: store.write_file(
            object_path=f"{folder}/{name}{getattr(footage, name).suffix}",
            source=getattr(footage, name),
            content_type=kind,
        ).object_path
        for name, kind in kinds.items()
    }
    session = Session.objects.create(
        user=user,
        dish=Dish.objects.get(slug=dish_slug),
        session_number=session_number,
        status=SessionStatus.COMPLETED,
        raw_video_path=paths["raw"],
        raw_video_content_type="video/mp4",
        self_ratings={"appearance": 4, "taste": 3, "texture": 2},
        voice_transcript="ご飯がすこしべちゃっとしました。",
        pipeline_started_at=timezone.now(),
        video_facts={"content_type": "video/mp4", "duration_seconds": RAW_SECONDS},
        thumbnail_path=paths["poster"],
        video_analysis=describe_analysis(),
        retrieved_context={"principle_slugs": ["egg_timing"], "found_by_search": [], "basis": BASIS},
        coaching_text=TEXTS,
        narration_script=NARRATION,
        coaching_video_gcs_path=paths["film"],
        captions_path=paths["captions"],
        chapters_path=paths["chapters"],
        film_facts={"duration_seconds": FILM_SECONDS, "width_px": 320, "height_px": 180},
    )
    for name, value in fields.items():
        setattr(session, name, value)
    session.save()
    post_messages(session)
    return session


def post_messages(session: Session) -> None:
    rooms = {kind: ChatRoom.objects.get_or_create(user=session.user, room_type=kind)[0] for kind in RoomType}
    metadata: dict[str, Any] = {"session_id": session.pk, "is_offline_coach": True}
    shared = {"session": session, "metadata": metadata}
    cook = {"sender": Sender.SYSTEM, "kind": MessageKind.COOKING_VIDEO, "video_path": session.raw_video_path}
    text = {"sender": Sender.AI, "kind": MessageKind.COACHING_TEXT, "text": format_coaching_text(session)}
    film = {"sender": Sender.AI, "kind": MessageKind.COACHING_VIDEO, "video_path": session.coaching_video_gcs_path}
    Message.objects.create(chat_room=rooms[RoomType.COOKING_VIDEOS], **shared, **cook)
    Message.objects.create(chat_room=rooms[RoomType.COACHING], **shared, **text)
    Message.objects.create(chat_room=rooms[RoomType.COACHING], **shared, **film)
