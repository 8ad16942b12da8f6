"""/metrics, read back with the parser of Prometheus's own library."""

import pytest
from django.db import connection
from django.test import Client
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from coaching.models import Dish, Session, Stage, User
from coaching.queries.heartbeats import WATCHDOG
from coaching.queries.operations import read_operations
from coaching.services import runs
from coaching.services.heartbeats import take_beat
from coaching.web.broker import list_queues
from coaching.web.metrics import ProductCollector, describe_operations

TOKEN = "a-token-for-these-tests"


@pytest.fixture
def token(settings: Settings) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def ask(authorization: str | None = f"Bearer {TOKEN}", **headers: str) -> tuple[int, str]:
    if authorization is not None:
        headers["Authorization"] = authorization
    response = Client().get("/metrics", headers=headers)
    return response.status_code, response.content.decode()


def parse(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def read_value(families: dict[str, Metric], name: str, **labels: str) -> float:
    (value,) = [s.value for s in families[f"moment_clone_{name}"].samples if labels.items() <= s.labels.items()]
    return value


def test_without_a_token_in_the_settings_there_is_no_such_page() -> None:
    for authorization in (None, "Bearer ", f"Bearer {TOKEN}"):
        assert ask(authorization)[0] == 404


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer é"],
)
def test_a_stranger_is_told_nothing(token: str, authorization: str | None) -> None:
    assert ask(authorization) == (401, "")


@pytest.mark.usefixtures("token")
def test_nothing_is_taken_but_reading() -> None:
    assert Client().post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("token")
def test_what_waits_is_there_for_prometheus() -> None:
    user = User.objects.create(email="alice@example.test", first_name="Alice")
    dish = Dish.objects.create(slug="fried-rice", name_ja="チャーハン", order=1)
    session = Session.objects.create(user=user, dish=dish, session_number=1, raw_video_path="sessions/x/raw.mp4")
    run = runs.start_run(session=session)
    claim = runs.claim_stage(run_id=run.id, stage=Stage.INSPECT, worker="w@test")
    assert claim is not None
    runs.commit_stage(claim, output={}, usage=[{"cost_usd": 0.25}])
    take_beat(WATCHDOG, period_seconds=5)
    status, text = ask()
    families = parse(text)
    assert status == 200
    assert 0 <= read_value(families, "beat_age_seconds", beat="watchdog") < 100
    assert (read_value(families, "index_current"), read_value(families, "index_documents")) == (0, 0)
    assert read_value(families, "stage_waiting", stage="listen", queue="llm") == 1
    assert read_value(families, "stage_recent_attempts", stage="inspect", outcome="done") == 1
    assert read_value(families, "stage_failure_ratio", stage="inspect") == 0
    assert read_value(families, "stage_recent_duration_seconds", stage="inspect", quantile="0.95") >= 0
    assert read_value(families, "runs_running") == 1
    assert read_value(families, "recent_spent_usd") == 0.25
    assert (read_value(families, "database_up"), read_value(families, "broker_up")) == (1, 1)
    queues = {sample.labels["queue"] for sample in families["moment_clone_broker_messages"].samples}
    assert queues == set(list_queues()) >= {"media", "llm", "default", "upkeep"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("token")
def test_openmetrics_is_spoken_to_those_who_ask_for_it() -> None:
    status, text = ask(Accept="application/openmetrics-text; version=1.0.0")
    assert (status, text.splitlines()[-1]) == (200, "# EOF")


@pytest.mark.django_db
@pytest.mark.usefixtures("token")
def test_servers_that_are_away_are_told_of_and_fail_nothing(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = "1"
    try:
        status, text = ask()
    finally:
        connection.settings_dict["PORT"] = port
    families = parse(text)
    assert status == 200
    assert {name: family.samples[0].value for name, family in families.items()} == {
        "moment_clone_database_up": 0,
        "moment_clone_broker_up": 0,
    }


@pytest.mark.django_db
def test_no_series_is_there_twice() -> None:
    """Prometheus refuses the whole page for one."""
    samples = [sample for family in describe_operations(read_operations()) for sample in family.samples]
    keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples]
    assert len(keys) == len(set(keys)) > 50


def test_a_collector_asks_nothing_before_it_is_read() -> None:
    """No database fixture: a question would fail here."""
    CollectorRegistry(auto_describe=False).register(ProductCollector())
