"""What a learner's own pages show: home, a dish, progress. Constant numbers of queries; nothing here writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from coaching import queries
from coaching.knowledge import entries
from coaching.models import Dish, LearnerState, Principle, Session, SessionStatus, User
from coaching.models.dish import DishStatus
from coaching.models.user import SubscriptionStatus
from coaching.queries.content import parse_principle_row
from coaching.queries.dishes import DishView, get_open_month, list_all_dishes
from coaching.queries.onboarding import read_answer

SESSIONS_PER_DISH = 3
UNDER_WAY = (SessionStatus.UPLOADED, SessionStatus.PROCESSING)


class NextStep(StrEnum):
    """What a learner had best do now."""

    ANSWER_QUIZ = "answer_quiz"
    WATCH_PROGRESS = "watch_progress"
    SEND_VIDEO = "send_video"
    MEND_FAILED = "mend_failed"
    COOK_AGAIN = "cook_again"
    NEXT_DISH = "next_dish"
    FIRST_DISH = "first_dish"
    CHOOSE_PLAN = "choose_plan"
    MEND_PAYMENT = "mend_payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedMonth:
    """Dishes that open together; `opens_on` is None where it depends on a subscription that there is not."""

    month: int
    opens_on: date | None
    dishes: tuple[Dish, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """`session` and `dish` are what the next step is about, where it is about one."""

    step: NextStep
    session: Session | None
    dish: Dish | None
    open_dishes: tuple[DishView, ...]
    locked: tuple[LockedMonth, ...]
    latest_film: Session | None
    focus: entries.Principle | None
    completed_count: int


def describe_home(user: User) -> Home:
    views = list_all_dishes(user)
    sessions = list(
        queries.list_sessions(user).only(
            "status", "session_number", "created_at", "coaching_text", "thumbnail_path", "dish", "user"
        )
    )
    step, session, dish = _choose_step(user, sessions, views)
    films = [each for each in sessions if each.status == SessionStatus.COMPLETED]
    state = queries.get_learner_state(user)
    return Home(
        step=step,
        session=session,
        dish=dish,
        open_dishes=tuple(view for view in views if view.is_open),
        locked=tuple(_group_locked(user, [view.dish for view in views if not view.is_open])),
        latest_film=films[0] if films else None,
        focus=_find_principles([state.next_focus]).get(state.next_focus),
        completed_count=len(films),
    )


def _choose_step(
    user: User, sessions: list[Session], views: list[DishView]
) -> tuple[NextStep, Session | None, Dish | None]:
    """`sessions` newest first. What waits for the learner comes before what they could begin."""
    if not user.onboarding_done:
        return NextStep.ANSWER_QUIZ, None, None
    for status, step in (
        (UNDER_WAY, NextStep.WATCH_PROGRESS),
        ((SessionStatus.DRAFT,), NextStep.SEND_VIDEO),
    ):
        if found := next((each for each in sessions if each.status in status), None):
            return step, found, found.dish
    if sessions and sessions[0].status == SessionStatus.FAILED:
        return NextStep.MEND_FAILED, sessions[0], sessions[0].dish
    films = [each for each in sessions if each.status == SessionStatus.COMPLETED]
    if user.subscription_status in {SubscriptionStatus.PAST_DUE, SubscriptionStatus.CANCELLED}:
        return NextStep.MEND_PAYMENT, None, None
    if films and user.subscription_status == SubscriptionStatus.FREE:
        return NextStep.CHOOSE_PLAN, films[0], films[0].dish
    return _choose_dish(user, films, views)


def _choose_dish(
    user: User, films: list[Session], views: list[DishView]
) -> tuple[NextStep, Session | None, Dish | None]:
    """The dish of the last film until it is through, then the first open one that is not."""
    fresh = [view for view in views if view.is_open and view.progress.status != DishStatus.COMPLETED]
    if films:
        view = next(view for view in views if view.dish.pk == films[0].dish_id)
        if view.progress.status != DishStatus.COMPLETED and view.session_count < SESSIONS_PER_DISH:
            return NextStep.COOK_AGAIN, films[0], view.dish
        untouched = [view for view in fresh if view.session_count == 0] or fresh
        return NextStep.NEXT_DISH, films[0], untouched[0].dish if untouched else None
    wished = read_answer(user.learner_profile, "first_dish")
    chosen = next((view for view in fresh if view.dish.slug == wished), fresh[0] if fresh else None)
    return NextStep.FIRST_DISH, None, chosen.dish if chosen else None


def _group_locked(user: User, dishes: Iterable[Dish]) -> Iterable[LockedMonth]:
    by_month: dict[int, list[Dish]] = {}
    for dish in dishes:
        by_month.setdefault(dish.month_unlocked, []).append(dish)
    for month, group in sorted(by_month.items()):
        yield LockedMonth(month=month, opens_on=find_opening(user, month), dishes=tuple(group))


def find_opening(user: User, month: int) -> date | None:
    """The first day of the calendar month in which the dishes of that month open; None without a subscription."""
    since = user.subscribed_since
    if user.subscription_status != SubscriptionStatus.ACTIVE or since is None:
        return None
    months = since.year * 12 + since.month - 1 + month - 1
    return date(months // 12, months % 12 + 1, 1)


def _find_principles(slugs: Iterable[str]) -> dict[str, entries.Principle]:
    return {row.slug: parse_principle_row(row) for row in Principle.objects.filter(slug__in=list(slugs))}


# --- a dish ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPointView:
    """What matters at one moment of the dish. `principle` is None where its content was taken out."""

    moment_ja: str
    watch_for_ja: str
    typical_mistake_ja: str
    success_sign_ja: str
    principle: entries.Principle | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DishPage:
    view: DishView
    opens_on: date | None
    open_month: int
    key_points: tuple[KeyPointView, ...]
    sessions: tuple[Session, ...]
    safety_notes: tuple[str, ...]
    helps_with: tuple[Dish, ...]
    can_cook: bool


def describe_dish_page(user: User, slug: str) -> DishPage:
    """Raises `NotFound`."""
    view = queries.get_dish(user, slug)
    dish = view.dish
    principles = _find_principles({*dish.principles, *(point["principle"] for point in dish.key_points)})
    sessions = tuple(queries.list_sessions(user).filter(dish=dish).exclude(status=SessionStatus.CANCELLED))
    notes = dict.fromkeys(principles[s].safety_note_ja for s in dish.principles if s in principles)
    return DishPage(
        view=view,
        opens_on=find_opening(user, dish.month_unlocked),
        open_month=get_open_month(user),
        key_points=tuple(
            KeyPointView(
                moment_ja=point["moment_ja"],
                watch_for_ja=point["watch_for_ja"],
                typical_mistake_ja=point["typical_mistake_ja"],
                success_sign_ja=point["success_sign_ja"],
                principle=principles.get(point["principle"]),
            )
            for point in dish.key_points
        ),
        sessions=sessions,
        safety_notes=tuple(note for note in notes if note),
        helps_with=tuple(Dish.objects.filter(slug__in=dish.transferable_to).order_by("order")),
        can_cook=view.is_open and view.session_count < SESSIONS_PER_DISH,
    )


# --- progress -------------------------------------------------------------------------------------------------------

RATINGS_JA = {"appearance": "見た目", "taste": "味", "texture": "食感", "aroma": "香り"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringMistake:
    text_ja: str
    principle: entries.Principle | None
    seen_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressPage:
    """`films` are completed sessions, oldest first; `ratings` by name, one value or None a film, in their order.

    `skill_counts`: how many principles had been seen done well up to each film.
    """

    state: LearnerState
    films: tuple[Session, ...]
    ratings: dict[str, tuple[int | None, ...]]
    skill_counts: tuple[int, ...]
    acquired: tuple[entries.Principle, ...]
    developing: tuple[entries.Principle, ...]
    mistakes: tuple[RecurringMistake, ...]
    focus: entries.Principle | None


def describe_progress(user: User) -> ProgressPage:
    state = queries.get_learner_state(user)
    films = tuple(queries.list_sessions(user).filter(status=SessionStatus.COMPLETED).order_by("created_at", "pk"))
    every = {row.slug: parse_principle_row(row) for row in Principle.objects.all()}
    owners = {mistake.slug: (mistake, entry) for entry in every.values() for mistake in entry.mistakes}
    return ProgressPage(
        state=state,
        films=films,
        ratings={name: tuple(_read_rating(film, name) for film in films) for name in RATINGS_JA},
        skill_counts=tuple(_count_skills(films)),
        acquired=tuple(every[slug] for slug in state.skills_acquired if slug in every),
        developing=tuple(every[slug] for slug in state.skills_developing if slug in every),
        mistakes=tuple(
            RecurringMistake(
                text_ja=owners[row["mistake"]][0].ja,
                principle=owners[row["mistake"]][1],
                seen_count=row["seen_count"],
            )
            for row in state.recurring_mistakes
            if row["mistake"] in owners
        ),
        focus=every.get(state.next_focus),
    )


def _read_rating(session: Session, name: str) -> int | None:
    value = session.self_ratings.get(name)
    return value if isinstance(value, int) else None


def _count_skills(films: Iterable[Session]) -> Iterable[int]:
    seen: set[str] = set()
    for film in films:
        seen.update(film.video_analysis.get("done_well", ()))
        yield len(seen)
