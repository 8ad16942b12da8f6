"""What a learner's completed sessions say about them, as a pure function: re-runs cannot inflate it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coaching.models import LearnerState, Session, SessionStatus, User
from coaching.models.learner import LearningVelocity
from coaching.providers.ports import LearnerContext, SessionSummary

MISTAKES_TO_RECUR = 2
SESSIONS_TO_ACQUIRE = 2
SESSIONS_TO_JUDGE_VELOCITY = 3
# Of the sessions with a mistake, the share whose mistake had been seen before.
FAST_BELOW, SLOW_FROM, PLATEAU_FROM = 0.2, 0.5, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedCook:
    """What one completed session showed, oldest first in a list. `dish_principles` are those that the dish teaches."""

    dish_slug: str
    session_number: int
    dish_principles: tuple[str, ...]
    outcome: str
    principle_slug: str
    mistake_slug: str
    done_well: tuple[str, ...]
    key_issue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerView:
    skills_acquired: list[str]
    skills_developing: list[str]
    recurring_mistakes: list[dict[str, Any]]
    learning_velocity: LearningVelocity
    session_summaries: list[dict[str, Any]]
    next_focus: str
    ready_for_next_dish: bool


def compute_learner_view(cooks: Sequence[CompletedCook]) -> LearnerView:
    """`cooks` oldest first. A cook in which nothing could be told shows neither skill nor mistake."""
    acquired = [slug for slug in _list_seen_skills(cooks) if _is_acquired(slug, cooks)]
    counts = Counter(cook.mistake_slug for cook in cooks if cook.mistake_slug)
    recurring = [
        {"mistake": slug, "seen_count": count} for slug, count in counts.most_common() if count >= MISTAKES_TO_RECUR
    ]
    return LearnerView(
        skills_acquired=acquired,
        skills_developing=[slug for slug in _list_seen_skills(cooks) if slug not in acquired],
        recurring_mistakes=recurring,
        learning_velocity=_judge_velocity(cooks),
        session_summaries=[_summarise(cooks[: index + 1]) for index in range(len(cooks))],
        next_focus=_choose_focus(cooks, recurring),
        ready_for_next_dish=_is_ready(cooks),
    )


def _list_seen_skills(cooks: Sequence[CompletedCook]) -> list[str]:
    """Every principle that a cook did well or missed, the latest seen first."""
    seen: dict[str, None] = {}
    for cook in reversed(cooks):
        for slug in (cook.principle_slug, *cook.done_well):
            if slug:
                seen.setdefault(slug)
    return list(seen)


def _is_acquired(slug: str, cooks: Sequence[CompletedCook]) -> bool:
    """Done well in the last two sessions where it applied: the dish teaches it and the cook could be judged."""
    applied = [cook for cook in cooks if slug in cook.dish_principles and cook.outcome != "could_not_tell"]
    latest = applied[-SESSIONS_TO_ACQUIRE:]
    return len(latest) == SESSIONS_TO_ACQUIRE and all(slug in cook.done_well for cook in latest)


def _judge_velocity(cooks: Sequence[CompletedCook]) -> LearningVelocity:
    judged = [cook for cook in cooks if cook.outcome != "could_not_tell"]
    if len(judged) < SESSIONS_TO_JUDGE_VELOCITY:
        return LearningVelocity.STEADY
    repeated, seen = 0, set[str]()
    for cook in judged:
        repeated += cook.mistake_slug in seen
        if cook.mistake_slug:
            seen.add(cook.mistake_slug)
    ratio = repeated / (len(judged) - 1)  # the first cook has nothing to repeat
    if ratio >= PLATEAU_FROM:
        return LearningVelocity.PLATEAU
    if ratio >= SLOW_FROM:
        return LearningVelocity.SLOW
    return LearningVelocity.FAST if ratio < FAST_BELOW else LearningVelocity.STEADY


def _summarise(cooks: Sequence[CompletedCook]) -> dict[str, Any]:
    """The last cook of `cooks`. `key_progress`: mistakes of the dish's previous session that are gone."""
    cook = cooks[-1]
    earlier = [c for c in cooks[:-1] if c.dish_slug == cook.dish_slug]
    gone = ""
    if earlier and cook.outcome != "could_not_tell" and earlier[-1].mistake_slug != cook.mistake_slug:
        gone = earlier[-1].mistake_slug
    return {
        "dish": cook.dish_slug,
        "session": cook.session_number,
        "key_issue": cook.key_issue,
        "mistake": cook.mistake_slug,
        "key_progress": gone,
    }


def _choose_focus(cooks: Sequence[CompletedCook], recurring: list[dict[str, Any]]) -> str:
    """The principle to work on: of the most frequent recurring mistake, else of the latest one."""
    with_mistake = [cook for cook in cooks if cook.mistake_slug]
    if not with_mistake:
        return ""
    wanted = recurring[0]["mistake"] if recurring else with_mistake[-1].mistake_slug
    return next(cook.principle_slug for cook in reversed(with_mistake) if cook.mistake_slug == wanted)


def _is_ready(cooks: Sequence[CompletedCook]) -> bool:
    """A recommendation, never a gate: the latest cook went well, or the dish's sessions are through."""
    return bool(cooks) and (cooks[-1].outcome == "good" or cooks[-1].session_number == 3)


def refresh_learner_state(user: User) -> LearnerState:
    """Compute and keep the state from the user's completed sessions. Call it in the transaction that completed one."""
    view = view_learner(user)
    state, _ = LearnerState.objects.update_or_create(user=user, defaults=asdict(view))
    return state


def view_learner(user: User) -> LearnerView:
    """What all completed sessions say."""
    return compute_learner_view(_list_cooks(user))


def describe_learner(user: User, view: LearnerView) -> LearnerContext:
    """The learner as a coach may know them."""
    return LearnerContext(
        first_name=user.first_name,
        skills_acquired=tuple(view.skills_acquired),
        skills_developing=tuple(view.skills_developing),
        recurring_mistakes=tuple(entry["mistake"] for entry in view.recurring_mistakes),
        past_sessions=tuple(
            SessionSummary(
                dish_slug=entry["dish"],
                session_number=entry["session"],
                key_issue=entry["key_issue"],
                key_progress=entry["key_progress"],
                mistake_slug=entry["mistake"],
            )
            for entry in view.session_summaries
        ),
    )


def view_before(session: Session) -> LearnerView:
    """What was known before this session: a re-run of it must not learn from its own earlier film."""
    return compute_learner_view(_list_cooks(session.user, before=session))


def _list_cooks(user: User, before: Session | None = None) -> list[CompletedCook]:
    completed = Session.objects.filter(user=user, status=SessionStatus.COMPLETED).select_related("dish")
    if before is not None:
        completed = completed.filter(created_at__lt=before.created_at)
    return [read_cook(session) for session in completed.order_by("created_at", "pk")]


def read_cook(session: Session) -> CompletedCook:
    analysis = session.video_analysis
    return CompletedCook(
        dish_slug=session.dish.slug,
        session_number=session.session_number,
        dish_principles=tuple(session.dish.principles),
        outcome=analysis["outcome"],
        principle_slug=analysis["principle_slug"],
        mistake_slug=analysis["mistake_slug"],
        done_well=tuple(analysis["done_well"]),
        key_issue=analysis["diagnosis"],
    )
