import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from coaching.errors import PermanentError
from coaching.models import Dish, Session, Stage, User
from coaching.services import runs

pytestmark = pytest.mark.django_db


def print_queues(*arguments: str) -> str:
    printed = StringIO()
    call_command("queues", *arguments, stdout=printed)
    return printed.getvalue()


def find_line(table: str, stage: Stage) -> list[str]:
    return next(line.split() for line in table.splitlines() if line.startswith(f"{stage} "))


@pytest.fixture
def failed_inspection(alice: User) -> None:
    dish = Dish.objects.create(slug="fried-rice", name_ja="チャーハン", order=1)
    session = Session.objects.create(user=alice, dish=dish, session_number=1, raw_video_path="sessions/x/raw.mp4")
    run = runs.start_run(session=session)
    claim = runs.claim_stage(run_id=run.id, stage=Stage.INSPECT, worker="w@test")
    assert claim is not None
    runs.fail_stage(claim, PermanentError("no", learner_message="だめでした。"))


def test_an_idle_product_shows_every_stage_and_no_rate() -> None:
    table = print_queues()
    assert [find_line(table, stage)[2:5] for stage in Stage] == [["0", "0", "0"]] * len(Stage)
    assert find_line(table, Stage.COMPOSE)[:2] == ["compose", "media"]
    assert "%" not in table


@pytest.mark.usefixtures("failed_inspection")
def test_a_failure_shows_in_its_stage_and_in_the_runs() -> None:
    table = print_queues()
    assert find_line(table, Stage.INSPECT)[6:10] == ["0", "1", "100%", "0"]
    assert "runs in the last 24 h: 0 completed, 1 failed, 0 cancelled" in table


@pytest.mark.usefixtures("failed_inspection")
def test_json_says_the_same() -> None:
    document: dict[str, Any] = json.loads(print_queues("--json", "--hours", "2"))
    assert document["window_seconds"] == 7200
    assert document["runs"]["failed"] == 1
    inspect = document["stages"][0]
    assert (inspect["stage"], inspect["queue"], inspect["failure_rate"]) == ("inspect", "media", 1.0)
    assert inspect["attempts"]["failed"] == 1
    assert inspect["duration_seconds"] == {"p50": None, "p95": None}


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "9000"])
def test_a_window_that_is_none_is_refused(hours: str) -> None:
    with pytest.raises(CommandError):
        print_queues("--hours", hours)
