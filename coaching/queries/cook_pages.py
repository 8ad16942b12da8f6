"""A finished cook as its page shows it: the film, the words and what they rest on, the moments, then and now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from coaching.errors import NotFound
from coaching.knowledge import entries
from coaching.models import Principle, Session
from coaching.providers.ports import ByteRange
from coaching.providers.registry import get_object_store
from coaching.queries.content import parse_principle_row
from coaching.queries.cooking import find_previous_cook
from coaching.queries.links import sign_film, sign_film_download, sign_poster, sign_raw_video

LEAD_SECONDS = 3.0  # a loop begins a little before its moment, so that one sees what leads to it
LOOP_SECONDS = 9.0
TRACK_MAX_BYTES = 1024**2
HEADINGS_JA = {
    "mondaiten": "今回の問題点",
    "skill": "身につけるべきスキル",
    "next_action": "次回試すこと",
    "success_sign": "成功のサイン",
}
RATING_NAMES_JA = {"appearance": "見た目", "taste": "味", "texture": "食感", "aroma": "香り"}
RATING_WORDS_JA = {1: "もうひと息", 2: "まずまず", 3: "ふつう", 4: "いい感じ", 5: "大満足"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachingPart:
    """One of the four texts, with the principles that it rests on."""

    key: str
    heading: str
    text: str
    principles: tuple[entries.Principle, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A stretch of a learner's own footage, to be looped. `url` is None where the footage is gone."""

    session_id: int
    session_number: int
    url: str | None
    poster_url: str | None
    start_seconds: float
    moment_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRating:
    name_ja: str
    value: int
    word_ja: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCook:
    """`principles` are all that the texts rest on, once each; `done_well` what the footage showed to be mastered."""

    film_url: str | None
    download_url: str | None
    poster_url: str | None
    raw_url: str | None
    parts: tuple[CoachingPart, ...]
    principles: tuple[entries.Principle, ...]
    done_well: tuple[entries.Principle, ...]
    events: tuple[dict[str, Any], ...]
    moment: Moment | None
    previous_moment: Moment | None
    ratings: tuple[OwnRating, ...]


def describe_finished_cook(session: Session) -> FinishedCook:
    """Everything that the page of a session with a film shows; a constant number of queries."""
    basis = session.retrieved_context.get("basis", {})
    done_well = session.video_analysis.get("done_well", [])
    known = _read_principles({*(slug for slugs in basis.values() for slug in slugs), *done_well})
    parts = tuple(
        CoachingPart(
            key=key,
            heading=heading,
            text=session.coaching_text.get(key, ""),
            principles=_pick(known, basis.get(key, ())),
        )
        for key, heading in HEADINGS_JA.items()
    )
    moment = describe_moment(session)
    previous = find_previous_cook(session) if moment else None
    return FinishedCook(
        film_url=sign_film(session),
        download_url=sign_film_download(session),
        poster_url=sign_poster(session.thumbnail_path),
        raw_url=sign_raw_video(session),
        parts=parts,
        principles=_pick(known, (entry.slug for part in parts for entry in part.principles)),
        done_well=_pick(known, done_well),
        events=tuple(session.video_analysis.get("cooking_events", ())),
        moment=moment,
        previous_moment=describe_moment(previous) if previous else None,
        ratings=list_own_ratings(session),
    )


def describe_moment(session: Session) -> Moment | None:
    """The key moment in the raw footage; None where the coach could not tell one."""
    moment_seconds = session.video_analysis.get("key_moment_seconds")
    if moment_seconds is None:
        return None
    start_seconds = max(0.0, moment_seconds - LEAD_SECONDS)
    end_seconds = min(start_seconds + LOOP_SECONDS, session.video_facts.get("duration_seconds", float("inf")))
    return Moment(
        session_id=session.pk,
        session_number=session.session_number,
        url=sign_raw_video(session),
        poster_url=sign_poster(session.thumbnail_path),
        start_seconds=round(start_seconds, 1),
        moment_seconds=round(moment_seconds, 1),
        end_seconds=round(end_seconds, 1),
    )


def list_own_ratings(session: Session) -> tuple[OwnRating, ...]:
    return tuple(
        OwnRating(name_ja=name_ja, value=value, word_ja=RATING_WORDS_JA.get(value, ""))
        for name, name_ja in RATING_NAMES_JA.items()
        if isinstance(value := session.self_ratings.get(name), int)
    )


def read_track(session: Session, kind: Literal["captions", "chapters"]) -> bytes:
    """The film's captions or chapters (WebVTT). Raises `NotFound`."""
    path = session.captions_path if kind == "captions" else session.chapters_path
    store = get_object_store()
    stored = store.find(path) if path else None
    if stored is None or not 0 < stored.size_bytes <= TRACK_MAX_BYTES:
        raise NotFound(f"session {session.pk} has no {kind}")
    whole = ByteRange(first_byte=0, last_byte=stored.size_bytes - 1)
    return b"".join(store.read_bytes(object_path=path, byte_range=whole))


def _read_principles(slugs: Iterable[str]) -> dict[str, entries.Principle]:
    """Those that are loaded: a page does not fall over a principle that was taken out of the content since."""
    return {row.slug: parse_principle_row(row) for row in Principle.objects.filter(slug__in=slugs)}


def _pick(known: dict[str, entries.Principle], slugs: Iterable[str]) -> tuple[entries.Principle, ...]:
    return tuple(known[slug] for slug in dict.fromkeys(slugs) if slug in known)
