"""Stage `compose`: the learner's own footage, the coach's voice and the titles become one film."""

from pathlib import Path

from django.conf import settings

from coaching.models import Session
from coaching.providers.registry import get_object_store
from coaching.services.execution import StageJob, StageResult
from coaching.services.media_faults import translate_media_errors
from coaching.services.stage_outputs import Analysed, Composed, Inspected, Narrated, Written, dump_output, read_output
from media_tools import compose
from media_tools.encoding import EncoderSettings
from media_tools.titles import TitleTexts


def compose_film(job: StageJob) -> StageResult:
    """Make the film with its captions and chapters, and put all three into the store."""
    with translate_media_errors():
        film = compose.compose_film(_make_request(job), on_progress=job.report_progress, cancel=job.cancel)
    composed = Composed(
        film_path=_store(job, film.path, "film.mp4", "video/mp4"),
        captions_path=_store(job, film.captions_path, "captions.vtt", "text/vtt"),
        chapters_path=_store(job, film.chapters_path, "chapters.vtt", "text/vtt"),
        duration_seconds=film.duration_seconds,
        frames=film.frames,
        width_px=film.width_px,
        height_px=film.height_px,
        loudness_lufs=film.loudness_lufs,
        key_start_seconds=film.key_start_seconds,
        moment_seconds=film.moment_seconds,
    )
    return StageResult(output=dump_output(composed))


def _make_request(job: StageJob) -> compose.FilmRequest:
    inspected = read_output(job.outputs, Inspected)
    analysed = read_output(job.outputs, Analysed)
    written = read_output(job.outputs, Written)
    narrated = read_output(job.outputs, Narrated)
    store = get_object_store()
    moment = analysed.analysis.key_moment_seconds
    return compose.FilmRequest(
        source=store.locate(job.session.raw_video_path).source,
        facts=inspected.video,
        # A coach who could not tell shows the middle of the cook while speaking of filming.
        key_moment_seconds=inspected.video.duration_seconds / 2 if moment is None else moment,
        part1_audio=store.fetch(object_path=narrated.part1.object_path, destination=job.work_folder / "part1.wav"),
        part2_audio=store.fetch(object_path=narrated.part2.object_path, destination=job.work_folder / "part2.wav"),
        part1_text=written.narration.part1,
        part2_text=f"{written.narration.pivot}。{written.narration.part2}",
        titles=_make_titles(job.session, written),
        output=job.work_folder / "film.mp4",
        work_folder=job.work_folder,
        encoder=EncoderSettings(codec=settings.FILM_ENCODER, preset=settings.FILM_PRESET),
    )


def _make_titles(session: Session, written: Written) -> TitleTexts:
    return TitleTexts(
        dish=session.dish.name_ja,
        session_number=session.session_number,
        next_action=written.coaching_text.next_action,
        success_sign=written.coaching_text.success_sign,
    )


def _store(job: StageJob, path: Path, name: str, content_type: str) -> str:
    stored = get_object_store().write_file(object_path=job.output_path(name), source=path, content_type=content_type)
    return stored.object_path
