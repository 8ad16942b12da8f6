import threading
from collections.abc import Callable

import pytest
from django.db import connection

from coaching.errors import Conflict, NotFound, PermanentError
from coaching.models import (
    AuditEntry,
    OutboxMail,
    PipelineRun,
    RunState,
    Session,
    SessionStatus,
    Stage,
    StageState,
    User,
)
from coaching.models.run import RunCause
from coaching.providers.registry import get_object_store
from coaching.services import runs, sessions, steering
from coaching.services.sessions import VideoClaim
from coaching.services.steering import Order
from tests.coaching.services.run_steps import (
    claim,
    complete,
    fail_at,
    finish_before,
    make_cook,
    start_cook,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]


def order(actor: User, run: PipelineRun | None = None, reason: str = "the film has no sound") -> Order:
    return Order(actor=actor, reason=reason, seen_run_id=run.pk if run else None)


def refusal_of_rerun(session: Session, stage: Stage, *, supersede: bool = False) -> str:
    (plan,) = steering.plan_rerun(session_ids=[session.pk], first_stage=stage, supersede=supersede)
    return plan.refusal


def test_a_rerun_keeps_what_came_before_and_is_written_to_the_audit_log(alice: User, sam: User) -> None:
    first = complete(start_cook(alice))
    second = steering.rerun(session_id=first.session_id, first_stage=Stage.SCRIPT, order=order(sam, first))
    before, after = ({row.stage: row for row in run.stages.all()} for run in (first, second))
    for stage in (Stage.INSPECT, Stage.LISTEN, Stage.ANALYSE, Stage.RETRIEVE):
        assert (after[stage].output, after[stage].finished_at) == (before[stage].output, before[stage].finished_at)
    assert after[Stage.SCRIPT].state == StageState.QUEUED
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (sam, "run.rerun", f"session:{first.session_id}")
    assert entry.reason == "the film has no sound"
    assert entry.details == {
        "run": str(second.pk),
        "previous_run": str(first.pk),
        "first_stage": "script",
        "superseded": False,
    }


def test_what_will_be_kept_and_replaced_is_said_beforehand(alice: User) -> None:
    run = complete(start_cook(alice))
    (plan,) = steering.plan_rerun(session_ids=[run.session_id], first_stage=Stage.NARRATE)
    assert plan.kept[-1] == Stage.SCRIPT
    assert plan.replaced == (Stage.NARRATE, Stage.COMPOSE, Stage.DELIVER)
    assert not plan.refusal
    assert PipelineRun.objects.count() == 1


def test_a_run_in_progress_is_rerun_only_where_superseding_is_chosen(alice: User, sam: User) -> None:
    run = finish_before(start_cook(alice), Stage.NARRATE)
    with pytest.raises(Conflict, match="in progress"):
        steering.rerun(session_id=run.session_id, first_stage=Stage.SCRIPT, order=order(sam, run))
    assert not AuditEntry.objects.exists()
    steering.rerun(session_id=run.session_id, first_stage=Stage.SCRIPT, order=order(sam, run), supersede=True)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert AuditEntry.objects.get().details["superseded"] is True


def test_a_rerun_cannot_begin_after_a_stage_that_left_nothing(alice: User, sam: User) -> None:
    run = fail_at(start_cook(alice), Stage.ANALYSE, PermanentError("the model said no"))
    with pytest.raises(Conflict, match="re-run from analyse or before"):
        steering.rerun(session_id=run.session_id, first_stage=Stage.SCRIPT, order=order(sam, run))
    assert refusal_of_rerun(run.session, Stage.ANALYSE) == ""


def test_a_session_that_was_never_submitted_has_nothing_to_rerun(alice: User, sam: User) -> None:
    session = make_cook(alice)
    for steer in (steering.retry, steering.cancel):
        with pytest.raises(Conflict, match="never submitted"):
            steer(session_id=session.pk, order=order(sam))
    assert "never submitted" in refusal_of_rerun(session, Stage.INSPECT)


def test_a_session_that_waits_for_another_video_is_left_to_its_learner(alice: User, sam: User) -> None:
    run = fail_at(start_cook(alice), Stage.INSPECT, PermanentError("no picture"))
    sessions.reopen_upload(
        user=alice, session_id=run.session_id, video=VideoClaim(size_bytes=9, content_type="video/mp4")
    )
    with pytest.raises(Conflict, match="another video"):
        steering.retry(session_id=run.session_id, order=order(sam, run))


