"""Answers to questions while workers die and the pipeline is flooded: real workers, real broker."""

from collections.abc import Callable

import pytest

from coaching.knowledge.loader import read_catalogue
from coaching.models import Message, Principle, Reply, Session, Stage, StageRun, User
from coaching.queries.answer_stream import START, read_pieces
from coaching.services.content import describe_principle
from tasks import chat
from tests.faults.cluster import Cluster, make_session, start, wait_until

FIRST, SECOND = "卵は余熱でも固まっていきます。", "ふちが白くなったら、ご飯を合わせましょう。"
FLOOD = 200


@pytest.fixture
def learner(transactional_db: None) -> User:
    egg = next(entry for entry in read_catalogue().principles if entry.slug == "egg_timing")
    Principle.objects.create(**describe_principle(egg))
    return User.objects.create(email="asks@example.test", first_name="はる")


def ask(learner: User, key: str) -> Reply:
    return chat.ask(user_id=learner.pk, text=f"なぜですか、{key}？", idempotency_key=key)[0]


def is_answered(reply: Reply) -> bool:
    return Reply.objects.get(pk=reply.pk).state == "answered"


def count_answers(cluster: Cluster) -> int:
    log = cluster.folder / "answers"
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.mark.fault("chat", "a chat worker killed in mid-answer", "the next one answers, once")
def test_a_worker_killed_in_mid_answer_answers_once(
    open_test_cluster: Callable[..., Cluster], learner: User, saw: Callable[[str], None]
) -> None:
    cluster = open_test_cluster(CHAT_LEASE_SECONDS="2")
    cluster.start_beat()
    cluster.start_worker("first", pool="threads", queues="chat")
    reply, later = ask(learner, "one"), ask(learner, "two")
    wait_until(
        lambda: read_pieces(reply_id=reply.pk, cursor=START, wait_seconds=0).text == FIRST, what="the first words"
    )
    cluster.kill("first")
    (cluster.folder / "answer").touch()
    cluster.start_worker("second", pool="threads", queues="chat,upkeep")
    wait_until(lambda: is_answered(reply) and is_answered(later), what="both answers")
    reply.refresh_from_db()
    assert Message.objects.get(pk=reply.answer_id).text == FIRST + SECOND
    assert reply.attempt == 2
    assert count_answers(cluster) == 3
    assert Message.objects.filter(chat_room=reply.room).count() == 4
    later.refresh_from_db()
    assert reply.finished_at is not None
    assert later.started_at is not None
    assert reply.finished_at <= later.started_at
    saw(f"answered in attempt {reply.attempt}, one text; the question behind it after it")


@pytest.mark.fault("flood", "200 stages wait", "chat is answered meanwhile")
def test_a_flood_of_pipeline_work_never_delays_chat(
    cluster: Cluster, learner: User, saw: Callable[[str], None]
) -> None:
    cluster.order(Stage.INSPECT, "wait")
    cluster.start_worker("stages", queues="media,llm,default")
    cluster.start_worker("chat", pool="threads", concurrency=4, queues="chat")
    (cluster.folder / "answer").touch()
    sessions: list[Session] = [make_session() for _ in range(FLOOD)]
    for session in sessions:
        start(session)
    cluster.wait_for_execution(Stage.INSPECT)
    replies = [ask(learner, str(number)) for number in range(3)]
    wait_until(lambda: all(is_answered(reply) for reply in replies), what="answers beside the flood")
    waiting = StageRun.objects.filter(stage=Stage.INSPECT, state="queued").count()
    assert waiting >= FLOOD - 1  # not one stage had to end first
    saw(f"{len(replies)} answers while {waiting} stages waited")
