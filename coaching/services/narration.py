"""Stage `narrate`: the script, spoken and measured."""

from pathlib import Path

from coaching.providers.ports import SpeechRequest, Usage
from coaching.providers.registry import get_object_store, get_text_to_speech
from coaching.services.execution import StageJob, StageResult
from coaching.services.media_faults import translate_media_errors
from coaching.services.stage_outputs import Narrated, SpokenPart, Written, dump_output, read_output
from media_tools.narration import measure_speech


def narrate_script(job: StageJob) -> StageResult:
    """Two recordings: part 1, and the pivot with part 2, which is spoken over the key moment."""
    narration = read_output(job.outputs, Written).narration
    part1, first_usage = _speak(job, narration.part1, "part1.wav")
    job.report_progress(60)
    part2, second_usage = _speak(job, f"{narration.pivot}。{narration.part2}", "part2.wav")
    return StageResult(output=dump_output(Narrated(part1=part1, part2=part2)), usage=(first_usage, second_usage))


def _speak(job: StageJob, text: str, name: str) -> tuple[SpokenPart, Usage]:
    path: Path = job.work_folder / name
    speech = get_text_to_speech().synthesise(SpeechRequest(text=text, output=path))
    with translate_media_errors():
        measured = measure_speech(speech.path, cancel=job.cancel)
    stored = get_object_store().write_file(
        object_path=job.output_path(name), source=speech.path, content_type="audio/wav"
    )
    part = SpokenPart(
        object_path=stored.object_path,
        duration_seconds=measured.duration_seconds,
        loudness_lufs=measured.loudness.integrated_lufs,
    )
    return part, speech.usage
