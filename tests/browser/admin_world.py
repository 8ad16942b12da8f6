"""Runs as operators meet them: one at work after a hiccup and a lost worker, one that failed, one re-run in vain."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.utils import timezone

from coaching.errors import MediaWorkFailed, Misconfigured, ProviderRefused
from coaching.models import PipelineRun, Session, Stage, StageRun, User
from coaching.services import runs, steering
from coaching.services.steering import Order
from tests.coaching.conftest import make_learner
from tests.coaching.services.run_steps import Outputs, claim, complete, fail_at, finish_before, start_cook, store_bytes
from tests.media.clips import make_clip, make_speech_like

STDERR = (
    "[libx264 @ 0x55d0c8] using SAR=1/1\n[libx264 @ 0x55d0c8] profile High, level 3.1, 4:2:0, 8-bit\n"
    "[out#0/mp4 @ 0x55d0c0] Error writing trailer: No space left on device\nConversion failed!"
)
USAGE = {
    "provider": "google",
    "model": "gemini-3-flash",
    "prompt_version": "analyse-4",
    "input_tokens": 128_200,
    "output_tokens": 980,
    "audio_seconds": 0.0,
    "characters": 0,
    "cost_usd": 0.0672,
}
# When each stage was queued, started and ended, in seconds from the run's start.
TIMES = {
    Stage.INSPECT: (0, 2, 6),
    Stage.LISTEN: (6, 7, 21),
    Stage.ANALYSE: (21, 25, 70),
    Stage.RETRIEVE: (70, 70.2, 71),
    Stage.SCRIPT: (71, 71.3, 80),
    Stage.NARRATE: (80, 81, 110),
}


@dataclass(frozen=True)
class AdminWorld:
    at_work: PipelineRun
    failed: PipelineRun
    in_vain: PipelineRun


def build_admin_world(operator: User, folder: Path) -> AdminWorld:
    """Needs the content to be loaded; `folder` takes the footage."""
    media = _Media(folder)
    for number in range(2):
        complete(_start(make_learner(f"Learner{number}"), media), media.make_outputs())
    refused = ProviderRefused("Gemini refused the video: SAFETY")
    return AdminWorld(
        at_work=_make_run_at_work(media),
        failed=fail_at(_start(make_learner("Jiro"), media), Stage.ANALYSE, refused),
        in_vain=_make_run_in_vain(media, operator),
    )


class _Media:
    """Real, small footage and speech, drawn once and stored for every run under paths of its own."""

    def __init__(self, folder: Path) -> None:
        self._clip = make_clip(folder / "clip.mp4", seconds=3).read_bytes()
        self._speech = make_speech_like(folder / "speech.wav", seconds=3).read_bytes()

    def store_clip(self) -> str:
        return store_bytes(f"pictures/{uuid4()}.mp4", self._clip, "video/mp4")

    def store_speech(self) -> str:
        return store_bytes(f"pictures/{uuid4()}.wav", self._speech, "audio/wav")

    def make_outputs(self) -> Outputs:
        """What stages keep, as far as the admin looks into it."""
        captions = store_bytes(f"pictures/{uuid4()}.vtt", b"WEBVTT\n\n00:00.000 --> 00:02.000\nhello\n", "text/vtt")
        parts = [
            {"object_path": self.store_speech(), "duration_seconds": seconds, "loudness_lufs": -16.2}
            for seconds in (34.5, 18.2)
        ]
        return {
            Stage.INSPECT: {"video": {"content_type": "video/mp4"}, "thumbnail_path": ""},
            Stage.SCRIPT: {"coaching_text": {"mondaiten": "卵がすっかり固まってからご飯が入っていました。"}},
            Stage.NARRATE: {"part1": parts[0], "part2": parts[1]},
            Stage.COMPOSE: {
                "film_path": self.store_clip(),
                "captions_path": captions,
                "chapters_path": captions,
                "duration_seconds": 62.0,
                "width_px": 1280,
                "height_px": 720,
                "loudness_lufs": -16.0,
            },
        }


def _start(user: User, media: _Media) -> PipelineRun:
    run = start_cook(user)
    Session.objects.filter(pk=run.session_id).update(
        raw_video_path=media.store_clip(),
        voice_memo_path=media.store_speech(),
        voice_transcript="卵が固くなってしまいました。ご飯はいつ入れたらいいですか。",
        self_ratings={"appearance": 3, "taste": 4, "texture": 2, "aroma": 3},
    )
    return run


def _make_run_at_work(media: _Media) -> PipelineRun:
    """Composing for the third time: the worker went silent, then the disk was full."""
    run = finish_before(_start(make_learner("Ichiro"), media), Stage.COMPOSE, media.make_outputs())
    claim(run, Stage.COMPOSE)
    StageRun.objects.filter(run=run, stage=Stage.COMPOSE).update(lease_until=timezone.now() - timedelta(seconds=1))
    runs.expire_leases()
    runs.fail_stage(claim(run, Stage.COMPOSE), MediaWorkFailed("ffmpeg ended with 228", stderr_tail=STDERR))
    runs.report_progress(claim(run, Stage.COMPOSE), 42)
    _spread(run, begins_at=timezone.now() - timedelta(seconds=230))
    costs = {Stage.ANALYSE: USAGE, Stage.SCRIPT: USAGE | {"prompt_version": "script-2", "cost_usd": 0.0041}}
    for stage, usage in costs.items():
        StageRun.objects.filter(run=run, stage=stage).update(usage=[usage])
    return PipelineRun.objects.get(pk=run.pk)


def _spread(run: PipelineRun, *, begins_at: datetime) -> None:
    """Set back what happened within a moment to when it would have."""

    def at(seconds: float) -> datetime:
        return begins_at + timedelta(seconds=seconds)

    PipelineRun.objects.filter(pk=run.pk).update(created_at=begins_at)
    Session.objects.filter(pk=run.session_id).update(pipeline_started_at=begins_at)
    for stage, (queued, started, ended) in TIMES.items():
        row = run.stages.get(stage=stage)
        row.queued_at, row.started_at, row.finished_at = at(queued), at(started), at(ended)
        _date(row.history[0], *(at(seconds) for seconds in (queued, started, ended)))
        row.save()
    row = run.stages.get(stage=Stage.COMPOSE)
    _date(row.history[0], at(110), at(112), at(140))
    _date(row.history[1], at(140), at(152), at(190))
    row.queued_at, row.started_at = at(190), at(210)
    row.save()


def _date(entry: dict[str, Any], queued_at: datetime, started_at: datetime, ended_at: datetime) -> None:
    times = {"queued_at": queued_at, "started_at": started_at, "ended_at": ended_at}
    entry |= {name: moment.isoformat() for name, moment in times.items()}


def _make_run_in_vain(media: _Media, operator: User) -> PipelineRun:
    """A re-run that failed: the learner keeps the film."""
    outputs = media.make_outputs()
    first = complete(_start(make_learner("Saburo"), media), outputs, film=outputs[Stage.COMPOSE]["film_path"])
    order = Order(actor=operator, reason="the ending is cut off", seen_run_id=first.pk)
    again = steering.rerun(session_id=first.session_id, first_stage=Stage.COMPOSE, order=order)
    runs.fail_stage(claim(again, Stage.COMPOSE), Misconfigured("FILM_ENCODER=h264_nvenc is not in this FFmpeg"))
    return PipelineRun.objects.get(pk=again.pk)
