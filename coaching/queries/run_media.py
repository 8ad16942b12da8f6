"""What can be watched and listened to of a session and of one of its runs: signed when asked for."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from coaching.errors import StoreUnavailable
from coaching.models import Session, Stage, StageState
from coaching.providers.registry import get_object_store
from coaching.queries.links import CAPTIONS_TYPE, FILM_TYPE, MEMO_TYPES, POSTER_TYPE
from coaching.queries.run_history import RunHistory
from coaching.queries.sessions import get_run_progress

SPEECH_TYPE = "audio/wav"


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """`url` is None where the object is gone."""

    name: str
    url: str | None
    size_bytes: int
    facts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMedia:
    """The learner's own video and memo are None until `inspect` has passed the video that is there now.

    `fault`: the object store did not answer, and everything else is empty.
    """

    is_input_withheld: bool = False
    video: Medium | None = None
    memo: Medium | None = None
    poster: Medium | None = None
    narration: tuple[Medium, ...] = ()
    film: Medium | None = None
    captions: Medium | None = None
    chapters: Medium | None = None
    fault: str = ""


def sign_run_media(session: Session, history: RunHistory) -> RunMedia:
    """`history` may be of any run of the session: its inputs are those of now, its outputs those of that run."""
    try:
        return _sign_run_media(session, history)
    except StoreUnavailable as error:
        return RunMedia(fault=str(error))


def _sign_run_media(session: Session, history: RunHistory) -> RunMedia:
    progress = get_run_progress(session)
    found = progress.found_by_inspect if progress else None
    done = {stage.stage: stage.row.output for stage in history.stages if stage.row.state == StageState.DONE}
    inspected, narrated, composed = (done.get(stage, {}) for stage in (Stage.INSPECT, Stage.NARRATE, Stage.COMPOSE))
    return RunMedia(
        is_input_withheld=found is None,
        video=_sign("The cook", session.raw_video_path, _read_type(found)) if found else None,
        memo=_sign("Voice memo", session.voice_memo_path, _name_memo_type(session.voice_memo_path)) if found else None,
        poster=_sign("Poster", inspected.get("thumbnail_path", ""), POSTER_TYPE),
        narration=tuple(
            medium
            for name in ("part1", "part2")
            if (part := narrated.get(name))
            and (medium := _sign(f"Narration, {name}", part.get("object_path", ""), SPEECH_TYPE, _describe(part)))
        ),
        film=_sign("Film", composed.get("film_path", ""), FILM_TYPE, _describe(composed)),
        captions=_sign("Captions", composed.get("captions_path", ""), CAPTIONS_TYPE),
        chapters=_sign("Chapters", composed.get("chapters_path", ""), CAPTIONS_TYPE),
    )


def _sign(name: str, object_path: str, content_type: str, facts: str = "") -> Medium | None:
    if not object_path:
        return None
    store = get_object_store()
    stored = store.find(object_path)
    if stored is None:
        return Medium(name=name, url=None, size_bytes=0, facts=facts)
    url = store.sign_url(
        object_path=object_path, content_type=content_type, lifetime=settings.SIGNED_URL_LIFETIME, download_name=""
    )
    return Medium(name=name, url=url, size_bytes=stored.size_bytes, facts=facts)


def _read_type(found_by_inspect: dict[str, Any]) -> str:
    return str(found_by_inspect.get("video", {}).get("content_type", "")) or "application/octet-stream"


def _name_memo_type(object_path: str) -> str:
    return MEMO_TYPES.get(object_path.rpartition(".")[2], "application/octet-stream")


def _describe(measured: dict[str, Any]) -> str:
    """Of a film or of speech; outputs of other releases may lack any of it."""
    forms = {"duration_seconds": "{:.1f} s", "width_px": "{} px wide", "height_px": "{} px high"}
    forms |= {"frames": "{} frames", "loudness_lufs": "{:.1f} LUFS"}
    return ", ".join(form.format(value) for name, form in forms.items() if (value := measured.get(name)) is not None)
