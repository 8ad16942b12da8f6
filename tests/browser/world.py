"""Who and what the pages show in pictures and in the tests that look at every page.

`PAGES` is the list of them: add a page by adding a line. `who` is the account that looks, `path` may name a session
of hers by `{film}` (completed), `{making}` or `{failed}`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from coaching.models import Dish, Session, SessionStatus, Stage, User, UserDishProgress
from coaching.models.dish import DishStatus
from coaching.models.user import SubscriptionStatus
from coaching.services.chat import open_rooms
from coaching.services.learner_state import refresh_learner_state
from coaching.services.runs import claim_stage, commit_stage, start_run
from tests.coaching.conftest import give_consents
from tests.finished_cooks import Footage, describe_analysis, finish_cook, share_footage

TOKYO = ZoneInfo("Asia/Tokyo")
Who = Literal["nobody", "newcomer", "learner"]


@dataclass(frozen=True)
class PageCase:
    name: str
    path: str
    who: Who = "learner"


PAGES = (
    PageCase("landing", "/", "nobody"),
    PageCase("register", "/register/", "nobody"),
    PageCase("login", "/login/", "nobody"),
    PageCase("password", "/password/", "nobody"),
    PageCase("terms", "/terms/", "nobody"),
    PageCase("privacy", "/privacy/", "nobody"),
    PageCase("commerce", "/commerce/", "nobody"),
    PageCase("offline", "/offline/", "nobody"),
    PageCase("quiz", "/onboarding/about/", "newcomer"),
    PageCase("quiz-food", "/onboarding/food/", "newcomer"),
    PageCase("quiz-skill", "/onboarding/skill/", "newcomer"),
    PageCase("consents", "/onboarding/consents/", "newcomer"),
    PageCase("dashboard-new", "/dashboard/", "newcomer"),
    PageCase("progress-new", "/progress/", "newcomer"),
    PageCase("onboarding", "/onboarding/"),
    PageCase("dashboard", "/dashboard/"),
    PageCase("dish", "/dishes/fried-rice/"),
    PageCase("dish-locked", "/dishes/paella/"),
    PageCase("new-cook", "/sessions/new/pomodoro/"),
    PageCase("making", "/sessions/{making}/"),
    PageCase("failed", "/sessions/{failed}/"),
    PageCase("film", "/sessions/{film}/"),
    PageCase("cooking-videos", "/chat/cooking-videos/"),
    PageCase("coaching", "/chat/coaching/"),
    PageCase("progress", "/progress/"),
    PageCase("account", "/account/"),
)


@dataclass(frozen=True)
class World:
    newcomer: User
    learner: User
    film: Session
    making: Session | None
    failed: Session | None

    def find_user(self, who: Who) -> User | None:
        return {"nobody": None, "newcomer": self.newcomer, "learner": self.learner}[who]

    def find_path(self, case: PageCase) -> str:
        named = {"film": self.film, "making": self.making, "failed": self.failed}
        return case.path.format(**{name: session.pk for name, session in named.items() if session})


@dataclass(frozen=True)
class _Cook:
    dish: str
    number: int
    principle: str
    mistake: str
    done_well: tuple[str, ...]
    ratings: tuple[int, int, int, int]
    diagnosis: str
    next_action: str


FAILURE = "動画が途中で切れていました。もう一度、最後までアップロードしてください。"
COOKS = (
    _Cook(
        *("fried-rice", 1, "egg_timing", "over_cook_egg_before_combining", ("mise_en_place",), (3, 3, 2, 3)),
        "卵がすっかり固まってからご飯が入り、別々になっていました。",
        "卵のふちが固まり、まん中がまだ光っているうちに、ご飯を入れてみましょう。",
    ),
    _Cook(
        *("fried-rice", 2, "egg_timing", "over_cook_egg_before_combining", ("mise_en_place", "preheat_pan")),
        (3, 4, 3, 3),
        "卵を入れてから手が止まり、固まるまで待っていました。",
        "卵を入れる前に、ご飯を手もとに置いておきましょう。",
    ),
    _Cook(
        *("fried-rice", 3, "", "", ("mise_en_place", "preheat_pan", "egg_timing", "oil_coating"), (4, 4, 4, 4)),
        "卵が光っているうちにご飯が入り、きれいにまとまりました。",
        "この調子で、仕上げの醤油を鍋肌から回し入れてみましょう。",
    ),
    _Cook(
        *("beef-steak", 1, "leave_it_alone", "moved_too_early", ("preheat_pan", "mise_en_place"), (3, 4, 3, 5)),
        "焼き色がつく前に、肉を動かしていました。",
        "肉が自分からはがれるまで、触らずに待ってみましょう。",
    ),
)


def build_world(footage: Footage | None = None, *, has_runs: bool = False) -> World:
    """Needs the content to be loaded. `footage` is what all films and cooks show, by default test patterns.

    `has_runs`: one more cook is being made, and another one came to nothing.
    """
    newcomer = User.objects.create_user("aoi@example.com", "mada-kore-kara-9", first_name="あおい")
    open_rooms(newcomer)
    learner = User.objects.create_user(
        "hanako@example.com",
        "kome-to-tamago-7",
        first_name="はなこ",
        subscription_status=SubscriptionStatus.ACTIVE,
        subscribed_since=timezone.localdate() - timedelta(days=40),
        onboarding_done=True,
        email_verified_at=timezone.now(),
        learner_profile={"preferred_name": "はなこ", "first_dish": "fried-rice"},
    )
    give_consents(learner)
    open_rooms(learner)
    shown = footage or share_footage()
    films = [_make_film(learner, cook, index, shown) for index, cook in enumerate(COOKS)]
    _mark(learner, "fried-rice", DishStatus.COMPLETED)
    _mark(learner, "beef-steak", DishStatus.IN_PROGRESS)
    refresh_learner_state(learner)
    failed = making = None
    if has_runs:
        failed = _submit(learner, "pomodoro", done=1)
        Session.objects.filter(pk=failed.pk).update(status=SessionStatus.FAILED, pipeline_error=FAILURE)
        making = _submit(learner, "pomodoro", done=3)
    return World(newcomer=newcomer, learner=learner, film=films[1], making=making, failed=failed)


def _mark(learner: User, dish: str, status: DishStatus) -> None:
    UserDishProgress.objects.create(user=learner, dish=Dish.objects.get(slug=dish), status=status)


def _make_film(learner: User, cook: _Cook, index: int, footage: Footage) -> Session:
    basis = [cook.principle or cook.done_well[-1]]
    session = finish_cook(
        learner,
        footage,
        dish_slug=cook.dish,
        session_number=cook.number,
        self_ratings=dict(zip(("appearance", "taste", "texture", "aroma"), cook.ratings, strict=True)),
        video_analysis=describe_analysis(
            outcome="mistake" if cook.mistake else "good",
            principle_slug=cook.principle,
            mistake_slug=cook.mistake,
            done_well=list(cook.done_well),
            diagnosis=cook.diagnosis,
        ),
        retrieved_context={"basis": dict.fromkeys(("mondaiten", "skill", "next_action"), basis)},
        coaching_text={
            "mondaiten": cook.diagnosis,
            "skill": "見て、聞いて、決める力です。",
            "next_action": cook.next_action,
            "success_sign": "粒がつやつやと離れます。",
        },
    )
    moment = datetime(2026, 10, 4, 18, 30, tzinfo=TOKYO) + timedelta(days=7 * index)
    Session.objects.filter(pk=session.pk).update(created_at=moment)
    session.refresh_from_db()
    return session


def _submit(learner: User, dish: str, *, done: int) -> Session:
    """A session whose first `done` stages are over, and the next one runs."""
    session = Session.objects.create(
        user=learner,
        dish=Dish.objects.get(slug=dish),
        session_number=1,
        status=SessionStatus.CANCELLED,
        raw_video_path="sessions/0/raw.mp4",
        self_ratings={"appearance": 4, "taste": 3},
    )
    with transaction.atomic():
        run = start_run(session=session)
    for stage in list(Stage)[: done + 1]:
        claim = claim_stage(run_id=run.id, stage=stage, worker="worker")
        if claim is not None and stage != list(Stage)[done]:
            commit_stage(claim, output={"video": {}, "thumbnail_path": ""})
    return session
