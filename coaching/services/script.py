"""Stage `script`: what does the coach say? Written by a provider, held to the rules by us."""

import logging
from dataclasses import asdict, replace

from coaching import queries
from coaching.errors import MalformedAnswer
from coaching.providers.ports import (
    CoachingScript,
    LearnerContext,
    ScriptRequest,
    SessionSummary,
    Usage,
)
from coaching.providers.registry import get_coach
from coaching.rules import Finding, ScriptTexts, check_script
from coaching.services.execution import StageJob, StageResult
from coaching.services.learner_state import view_before
from coaching.services.stage_outputs import Analysed, Listened, Retrieved, Written, dump_output, read_output

logger = logging.getLogger(__name__)


def write_script(job: StageJob) -> StageResult:
    """Coaching text and narration. One repair round with the broken rules, then `MalformedAnswer` (a retry)."""
    request = _make_request(job)
    coach = get_coach()
    script = coach.write_script(request)
    usage: list[Usage] = [script.usage]
    if findings := _find_broken_rules(script, request):
        logger.info("script of run %s breaks %s: asking for a repair", job.claim.run_id, [f.code for f in findings])
        request = replace(request, findings=tuple(finding.instruction for finding in findings))
        script = coach.write_script(request)
        usage.append(script.usage)
        if findings := _find_broken_rules(script, request):
            broken = "; ".join(f"{f.field}: {f.code} {f.excerpt!r}" for f in findings)
            raise MalformedAnswer(f"the script breaks the rules after its repair: {broken}")
    written = Written(
        coaching_text=script.coaching_text,
        narration=script.narration,
        basis={text: tuple(slugs) for text, slugs in script.basis.items()},
    )
    return StageResult(output=dump_output(written), usage=tuple(usage))


def _find_broken_rules(script: CoachingScript, request: ScriptRequest) -> tuple[Finding, ...]:
    return check_script(
        ScriptTexts(**asdict(script.coaching_text), **asdict(script.narration)),
        first_name=request.learner.first_name,
        decisive_rules=[p.decisive_rule for p in (*request.principles, *request.dish.principles)],
    )


def _make_request(job: StageJob) -> ScriptRequest:
    listened = read_output(job.outputs, Listened)
    retrieved = read_output(job.outputs, Retrieved)
    return ScriptRequest(
        dish=queries.get_dish_text(job.session.dish),
        session_number=job.session.session_number,
        analysis=read_output(job.outputs, Analysed).analysis,
        principles=queries.get_principle_texts(retrieved.principle_slugs),
        learner=_describe_learner(job),
        memo_transcript=listened.transcript,
        identified_issues=tuple(listened.structured_input.get("identified_issues", ())),
        questions=tuple(listened.structured_input.get("questions", ())),
        emotional_state=listened.structured_input.get("emotional_state", ""),
        self_ratings=job.session.self_ratings,
    )


def _describe_learner(job: StageJob) -> LearnerContext:
    known = view_before(job.session)
    return LearnerContext(
        first_name=job.session.user.first_name,
        skills_acquired=tuple(known.skills_acquired),
        skills_developing=tuple(known.skills_developing),
        recurring_mistakes=tuple(entry["mistake"] for entry in known.recurring_mistakes),
        past_sessions=tuple(
            SessionSummary(
                dish_slug=entry["dish"],
                session_number=entry["session"],
                key_issue=entry["key_issue"],
                key_progress=entry["key_progress"],
                mistake_slug=entry["mistake"],
            )
            for entry in known.session_summaries
        ),
    )
