"""What operators are told agrees with what happened, through the product's own claims, commits and failures."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from coaching.errors import PermanentError, ProviderUnavailable
from coaching.models import (
    ChatRoom,
    Dish,
    Heartbeat,
    Message,
    OutboxMail,
    PipelineRun,
    Reply,
    ReplyState,
    Session,
    Stage,
    StageRun,
    User,
)
from coaching.models.chat import RoomType, Sender
from coaching.models.mail import MailKind
from coaching.queries.heartbeats import WATCHDOG
from coaching.queries.operations import StageFigures, filter_stuck_runs, read_operations
from coaching.services import runs
from coaching.services.heartbeats import take_beat

pytestmark = pytest.mark.django_db
QUERIES = 11  # a savepoint and its release, the timeout, and eight reads


@pytest.fixture
def fried_rice(db: None) -> Dish:
    return Dish.objects.create(slug="fried-rice", name_ja="チャーハン", order=1)


def start(user: User, dish: Dish, number: int = 1) -> PipelineRun:
    session = Session.objects.create(user=user, dish=dish, session_number=number, raw_video_path="sessions/x/raw.mp4")
    return runs.start_run(session=session)


def claim(run: PipelineRun, stage: Stage) -> runs.Claim:
    claimed = runs.claim_stage(run_id=run.id, stage=stage, worker="w@test")
    assert claimed is not None
    return claimed


def finish(run: PipelineRun, stage: Stage, *, cost_usd: float = 0.0) -> None:
    runs.commit_stage(claim(run, stage), output={}, usage=[{"cost_usd": cost_usd}, {"cost_usd": cost_usd}])


def finish_all(run: PipelineRun, **cost_usd: float) -> None:
    for stage in runs.STAGES:
        finish(run, stage, cost_usd=cost_usd.get(stage.value, 0.0))


def read_stage(stage: Stage) -> StageFigures:
    return next(figures for figures in read_operations().stages if figures.stage == stage)


def shift(run: PipelineRun, **columns: timedelta) -> None:
    """Make what is in these columns of the run's rows happen that much earlier."""
    for row in run.stages.all():
        moved = {name: getattr(row, name) - by for name, by in columns.items() if getattr(row, name)}
        if moved:
            StageRun.objects.filter(pk=row.pk).update(**moved)


def test_every_stage_is_told_of_when_there_is_nothing_to_tell() -> None:
    operations = read_operations()
    assert [figures.stage for figures in operations.stages] == list(Stage)
    assert all(figures.failure_rate is None and figures.duration_seconds.p95 is None for figures in operations.stages)
    assert (operations.runs.running, operations.films.completed, operations.mail.waiting) == (0, 0, 0)


def test_a_queued_stage_waits_and_ages(alice: User, fried_rice: Dish) -> None:
    run = start(alice, fried_rice)
    shift(run, queued_at=timedelta(minutes=10))
    figures = read_stage(Stage.INSPECT)
    assert (figures.queue, figures.waiting, figures.running, figures.delayed) == ("media", 1, 0, 0)
    assert 600 <= figures.oldest_waiting_seconds < 700
    assert read_stage(Stage.LISTEN).waiting == 0


def test_a_claimed_stage_runs(alice: User, fried_rice: Dish) -> None:
    run = start(alice, fried_rice)
    claim(run, Stage.INSPECT)
    shift(run, started_at=timedelta(minutes=5))
    figures = read_stage(Stage.INSPECT)
    assert (figures.waiting, figures.running) == (0, 1)
    assert 300 <= figures.longest_running_seconds < 400


def test_a_stage_that_waits_for_its_next_attempt_is_delayed_and_an_error(alice: User, fried_rice: Dish) -> None:
    run = start(alice, fried_rice)
    finish(run, Stage.INSPECT)
    runs.fail_stage(claim(run, Stage.LISTEN), ProviderUnavailable("503", retry_after_seconds=60))
    figures = read_stage(Stage.LISTEN)
    assert (figures.waiting, figures.delayed, figures.oldest_waiting_seconds) == (0, 1, 0)
    assert figures.attempts == {"done": 0, "retry": 1, "failed": 0, "evicted": 0}
    assert figures.failure_rate == 1


