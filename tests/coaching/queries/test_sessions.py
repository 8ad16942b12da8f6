from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import DjangoAssertNumQueries

from coaching import queries
from coaching.models import PipelineRun, Session, Stage, StageRun, StageState, User
from coaching.providers.ports import SelfServedStore
from coaching.services import runs, sessions
from tests.coaching.services.test_sessions import begin, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]

INSPECTED = {"video": {"content_type": "video/quicktime"}, "thumbnail_path": "sessions/1/poster.jpg"}


@pytest.fixture
def submitted(alice: User, object_store: SelfServedStore, video_bytes: bytes) -> Session:
    return submit(alice, object_store, video_bytes)


def submit(user: User, store: SelfServedStore, video: bytes) -> Session:
    session = begin(user, size_bytes=len(video))
    send(store, session, video)
    sessions.submit_session(session_id=session.pk, user_id=user.pk)
    return Session.objects.get(pk=session.pk)


@contextmanager
def claimed(session: Session, stage: Stage) -> Iterator[runs.Claim]:
    run = PipelineRun.objects.get(session=session)
    claim = runs.claim_stage(run_id=run.pk, stage=stage, worker="test")
    assert claim is not None
    yield claim


def finish(session: Session, stage: Stage, **output: object) -> None:
    with claimed(session, stage) as claim:
        runs.commit_stage(claim, output=dict(output))


def progress_of(session: Session) -> queries.RunProgress:
    progress = queries.get_run_progress(session)
    assert progress is not None
    return progress


def test_a_draft_has_no_progress(alice: User) -> None:
    assert queries.get_run_progress(begin(alice)) is None


def test_a_draft_taken_up_again_shows_nothing_of_the_run_that_failed(alice: User, submitted: Session) -> None:
    finish(submitted, Stage.INSPECT, **INSPECTED)
    Session.objects.update(status="failed")
    sessions.reopen_upload(
        user=alice, session_id=submitted.pk, video=sessions.VideoClaim(size_bytes=10, content_type="video/mp4")
    )
    submitted.refresh_from_db()
    assert queries.get_run_progress(submitted) is None
    assert queries.sign_raw_video(submitted) is None


def test_stages_come_in_order_with_names_and_percent(submitted: Session) -> None:
    finish(submitted, Stage.INSPECT, **INSPECTED)
    with claimed(submitted, Stage.LISTEN) as claim:
        runs.report_progress(claim, 40)
        progress = progress_of(submitted)
    assert [stage.stage for stage in progress.stages] == list(Stage)
    assert all(stage.name_ja for stage in progress.stages)
    assert [stage.percent for stage in progress.stages] == [100, 40, 0, 0, 0, 0, 0, 0]
    assert progress.percent == 17
    assert [stage.state for stage in progress.stages[:3]] == [StageState.DONE, StageState.RUNNING, StageState.PENDING]


def test_a_waiting_stage_says_how_many_are_served_first(
    alice: User, charlie: User, submitted: Session, object_store: SelfServedStore, video_bytes: bytes
) -> None:
    second = submit(charlie, object_store, video_bytes)
    third = submit(alice, object_store, video_bytes)
    assert progress_of(submitted).stages[0].ahead_in_queue == 0
    assert progress_of(third).stages[0].ahead_in_queue == 2
    finish(submitted, Stage.INSPECT, **INSPECTED)
    assert progress_of(third).stages[0].ahead_in_queue == 1
    with claimed(second, Stage.INSPECT):
        assert progress_of(third).stages[0].ahead_in_queue == 1
    assert progress_of(submitted).stages[2].ahead_in_queue is None


def test_progress_takes_at_most_two_queries(
    submitted: Session, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        queries.get_run_progress(submitted)
    finish(submitted, Stage.INSPECT, **INSPECTED)
    with claimed(submitted, Stage.LISTEN), django_assert_num_queries(1):
        queries.get_run_progress(submitted)


def test_the_upload_is_shown_once_inspect_has_passed_it_and_as_what_it_is(submitted: Session) -> None:
    assert queries.sign_raw_video(submitted, progress_of(submitted)) is None
    finish(submitted, Stage.INSPECT, **INSPECTED)
    url = queries.sign_raw_video(submitted, progress_of(submitted))
    assert url is not None
    assert "type=video%2Fquicktime" in url


def test_a_failed_inspect_never_shows_the_upload(submitted: Session) -> None:
    StageRun.objects.filter(stage=Stage.INSPECT).update(state=StageState.FAILED, output=INSPECTED)
    assert queries.sign_raw_video(submitted, progress_of(submitted)) is None


def test_inputs_close_when_a_worker_begins_to_listen(submitted: Session) -> None:
    finish(submitted, Stage.INSPECT, **INSPECTED)
    assert queries.is_input_open(submitted)
    assert not queries.is_listening_claimed(submitted)
    with claimed(submitted, Stage.LISTEN) as claim:
        assert queries.is_listening_claimed(submitted)
        runs.fail_stage(claim, OSError("a passing fault"))
    assert queries.is_listening_claimed(submitted), "it waits for its next attempt, and was heard before"
    assert not queries.is_input_open(submitted)
