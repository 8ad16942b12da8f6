"""The day's money: what counts, who waits, and what an operator reads."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import Settings

from coaching.errors import MalformedAnswer, charge
from coaching.models import PipelineRun, RunState, Stage, StageRun, StageState, User
from coaching.providers.ports import Usage
from coaching.queries.spending import sum_spent_usd
from coaching.services import runs
from coaching.services.budget import find_day
from coaching.services.execution import StageJob, StageResult, execute_stage
from tests.coaching.services.run_steps import claim, finish_before, start_cook

pytestmark = pytest.mark.usefixtures("loaded_content", "object_store")
TOKYO = ZoneInfo("Asia/Tokyo")
MIDNIGHT = datetime(2020, 1, 1, tzinfo=TOKYO)


def spend(run: PipelineRun, usd: float) -> None:
    """The memo was heard and read, by two models."""
    finish_before(run, Stage.LISTEN)
    usage = [{"model": "a", "cost_usd": usd / 2}, {"model": "b", "cost_usd": usd / 2}]
    runs.commit_stage(claim(run, Stage.LISTEN), output={}, usage=usage)


def analyse(run: PipelineRun) -> tuple[StageState | None, bool]:
    """How the stage ended, and whether its work was done."""
    worked: list[StageJob] = []

    def work(job: StageJob) -> StageResult:
        worked.append(job)
        return StageResult(output={})

    return execute_stage(run_id=run.pk, stage=Stage.ANALYSE, worker="w", work=work), bool(worked)


def test_an_answer_that_was_no_good_is_paid_for_all_the_same(alice: User) -> None:
    run = start_cook(alice)
    finish_before(run, Stage.LISTEN)
    error = MalformedAnswer("no JSON")
    with pytest.raises(MalformedAnswer), charge(Usage(provider="google", model="m", cost_usd=0.25)):
        raise error
    assert runs.fail_stage(claim(run, Stage.LISTEN), error) is StageState.QUEUED
    assert sum_spent_usd(since=MIDNIGHT) == pytest.approx(0.25)
    StageRun.objects.filter(run=run, stage=Stage.LISTEN).update(due_at=None)
    runs.commit_stage(claim(run, Stage.LISTEN), output={}, usage=[{"model": "m", "cost_usd": 0.5}])
    assert sum_spent_usd(since=MIDNIGHT) == pytest.approx(0.75)


def test_within_its_budget_a_day_goes_on(alice: User, settings: Settings) -> None:
    settings.DAILY_BUDGET_USD, settings.LEARNER_DAILY_BUDGET_USD = 10.0, 1.0
    run = start_cook(alice)
    spend(run, 0.99)
    assert analyse(run) == (StageState.DONE, True)


def test_beyond_it_a_run_waits_for_the_next_day_in_tokyo_and_says_why(alice: User, settings: Settings) -> None:
    settings.DAILY_BUDGET_USD = 0.5
    run = start_cook(alice)
    spend(run, 0.6)
    assert analyse(run) == (StageState.QUEUED, False)
    row = StageRun.objects.get(run=run, stage=Stage.ANALYSE)
    assert (row.error_class, row.errors) == ("RetryLater", 0)
    assert "DAILY_BUDGET_USD=0.5 is used up: 0.60 USD were spent" in row.error_message
    assert row.due_at is not None
    _, tomorrow = find_day(timezone.now())
    assert tomorrow <= row.due_at <= tomorrow + timedelta(minutes=10)


def test_a_deployment_may_have_runs_fail_instead(alice: User, settings: Settings) -> None:
    settings.DAILY_BUDGET_USD, settings.BUDGET_USED_UP = 0.5, "fail"
    run = start_cook(alice)
    spend(run, 0.6)
    assert analyse(run) == (StageState.FAILED, False)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "DAILY_BUDGET_USD" in run.error
    assert "USD" not in run.learner_message


def test_one_learner_s_day_is_not_another_s(alice: User, charlie: User, settings: Settings) -> None:
    settings.LEARNER_DAILY_BUDGET_USD = 0.5
    hers, his = start_cook(alice), start_cook(charlie)
    spend(hers, 0.6)
    spend(his, 0.1)
    assert analyse(hers) == (StageState.QUEUED, False)
    assert analyse(his) == (StageState.DONE, True)
    assert f"for user {alice.pk}" in StageRun.objects.get(run=hers, stage=Stage.ANALYSE).error_message


def test_stages_that_ask_no_model_do_not_wait(alice: User, settings: Settings) -> None:
    settings.DAILY_BUDGET_USD = 0.5
    spend(start_cook(alice), 0.6)
    second = start_cook(alice, number=2)
    done = execute_stage(run_id=second.pk, stage=Stage.INSPECT, worker="w", work=lambda _: StageResult(output={}))
    assert done == StageState.DONE


def test_what_a_re_run_took_over_was_spent_once(alice: User) -> None:
    run = start_cook(alice)
    spend(run, 0.6)
    runs.cancel_run(run_id=run.pk, reason="test")
    runs.rerun_session(session_id=run.session_id, first_stage=Stage.ANALYSE, requested_by=None)
    assert sum_spent_usd(since=MIDNIGHT) == pytest.approx(0.6)
    assert sum_spent_usd(since=MIDNIGHT, user=alice) == pytest.approx(0.6)
    assert sum_spent_usd(since=timezone.now() + timedelta(hours=1)) == 0


def test_a_day_begins_at_midnight_in_tokyo() -> None:
    begins_at, ends_at = find_day(datetime(2026, 11, 22, 15, 30, tzinfo=UTC))
    assert (begins_at, ends_at) == (datetime(2026, 11, 23, tzinfo=TOKYO), datetime(2026, 11, 24, tzinfo=TOKYO))
