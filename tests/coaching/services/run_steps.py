"""Runs brought to where a test wants them, by the product's own transitions."""

import io
import secrets
from collections.abc import Mapping
from typing import Any

from coaching.models import Dish, PipelineRun, Session, SessionStatus, Stage, User
from coaching.providers.registry import get_object_store
from coaching.services import runs

Outputs = Mapping[Stage, dict[str, Any]]


def store_bytes(object_path: str, content: bytes = b"bytes", content_type: str = "video/mp4") -> str:
    stored = get_object_store().write_stream(
        object_path=object_path, stream=io.BytesIO(content), content_type=content_type, max_bytes=10_000_000
    )
    return stored.object_path


def make_cook(user: User, *, number: int = 1, dish: str = "fried-rice") -> Session:
    """A session whose video has arrived; nothing runs yet."""
    return Session.objects.create(
        user=user,
        dish=Dish.objects.get(slug=dish),
        session_number=number,
        raw_video_path=store_bytes(f"sessions/{secrets.token_hex(8)}/raw.mp4"),
        raw_video_content_type="video/mp4",
        status=SessionStatus.UPLOADED,
    )


def start_cook(user: User, *, number: int = 1) -> PipelineRun:
    return runs.start_run(session=make_cook(user, number=number))


def claim(run: PipelineRun, stage: Stage) -> runs.Claim:
    claimed = runs.claim_stage(run_id=run.pk, stage=stage, worker="w1@test")
    assert claimed is not None
    return claimed


def finish_before(run: PipelineRun, stage: Stage, outputs: Outputs | None = None) -> PipelineRun:
    """Every unfinished stage before `stage` is done, with its output of `outputs`."""
    open_stages = run.stages.exclude(state="done").values_list("stage", flat=True)
    for earlier in runs.STAGES[: runs.STAGES.index(stage)]:
        if earlier in open_stages:
            runs.commit_stage(claim(run, earlier), output=(outputs or {}).get(earlier, {"by": str(run.pk)}))
    run.refresh_from_db()
    return run


def fail_at(run: PipelineRun, stage: Stage, error: Exception) -> PipelineRun:
    finish_before(run, stage)
    runs.fail_stage(claim(run, stage), error)
    run.refresh_from_db()
    return run


def complete(run: PipelineRun, outputs: Outputs | None = None, *, film: str = "films/first.mp4") -> PipelineRun:
    """All stages done, the session completed with `film`."""
    finish_before(run, Stage.DELIVER, outputs)

    def publish() -> None:
        Session.objects.filter(pk=run.session_id).update(
            coaching_video_gcs_path=film, status=SessionStatus.COMPLETED, video_facts={"content_type": "video/mp4"}
        )

    runs.commit_stage(claim(run, Stage.DELIVER), output={}, effect=publish)
    run.refresh_from_db()
    return run
