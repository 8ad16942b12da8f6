"""Two tabs at once, on real connections: the database decides, and only one tab wins."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from coaching.errors import Conflict, InputClosed, MomentCloneError, QuotaUsedUp, SessionLimitReached
from coaching.models import PipelineRun, Session, SessionStatus, Stage, StageRun, User
from coaching.providers.ports import SelfServedStore
from coaching.services import intake, runs, sessions
from tests.coaching.services.test_sessions import begin, end, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loaded_content", "object_store")]


def run_at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act answered or raised, all begun at the same moment on connections of their own."""
    barrier = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)

    def run(index: int) -> None:
        barrier.wait(timeout=30)
        try:
            outcomes[index] = acts[index]()
        except MomentCloneError as error:
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return outcomes


def kinds(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def test_two_tabs_cannot_share_the_last_free_session(bob: User) -> None:
    outcomes = run_at_once([lambda: begin(bob), lambda: begin(bob, "pomodoro"), lambda: begin(bob, "beef-steak")])
    assert kinds(outcomes) == ["QuotaUsedUp", "QuotaUsedUp", "Session"]
    assert Session.objects.count() == 1


def test_sessions_begun_at_once_have_numbers_of_their_own(alice: User) -> None:
    outcomes = run_at_once([lambda: begin(alice)] * 5)
    assert kinds(outcomes) == ["Session"] * 3 + ["SessionLimitReached"] * 2
    assert sorted(Session.objects.values_list("session_number", flat=True)) == [1, 2, 3]


def test_two_submits_at_once_start_one_run(alice: User, object_store: SelfServedStore, video_bytes: bytes) -> None:
    session = begin(alice, size_bytes=len(video_bytes))
    send(object_store, session, video_bytes)
    outcomes = run_at_once([lambda: sessions.submit_session(session_id=session.pk, user_id=alice.pk)] * 3)
    assert kinds(outcomes) == ["Conflict", "Conflict", "PipelineRun"]
    assert PipelineRun.objects.count() == 1


def test_a_new_session_and_an_old_one_taken_up_again_do_not_share_the_last_free_one(bob: User) -> None:
    failed = end(begin(bob), SessionStatus.FAILED)
    video = sessions.VideoClaim(size_bytes=10, content_type="video/mp4")
    outcomes = run_at_once(
        [
            lambda: begin(bob, "pomodoro"),
            lambda: sessions.reopen_upload(user=bob, session_id=failed.pk, video=video),
        ]
    )
    assert sum(isinstance(outcome, QuotaUsedUp) for outcome in outcomes) == 1


@pytest.fixture
def processing(alice: User, object_store: SelfServedStore, video_bytes: bytes) -> Session:
    session = begin(alice, size_bytes=len(video_bytes))
    send(object_store, session, video_bytes)
    run = sessions.submit_session(session_id=session.pk, user_id=alice.pk)
    claim = runs.claim_stage(run_id=run.pk, stage=Stage.INSPECT, worker="test")
    assert claim is not None
    runs.commit_stage(claim, output={})
    return session


def test_a_memo_is_either_heard_or_refused(alice: User, processing: Session, memo_file: Path) -> None:
    """A worker that claims `listen` and a memo that comes at the same moment: no memo is taken and then not heard."""
    run_id = PipelineRun.objects.get().pk
    heard: list[str] = []

    def listen() -> None:
        assert runs.claim_stage(run_id=run_id, stage=Stage.LISTEN, worker="test") is not None
        heard.append(Session.objects.get(pk=processing.pk).voice_memo_path)

    def attach() -> str:
        session = intake.attach_memo(user=alice, session_id=processing.pk, file=memo_file, claimed_type="audio/wav")
        return session.voice_memo_path

    _, attached = run_at_once([listen, attach])
    if isinstance(attached, InputClosed):
        assert heard == [""]
    else:
        assert heard == [attached]


def test_ratings_wait_for_no_lease_and_are_closed_once_listening_began(alice: User, processing: Session) -> None:
    intake.save_ratings(user=alice, session_id=processing.pk, ratings={"taste": 3})
    assert runs.claim_stage(run_id=PipelineRun.objects.get().pk, stage=Stage.LISTEN, worker="test") is not None
    with pytest.raises(InputClosed):
        intake.save_ratings(user=alice, session_id=processing.pk, ratings={"taste": 5})
    assert Session.objects.get().self_ratings == {"taste": 3}
    assert StageRun.objects.get(stage=Stage.LISTEN).attempt == 1


def test_a_session_given_up_while_it_is_submitted_is_one_or_the_other(
    alice: User, object_store: SelfServedStore, video_bytes: bytes
) -> None:
    session = begin(alice, size_bytes=len(video_bytes))
    send(object_store, session, video_bytes)
    outcomes = run_at_once(
        [
            lambda: sessions.submit_session(session_id=session.pk, user_id=alice.pk),
            lambda: sessions.discard_draft(user=alice, session_id=session.pk),
        ]
    )
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
    assert Session.objects.get().status in {"processing", "cancelled"}


def test_the_limit_holds_for_three_of_a_dish_taken_up_again(alice: User) -> None:
    failed = [end(begin(alice), SessionStatus.FAILED) for _ in range(4)]
    video = sessions.VideoClaim(size_bytes=10, content_type="video/mp4")
    acts = [partial(sessions.reopen_upload, user=alice, session_id=cook.pk, video=video) for cook in failed]
    outcomes = run_at_once(acts)
    assert sum(isinstance(outcome, SessionLimitReached) for outcome in outcomes) == 1
    assert sorted(Session.objects.filter(status="draft").values_list("session_number", flat=True)) == [1, 2, 3]
