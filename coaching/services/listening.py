"""Stage `listen`: what did the learner say, and what do they mean by it?"""

from django.conf import settings

from coaching import queries
from coaching.providers.ports import MemoRequest, TranscriptionRequest, Usage
from coaching.providers.registry import get_coach, get_object_store, get_speech_to_text
from coaching.services.execution import StageJob, StageResult
from coaching.services.media_faults import translate_media_errors
from coaching.services.stage_outputs import Listened, dump_output
from media_tools.facts import AudioLimits
from media_tools.probe import probe_audio


def listen_to_memo(job: StageJob) -> StageResult:
    """Transcribe the memo and read it. No memo, or one in which nothing is said, gives empty results."""
    if not job.session.voice_memo_path:
        return StageResult(output=dump_output(Listened(transcript="", structured_input={})))
    dish = queries.get_dish_text(job.session.dish)
    store = get_object_store()
    memo = store.fetch(object_path=job.session.voice_memo_path, destination=job.work_folder / "memo")
    with translate_media_errors("memo"):
        facts = probe_audio(
            memo,
            AudioLimits(max_duration_seconds=settings.MEMO_MAX_SECONDS, max_bytes=settings.MEMO_MAX_BYTES),
        )
    heard = get_speech_to_text().transcribe(
        TranscriptionRequest(
            audio=store.locate(job.session.voice_memo_path),
            duration_seconds=facts.duration_seconds,
            hints=(dish.name,),
        )
    )
    usage: list[Usage] = [heard.usage]
    structured_input = {}
    if heard.text:
        understood = get_coach().understand_memo(MemoRequest(transcript=heard.text, dish=dish))
        usage.append(understood.usage)
        structured_input = {
            "identified_issues": list(understood.identified_issues),
            "questions": list(understood.questions),
            "emotional_state": understood.emotional_state,
        }
    listened = Listened(transcript=heard.text, structured_input=structured_input)
    return StageResult(output=dump_output(listened), usage=tuple(usage))