def test_a_failed_cook_whose_number_went_to_another_cook_stays_failed(alice: User, sam: User) -> None:
    run = fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    make_cook(alice)
    with pytest.raises(Conflict, match="number 1 was given"):
        steering.retry(session_id=run.session_id, order=order(sam, run))


def test_without_its_video_only_the_delivery_can_be_rerun(alice: User) -> None:
    run = complete(start_cook(alice))
    get_object_store().delete(run.session.raw_video_path)
    assert "no longer kept" in refusal_of_rerun(run.session, Stage.COMPOSE)
    assert refusal_of_rerun(run.session, Stage.DELIVER) == ""


def test_a_retry_begins_at_the_failed_stage(alice: User, sam: User) -> None:
    run = fail_at(start_cook(alice), Stage.NARRATE, PermanentError("no voice"))
    retried = steering.retry(session_id=run.session_id, order=order(sam, run))
    assert (retried.first_stage, retried.cause) == (Stage.NARRATE, RunCause.RETRY)
    assert AuditEntry.objects.get().action == "run.retry"


@pytest.mark.parametrize("make", [complete, lambda run: finish_before(run, Stage.SCRIPT)])
def test_only_a_failed_run_is_retried(alice: User, sam: User, make: Callable[[PipelineRun], PipelineRun]) -> None:
    run = make(start_cook(alice))
    with pytest.raises(Conflict, match="nothing to retry"):
        steering.retry(session_id=run.session_id, order=order(sam, run))
    assert not AuditEntry.objects.exists()


def test_a_cancelled_run_is_fenced_out_and_can_be_taken_up_again(alice: User, sam: User) -> None:
    run = finish_before(start_cook(alice), Stage.COMPOSE)
    held = claim(run, Stage.COMPOSE)
    steering.cancel(session_id=run.session_id, order=order(sam, run))
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert run.stages.get(stage=Stage.COMPOSE).fence > held.fence
    assert Session.objects.get(pk=run.session_id).status == SessionStatus.CANCELLED
    with pytest.raises(Conflict, match="nothing is in progress"):
        steering.cancel(session_id=run.session_id, order=order(sam, run))
    again = steering.rerun(session_id=run.session_id, first_stage=Stage.COMPOSE, order=order(sam, run))
    assert again.previous == run


def test_a_rerun_that_fails_leaves_the_learner_the_film_and_no_mail(alice: User, sam: User) -> None:
    first = complete(start_cook(alice))
    again = steering.rerun(session_id=first.session_id, first_stage=Stage.COMPOSE, order=order(sam, first))
    runs.fail_stage(claim(again, Stage.COMPOSE), PermanentError("no disk"))
    session = Session.objects.get(pk=first.session_id)
    assert (session.status, session.coaching_video_gcs_path) == (SessionStatus.COMPLETED, "films/first.mp4")
    assert session.pipeline_error == ""
    assert not OutboxMail.objects.exists()


def test_who_decided_on_an_older_run_is_told_what_happened_since(alice: User, sam: User, charlie: User) -> None:
    seen = complete(start_cook(alice))
    steering.rerun(session_id=seen.session_id, first_stage=Stage.COMPOSE, order=order(charlie, seen))
    with pytest.raises(Conflict, match=r"moved on .* compose by charlie@example\.com, running"):
        steering.rerun(session_id=seen.session_id, first_stage=Stage.SCRIPT, order=order(sam, seen), supersede=True)
    assert AuditEntry.objects.count() == 1


def test_an_unknown_session_is_named(sam: User) -> None:
    with pytest.raises(NotFound, match="no session 4711"):
        steering.cancel(session_id=4711, order=order(sam))


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_at_once_one_wins_and_the_other_reads_why(alice: User, sam: User, charlie: User) -> None:
    seen = fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    barrier, refusals = threading.Barrier(2), list[str]()

    def retry(actor: User) -> None:
        barrier.wait()
        try:
            steering.retry(session_id=seen.session_id, order=order(actor, seen))
        except Conflict as error:
            refusals.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=retry, args=[actor]) for actor in (sam, charlie)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = AuditEntry.objects.get().actor
    assert winner is not None
    assert len(refusals) == 1
    assert f"from script by {winner.email}, running" in refusals[0]
    assert PipelineRun.objects.count() == 2
