"""Home, dishes, progress: what they tell, and that they ask the database a constant number of times."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from coaching.models import Dish, Session, SessionStatus, User, UserDishProgress
from coaching.models.dish import DishStatus
from coaching.models.user import SubscriptionStatus
from coaching.providers.ports import SelfServedStore
from coaching.queries.learner_pages import NextStep, describe_home, find_opening
from coaching.services.learner_state import refresh_learner_state
from coaching.web.charts import draw_chart
from tests.coaching.conftest import make_learner

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content")]


# dish, number, principle missed, mistake, what was done well, own ratings
COOKS: tuple[tuple[str, int, str, str, tuple[str, ...], tuple[int, ...]], ...] = (
    ("fried-rice", 1, "egg_timing", "over_cook_egg_before_combining", ("mise_en_place",), (3, 3, 2, 3)),
    ("fried-rice", 2, "egg_timing", "over_cook_egg_before_combining", ("preheat_pan",), (3, 4, 3, 3)),
    ("fried-rice", 3, "", "", ("mise_en_place", "preheat_pan", "egg_timing"), (4, 4, 4, 4)),
    ("beef-steak", 1, "leave_it_alone", "moved_too_early", ("preheat_pan", "mise_en_place"), (3, 4, 3, 5)),
)


@pytest.fixture
def hanako(loaded_content: None, object_store: SelfServedStore) -> User:
    """Subscribed, three cooks of one dish behind her and one of the next."""
    learner = make_learner("Hanako", subscribed_since=timezone.localdate() - timedelta(days=40))
    for dish, number, principle, mistake, done_well, ratings in COOKS:
        Session.objects.create(
            user=learner,
            dish=Dish.objects.get(slug=dish),
            session_number=number,
            status=SessionStatus.COMPLETED,
            raw_video_path="sessions/0/raw.mp4",
            coaching_video_gcs_path="sessions/0/film.mp4",
            self_ratings=dict(zip(("appearance", "taste", "texture", "aroma"), ratings, strict=True)),
            video_analysis={
                "outcome": "mistake" if mistake else "good",
                "principle_slug": principle,
                "mistake_slug": mistake,
                "done_well": list(done_well),
                "diagnosis": "卵が先に固まっていました。",
            },
            coaching_text={"next_action": "まん中が光っているうちに、ご飯を入れてみましょう。"},
        )
    fried_rice = Dish.objects.get(slug="fried-rice")
    UserDishProgress.objects.create(user=learner, dish=fried_rice, status=DishStatus.COMPLETED)
    refresh_learner_state(learner)
    return learner


@pytest.fixture
def web(hanako: User) -> Client:
    client = Client()
    client.force_login(hanako)
    return client


def begin(user: User, status: SessionStatus, **fields: object) -> Session:
    dish = Session.objects.filter(dish__slug="beef-steak")[0].dish
    path = "" if status == SessionStatus.DRAFT else "sessions/0/raw.mp4"
    return Session.objects.create(user=user, dish=dish, session_number=2, status=status, raw_video_path=path)


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (SessionStatus.DRAFT, NextStep.SEND_VIDEO),
        (SessionStatus.PROCESSING, NextStep.WATCH_PROGRESS),
        (SessionStatus.FAILED, NextStep.MEND_FAILED),
        (SessionStatus.CANCELLED, NextStep.COOK_AGAIN),
    ],
)
def test_what_waits_comes_first(hanako: User, status: SessionStatus, step: NextStep) -> None:
    session = begin(hanako, status)
    home = describe_home(hanako)
    assert home.step == step
    if step != NextStep.COOK_AGAIN:
        assert home.session == session


@pytest.mark.parametrize(
    ("subscription", "step"),
    [
        (SubscriptionStatus.ACTIVE, NextStep.COOK_AGAIN),
        (SubscriptionStatus.FREE, NextStep.CHOOSE_PLAN),
        (SubscriptionStatus.PAST_DUE, NextStep.MEND_PAYMENT),
        (SubscriptionStatus.CANCELLED, NextStep.MEND_PAYMENT),
    ],
)
def test_the_next_step_knows_the_subscription(hanako: User, subscription: SubscriptionStatus, step: NextStep) -> None:
    hanako.subscription_status = subscription
    assert describe_home(hanako).step == step


def test_a_newcomer_answers_the_quiz_then_cooks_what_they_wished_for(bob: User) -> None:
    bob.onboarding_done = False
    assert describe_home(bob).step == NextStep.ANSWER_QUIZ
    bob.onboarding_done = True
    bob.learner_profile = {"first_dish": "pomodoro"}
    home = describe_home(bob)
    assert home.step == NextStep.FIRST_DISH
    assert home.dish is not None
    assert home.dish.slug == "pomodoro"


@pytest.mark.parametrize(
    ("since", "month", "opens"),
    [
        (date(2026, 1, 31), 1, date(2026, 1, 1)),
        (date(2026, 1, 31), 2, date(2026, 2, 1)),
        (date(2026, 11, 3), 3, date(2027, 1, 1)),
        (date(2026, 12, 3), 2, date(2027, 1, 1)),
    ],
)
def test_a_locked_dish_says_in_which_month_it_opens(alice: User, since: date, month: int, opens: date) -> None:
    alice.subscribed_since = since
    assert find_opening(alice, month) == opens


def test_without_a_subscription_no_month_is_promised(bob: User) -> None:
    assert find_opening(bob, 2) is None


def test_home_shows_open_and_locked_dishes(web: Client) -> None:
    page = web.get("/dashboard/").content.decode()
    assert "Hanakoさんの台所" in page
    assert "身につきました" in page
    assert "か月目（" in page


def test_a_dish_shows_its_cues_and_this_learners_cooks_only(web: Client, hanako: User, bob: User) -> None:
    page = web.get("/dishes/fried-rice/").content.decode()
    film = hanako.cooking_sessions.filter(dish__slug="fried-rice")[0]
    assert page.count(f'href="/sessions/{film.pk}/"') == 1
    assert "ふちは固まり、中心はまだ光っている" in page
    stranger = Client()
    stranger.force_login(bob)
    assert f"/sessions/{film.pk}/" not in stranger.get("/dishes/fried-rice/").content.decode()


def test_a_locked_dish_can_be_read_about_but_not_begun(web: Client) -> None:
    page = web.get("/dishes/paella/").content.decode()
    assert "に開きます" in page
    assert "/sessions/new/paella/" not in page


def test_no_such_dish_is_not_found(web: Client) -> None:
    assert web.get("/dishes/ambrosia/").status_code == 404


def test_progress_names_skills_and_draws_both_charts(web: Client) -> None:
    page = web.get("/progress/").content.decode()
    assert page.count('<svg class="chart"') == 2
    assert "卵が固まりきってから次へ進む" in page
    assert "（2回）" in page


def test_htmx_gets_the_fragment_of_the_same_view(web: Client) -> None:
    for path in ("/dashboard/", "/progress/", "/dishes/fried-rice/"):
        piece = web.get(path, headers={"HX-Request": "true"})
        assert piece.headers["Vary"].count("HX-Request") == 1
        assert "<html" not in piece.content.decode()
        assert "<h1" in piece.content.decode()


def test_a_lost_login_takes_htmx_to_the_login_and_back_to_the_page(hanako: User) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/progress/?a=1"}
    answer = Client().get("/dashboard/", headers=headers)
    assert answer.headers["HX-Redirect"] == "/login/?next=%2Fprogress%2F%3Fa%3D1"


@pytest.mark.parametrize("path", ["/dashboard/", "/progress/", "/dishes/fried-rice/"])
def test_more_cooks_ask_the_database_no_more_often(
    web: Client, hanako: User, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(50) as before:
        web.get(path)
    for _ in range(4):
        begin(hanako, SessionStatus.FAILED)
    with django_assert_max_num_queries(len(before)):
        web.get(path)


def test_a_chart_breaks_its_line_where_a_value_is_missing() -> None:
    chart = draw_chart({"味": [1, 3, None, 5, 4]}, labels=list("abcde"), low=1, high=5)
    assert [len(run.split()) for run in chart.lines[0].runs] == [2, 2]
    assert [mark.value for mark in chart.lines[0].marks] == [1, 3, 5, 4]


def test_one_film_is_a_point_in_the_middle() -> None:
    chart = draw_chart({"味": [3]}, labels=["a"], low=1, high=5)
    assert chart.lines[0].runs == ()
    assert chart.lines[0].marks[0].x == pytest.approx(chart.width / 2)
