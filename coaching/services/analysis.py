"""Stage `analyse`: what happened in this cook, and which moment shows it?"""

from dataclasses import replace

from coaching import queries
from coaching.errors import MalformedAnswer, charge
from coaching.providers.ports import Analysis, AnalysisRequest, DishText
from coaching.providers.registry import get_coach, get_object_store
from coaching.services.execution import StageJob, StageResult
from coaching.services.media_faults import translate_media_errors
from coaching.services.stage_outputs import Analysed, Inspected, dump_output, read_output


def analyse_video(job: StageJob) -> StageResult:
    """One call over the whole video. Whatever the coach answered is checked against the dish's vocabulary."""
    inspected = read_output(job.outputs, Inspected)
    dish = queries.get_dish_text(job.session.dish)
    coach = get_coach()
    request = AnalysisRequest(
        video=get_object_store().locate(job.session.raw_video_path),
        duration_seconds=inspected.video.duration_seconds,
        has_audio=inspected.video.has_audio,
        dish=dish,
        session_number=job.session.session_number,
        cancel=job.cancel,
        on_progress=job.report_progress,
    )
    with translate_media_errors():
        analysis = coach.analyse(request)
    with charge(analysis.usage):
        analysis = check_analysis(analysis, dish=dish, duration_seconds=inspected.video.duration_seconds)
    return StageResult(
        output=dump_output(Analysed(analysis=analysis, is_offline=coach.is_offline)), usage=(analysis.usage,)
    )


def check_analysis(analysis: Analysis, *, dish: DishText, duration_seconds: float) -> Analysis:
    """The analysis with its seconds clamped into the video; raises `MalformedAnswer` where it contradicts itself.

    It may name only principles of the dish and their mistakes, and must show a moment for whatever it claims.
    """
    mistakes = {p.slug: {m.slug for m in p.mistakes} for p in dish.principles}
    if analysis.outcome == "could_not_tell":
        claims = (analysis.principle_slug, analysis.mistake_slug, *analysis.done_well)
        if any(claims) or analysis.key_moment_seconds is not None:
            raise MalformedAnswer("the analysis could not tell, and yet it claims something")
    else:
        if analysis.principle_slug not in mistakes or analysis.key_moment_seconds is None:
            raise MalformedAnswer(f"no key moment, or a principle foreign to {dish.slug}: {analysis.principle_slug!r}")
        known = analysis.mistake_slug in mistakes[analysis.principle_slug]
        if known != (analysis.outcome == "mistake"):
            raise MalformedAnswer(f"{analysis.outcome} does not go with the mistake {analysis.mistake_slug!r}")
    if foreign := set(analysis.done_well) - set(mistakes):
        raise MalformedAnswer(f"principles foreign to {dish.slug}: {sorted(foreign)}")
    last = max(0.0, duration_seconds)
    moment = analysis.key_moment_seconds
    return replace(
        analysis,
        key_moment_seconds=None if moment is None else min(max(0.0, moment), last),
        events=tuple(replace(event, seconds=min(max(0.0, event.seconds), last)) for event in analysis.events),
    )
