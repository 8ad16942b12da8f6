"""Home, dishes, progress: what they tell, and that they ask the database a constant number of times."""

from datetime import date

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from coaching.models import Session, SessionStatus, User
from coaching.models.user import SubscriptionStatus
from coaching.queries.learner_pages import NextStep, describe_home, find_opening
from coaching.web.charts import draw_chart
from tests.browser.world import World, build_world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content")]


@pytest.fixture
def world(loaded_content: None) -> World:
    return build_world()


@pytest.fixture
def web(world: World) -> Client:
    client = Client()
    client.force_login(world.learner)
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
def test_what_waits_comes_first(world: World, status: SessionStatus, step: NextStep) -> None:
    session = begin(world.learner, status)
    home = describe_home(world.learner)
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
def test_the_next_step_knows_the_subscription(world: World, subscription: SubscriptionStatus, step: NextStep) -> None:
    world.learner.subscription_status = subscription
    assert describe_home(world.learner).step == step


def test_a_newcomer_answers_the_quiz_then_cooks_what_they_wished_for(world: World) -> None:
    assert describe_home(world.newcomer).step == NextStep.ANSWER_QUIZ
    world.newcomer.onboarding_done = True
    world.newcomer.learner_profile = {"first_dish": "pomodoro"}
    home = describe_home(world.newcomer)
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
    assert "はなこさんの台所" in page
    assert "身につきました" in page
    assert "か月目（" in page


def test_a_dish_shows_its_cues_and_this_learners_cooks_only(web: Client, world: World) -> None:
    page = web.get("/dishes/fried-rice/").content.decode()
    assert page.count(f'href="/sessions/{world.film.pk}/"') == 1
    assert "ふちは固まり、中心はまだ光っている" in page
    stranger = Client()
    stranger.force_login(world.newcomer)
    assert f"/sessions/{world.film.pk}/" not in stranger.get("/dishes/fried-rice/").content.decode()


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


def test_a_lost_login_takes_htmx_to_the_login_and_back_to_the_page(world: World) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/progress/?a=1"}
    answer = Client().get("/dashboard/", headers=headers)
    assert answer.headers["HX-Redirect"] == "/login/?next=%2Fprogress%2F%3Fa%3D1"


@pytest.mark.parametrize("path", ["/dashboard/", "/progress/", "/dishes/fried-rice/"])
def test_more_cooks_ask_the_database_no_more_often(
    web: Client, world: World, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(50) as before:
        web.get(path)
    for _ in range(4):
        begin(world.learner, SessionStatus.FAILED)
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