def test_an_attempt_whose_next_one_is_running_still_counts(alice: User, fried_rice: Dish) -> None:
    run = start(alice, fried_rice)
    runs.fail_stage(claim(run, Stage.INSPECT), ProviderUnavailable("503"))
    claim(run, Stage.INSPECT)
    assert read_stage(Stage.INSPECT).attempts["retry"] == 1


def test_the_failure_rate_is_of_attempts_and_leaves_evictions_out(alice: User, bob: User, fried_rice: Dish) -> None:
    for user in (alice, bob):
        run = start(user, fried_rice)
        claim(run, Stage.INSPECT)
        StageRun.objects.filter(run=run, stage=Stage.INSPECT).update(lease_until=timezone.now() - timedelta(1))
        assert runs.expire_leases() == 1
        if user == alice:
            finish(run, Stage.INSPECT)
        else:
            runs.fail_stage(claim(run, Stage.INSPECT), PermanentError("no", learner_message="だめでした。"))
    figures = read_stage(Stage.INSPECT)
    assert figures.attempts == {"done": 1, "retry": 0, "failed": 1, "evicted": 2}
    assert figures.failure_rate == 0.5


def test_durations_are_those_of_attempts_that_made_it(alice: User, fried_rice: Dish) -> None:
    run = start(alice, fried_rice)
    claimed = claim(run, Stage.INSPECT)
    shift(run, started_at=timedelta(seconds=40), queued_at=timedelta(seconds=70))
    runs.commit_stage(claimed, output={})
    figures = read_stage(Stage.INSPECT)
    assert figures.duration_seconds.p50 == pytest.approx(40, abs=5)
    assert figures.wait_seconds.p95 == pytest.approx(30, abs=5)


def test_what_ended_before_the_window_is_not_recent(alice: User, fried_rice: Dish) -> None:
    run = start(alice, fried_rice)
    finish_all(run)
    assert read_operations().runs.completed == 1
    PipelineRun.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    shift(run, finished_at=timedelta(hours=2))
    operations = read_operations()
    assert (operations.runs.completed, operations.films.completed) == (0, 0)
    assert read_stage(Stage.COMPOSE).attempts["done"] == 0
    assert read_operations(window=timedelta(hours=3)).films.completed == 1


def test_stages_that_a_rerun_took_over_are_not_counted_twice(alice: User, fried_rice: Dish) -> None:
    finish_all(start(alice, fried_rice), analyse=0.02)
    again = runs.rerun_session(session_id=Session.objects.get().pk, first_stage=Stage.SCRIPT, requested_by=None)
    for stage in runs.STAGES[4:]:
        finish(again, stage, cost_usd=0.001)
    operations = read_operations()
    done = {figures.stage: figures.attempts["done"] for figures in operations.stages}
    assert (done[Stage.ANALYSE], done[Stage.SCRIPT]) == (1, 2)
    assert operations.films.completed == 2
    assert operations.films.spent_usd == pytest.approx(0.04 + 4 * 0.002)
    assert operations.films.cost_usd.p50 == pytest.approx((0.04 + 0.048) / 2)


def test_a_run_in_which_nothing_happens_is_stuck(alice: User, bob: User, fried_rice: Dish, settings: Settings) -> None:
    settings.STUCK_RUN_SECONDS = 600
    quiet, busy = start(alice, fried_rice), start(bob, fried_rice)
    finish(busy, Stage.INSPECT)
    for run in (quiet, busy):
        shift(run, queued_at=timedelta(minutes=11), started_at=timedelta(minutes=11), finished_at=timedelta(minutes=11))
    assert read_operations().runs.stuck == 2
    claim(busy, Stage.LISTEN)
    assert list(filter_stuck_runs(PipelineRun.objects.all())) == [quiet]


