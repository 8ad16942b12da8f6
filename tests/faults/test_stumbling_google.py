"""Fifty cooks through Google's own clients while three of ten requests end in 429, 503 or a dropped connection."""

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import grpc
import pytest
from django.conf import settings

from coaching.models import Dish, Message, OutboxMail, PipelineRun, RunState, Session, SessionStatus, Stage, User
from coaching.providers.local.signal_coach import SignalCoach
from coaching.providers.ports import Analysis, AnalysisRequest, Usage
from coaching.providers.rank_fusion import split_pairs
from coaching.services import content, runs
from tasks import pipeline
from tests.coaching.conftest import write_memo
from tests.emulators.answering_gemini import make_answerer
from tests.emulators.faults import Fault
from tests.emulators.grpc_server import GrpcEmulator, compose_retry_info
from tests.emulators.services import DIMENSIONS, ENDPOINTS, Answerers, Services, open_services
from tests.emulators.speech import Heard
from tests.emulators.text_to_speech import hum
from tests.faults.cluster import open_cluster, wait_until

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]
COOKS = 50
SHARE = 0.3
DEADLINE_SECONDS = 1200
INDEX_SOME = """
import django; django.setup()
from coaching.providers.registry import get_principle_index
from coaching.services.content import collect_index_documents
documents = [d for d in collect_index_documents() if d.kind == "diagnosis" and d.key.endswith(":01")]
print(get_principle_index().index(documents))
"""
HTTP_FAULTS = (Fault(status=429, headers={"Retry-After": "1"}), Fault(status=503), Fault(drop=True))
GRPC_FAULTS = (
    Fault(code=grpc.StatusCode.RESOURCE_EXHAUSTED, details=[compose_retry_info(1)]),
    Fault(code=grpc.StatusCode.UNAVAILABLE),
    Fault(drop=True),
)


class QuickCoach(SignalCoach):
    """Writes as the offline coach does, and sees the same mistake in every video without looking."""

    def analyse(self, request: AnalysisRequest) -> Analysis:
        principle = request.dish.principles[0]
        return Analysis(
            outcome="mistake",
            events=(),
            key_moment_seconds=27.0,
            diagnosis="卵が固まりきってから、ご飯が入っています。",
            principle_slug=principle.slug,
            mistake_slug=principle.mistakes[0].slug,
            done_well=(),
            confidence=0.9,
            reasons=("音が細くなりました。",),
            usage=Usage(provider="test", model="quick"),
        )


def embed_by_pairs(text: str) -> list[float]:
    """Texts that share pairs of characters are near each other: quick, and enough to be found."""
    numbers = [1e-3] * DIMENSIONS
    for pair in split_pairs(text):
        numbers[int(hashlib.sha256(pair.encode()).hexdigest(), 16) % DIMENSIONS] += 1.0
    length = sum(number * number for number in numbers) ** 0.5
    return [number / length for number in numbers]


def hear_the_same(_content: bytes, _phrases: Sequence[str]) -> Heard:
    return Heard(parts=[("卵が固まってしまいました。", 1.0)], duration_seconds=1.0)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    coach = QuickCoach(cache_folder=Path(settings.MODEL_CACHE_DIR))
    answerers = Answerers(
        watch=lambda fetch_video: make_answerer(coach, fetch_video=fetch_video),
        listen=hear_the_same,
        speak=hum,
        embed=embed_by_pairs,
    )
    with open_services(tmp_path / "google", answerers) as services:
        yield services


def put(services: Services, path: str, stored: bytes, content_type: str) -> str:
    services.storage.bucket.write({"name": path}, stored, content_type=content_type, query={"ifGenerationMatch": "0"})
    return path


def make_cook(services: Services, number: int, memo: bytes) -> Session:
    user = User.objects.create(email=f"cook{number}@example.test", first_name="春")
    return Session.objects.create(
        user=user,
        dish=Dish.objects.get(slug="fried-rice"),
        session_number=1,
        raw_video_path=put(services, f"sessions/{number}/raw/a.mp4", b"a video", "video/mp4"),
        raw_video_content_type="video/mp4",
        voice_memo_path=put(services, f"sessions/{number}/memo/a.wav", memo, "audio/wav"),
    )


def make_google_stumble(services: Services) -> None:
    for seed, name in enumerate(ENDPOINTS):
        emulator = getattr(services, name)
        choices = GRPC_FAULTS if isinstance(emulator, GrpcEmulator) else HTTP_FAULTS
        emulator.script.fail_by_chance(SHARE, choices, seed=seed)


@pytest.mark.timeout(DEADLINE_SECONDS + 300)
def test_fifty_cooks_are_delivered_once_each_while_google_stumbles(services: Services, tmp_path: Path) -> None:
    content.load_content()
    memo = write_memo(tmp_path / "memo.wav", seconds=1).read_bytes()
    environment = {
        **services.environment,
        "STAGE_MAX_ATTEMPTS": "25",  # three of ten is no weather, it is a storm: each attempt makes several requests
        "STAGE_RETRY_CAP_SECONDS": "2",
        "STAGE_LEASE_SECONDS": "15",
    }
    quick = "tests.faults.quick_media_app"
    with open_cluster(tmp_path, broker_url=settings.REDIS_URL, application=quick, **environment) as cluster:
        for_django = {**cluster.environment, "DJANGO_SETTINGS_MODULE": "project.settings"}
        subprocess.run([sys.executable, "-c", INDEX_SOME], env=for_django, cwd=settings.BASE_DIR, check=True)
        make_google_stumble(services)
        cluster.start_worker("w1", pool="threads", concurrency=8)
        cluster.start_beat()
        started = []
        for number in range(COOKS):
            run = runs.start_run(session=make_cook(services, number, memo))
            pipeline.publish(run.id, Stage.INSPECT)
            started.append(run.id)
        over = [RunState.COMPLETED, RunState.FAILED]
        wait_until(
            lambda: PipelineRun.objects.filter(state__in=over).count() == COOKS,
            seconds=DEADLINE_SECONDS,
            what=f"{COOKS} runs over",
        )
    check_each_once(started)
    happened = {name: getattr(services, name).script.happened for name in ENDPOINTS}
    print(f"faults met: {happened}")
    assert min(happened.values()) > 0
    assert services.complaints == []


def check_each_once(started: Sequence[UUID]) -> None:
    failed = PipelineRun.objects.filter(state=RunState.FAILED).values_list("error", flat=True)
    assert list(failed) == []
    for run in PipelineRun.objects.filter(pk__in=started).prefetch_related("stages"):
        done = Counter(row.stage for row in run.stages.all() for entry in row.history if entry["outcome"] == "done")
        assert done == Counter({stage.value: 1 for stage in Stage})
    assert Session.objects.filter(status=SessionStatus.COMPLETED).exclude(coaching_video_gcs_path="").count() == COOKS
    assert OutboxMail.objects.count() == COOKS
    kinds = Counter(Message.objects.exclude(kind=None).values_list("kind", flat=True))
    assert set(kinds.values()) == {COOKS}, kinds
