"""The project's real stages, but for the two that only FFmpeg makes slow, loaded by `tests.faults.quick_media_app`.

inspect and compose read and write the same objects as the real ones, of any content, and encode nothing.
"""

from coaching.models import Stage
from coaching.providers.registry import get_object_store
from coaching.services.execution import StageJob, StageResult
from coaching.services.stage_outputs import Composed, Inspected, dump_output
from media_tools.facts import VideoFacts
from tasks import stages

SECONDS = 60.0


def look_over(job: StageJob) -> StageResult:
    store = get_object_store()
    video = store.fetch(object_path=job.session.raw_video_path, destination=job.work_folder / "video")
    facts = VideoFacts(
        duration_seconds=SECONDS,
        start_seconds=0.0,
        container="mov",
        content_type="video/mp4",
        byte_size=video.stat().st_size,
        stream_index=0,
        codec="h264",
        width_px=1280,
        height_px=720,
        rotation_degrees=0,
        fps=30.0,
        is_variable_rate=False,
        pixel_format="yuv420p",
        bit_depth=8,
        transfer="sdr",
        matrix="bt709",
        is_full_range=False,
        audio_stream_index=1,
        audio_codec="aac",
        audio_channels=2,
        audio_sample_rate_hz=48_000,
    )
    poster = store.write_file(object_path=job.output_path("poster.jpg"), source=video, content_type="image/jpeg")
    return StageResult(output=dump_output(Inspected(video=facts, thumbnail_path=poster.object_path)))


def put_together(job: StageJob) -> StageResult:
    store = get_object_store()
    assert str(store.locate(job.session.raw_video_path).source).startswith("https://")
    paths = {}
    for name, content_type in {"film.mp4": "video/mp4", "captions.vtt": "text/vtt", "chapters.vtt": "text/vtt"}.items():
        file = job.work_folder / name
        file.write_bytes(b"made of nothing")
        paths[name] = store.write_file(
            object_path=job.output_path(name), source=file, content_type=content_type
        ).object_path
    composed = Composed(
        film_path=paths["film.mp4"],
        captions_path=paths["captions.vtt"],
        chapters_path=paths["chapters.vtt"],
        duration_seconds=SECONDS,
        frames=1800,
        width_px=1280,
        height_px=720,
        loudness_lufs=-16.0,
        key_start_seconds=20.0,
        moment_seconds=27.0,
    )
    return StageResult(output=dump_output(composed))


stages.WORK[Stage.INSPECT] = look_over
stages.WORK[Stage.COMPOSE] = put_together