def test_runs_are_counted_by_how_they_ended(alice: User, bob: User, charlie: User, fried_rice: Dish) -> None:
    finish_all(start(alice, fried_rice))
    failing = start(bob, fried_rice)
    runs.fail_stage(claim(failing, Stage.INSPECT), PermanentError("no", learner_message="だめでした。"))
    cancelled = start(charlie, fried_rice)
    runs.cancel_run(run_id=cancelled.id, reason="a test")
    start(alice, fried_rice, number=2)
    figures = read_operations().runs
    assert (figures.running, figures.completed, figures.failed, figures.cancelled) == (1, 1, 1, 1)


def test_a_message_sent_again_is_counted(alice: User, fried_rice: Dish) -> None:
    run = start(alice, fried_rice)
    assert read_stage(Stage.INSPECT).republished == 0
    StageRun.objects.filter(run=run, stage=Stage.INSPECT).update(due_at=timezone.now() - timedelta(1))
    assert len(runs.take_due_stages(count_broker_messages=lambda: 0)) == 1
    assert read_stage(Stage.INSPECT).republished == 1


def test_mail_that_waits_is_counted(alice: User) -> None:
    OutboxMail.objects.create(user=alice, kind=MailKind.FILM_READY, outcome_key="film_ready:1")
    OutboxMail.objects.create(user=alice, kind=MailKind.FILM_READY, outcome_key="x", sent_at=timezone.now())
    OutboxMail.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    mail = read_operations().mail
    assert mail.waiting == 1
    assert 180 <= mail.oldest_waiting_seconds < 280


def ask(room: ChatRoom, *, state: ReplyState, asked_ago: float, first_words: float = 0, whole: float = 0) -> None:
    """A question of so many seconds ago, and how many seconds after it the first words and the whole answer came."""
    question = Message.objects.create(chat_room=room, sender=Sender.USER, text="なぜですか。")
    answer = Message.objects.create(chat_room=room, sender=Sender.AI)
    reply = Reply.objects.create(
        room=room, question=question, answer=answer, idempotency_key=str(question.pk), state=state
    )
    asked_at = timezone.now() - timedelta(seconds=asked_ago)
    Reply.objects.filter(pk=reply.pk).update(
        asked_at=asked_at,
        first_words_at=asked_at + timedelta(seconds=first_words) if first_words else None,
        finished_at=asked_at + timedelta(seconds=whole) if whole else None,
    )


def test_answers_are_timed_from_the_question(alice: User) -> None:
    room = ChatRoom.objects.create(user=alice, room_type=RoomType.COACHING)
    ask(room, state=ReplyState.ANSWERED, asked_ago=60, first_words=2, whole=8)
    ask(room, state=ReplyState.ANSWERED, asked_ago=50, first_words=4, whole=10)
    ask(room, state=ReplyState.ANSWERED, asked_ago=5000, first_words=30, whole=40)
    ask(room, state=ReplyState.FAILED, asked_ago=60, whole=20)
    ask(room, state=ReplyState.PENDING, asked_ago=300)
    chat = read_operations().chat
    assert (chat.pending, chat.answered, chat.failed) == (1, 2, 1)
    assert chat.oldest_pending_seconds == pytest.approx(300, abs=30)
    assert chat.first_words_seconds.p50 == pytest.approx(3, abs=0.1)
    assert chat.whole_answer_seconds.p50 == pytest.approx(9, abs=0.1)


def test_what_beat_does_is_heard_of() -> None:
    assert read_operations().beat_ages_seconds == {}
    assert take_beat(WATCHDOG, period_seconds=5)
    Heartbeat.objects.update(beaten_at=timezone.now() - timedelta(minutes=2))
    assert read_operations().beat_ages_seconds == {WATCHDOG: pytest.approx(120, abs=30)}


def test_the_number_of_queries_does_not_grow(
    alice: User, bob: User, fried_rice: Dish, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(QUERIES):
        read_operations()
    finish_all(start(alice, fried_rice))
    start(bob, fried_rice)
    with django_assert_num_queries(QUERIES):
        read_operations()


def test_no_figure_may_take_for_ever(alice: User) -> None:
    read_operations()
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("5s",)
