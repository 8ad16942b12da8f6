"""Stage `inspect`: is the upload a cook that can be worked on, and what does it look like?"""

from django.conf import settings

from coaching.providers.registry import get_object_store
from coaching.services.execution import StageJob, StageResult
from coaching.services.media_faults import translate_media_errors
from coaching.services.stage_outputs import Inspected, dump_output
from media_tools.facts import VideoLimits
from media_tools.probe import probe_video
from media_tools.stills import draw_poster


def inspect_upload(job: StageJob) -> StageResult:
    """Probe the video and draw its poster. Raises `UnusableMedia` with words for the learner."""
    store = get_object_store()
    video = store.fetch(object_path=job.session.raw_video_path, destination=job.work_folder / "video")
    limits = VideoLimits(
        min_duration_seconds=settings.VIDEO_MIN_SECONDS,
        max_duration_seconds=settings.VIDEO_MAX_SECONDS,
        max_bytes=settings.VIDEO_MAX_BYTES,
    )
    with translate_media_errors():
        facts = probe_video(video, limits, cancel=job.cancel)
        poster = job.work_folder / "poster.jpg"
        draw_poster(video, facts, poster, cancel=job.cancel)
    thumbnail = store.write_file(object_path=job.output_path("poster.jpg"), source=poster, content_type="image/jpeg")
    return StageResult(output=dump_output(Inspected(video=facts, thumbnail_path=thumbnail.object_path)))
