"""Stage `script`: what does the coach say? Written by a provider, held to the rules by us."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from coaching import queries
from coaching.errors import MalformedAnswer, charge
from coaching.providers.ports import CoachingScript, ScriptRequest
from coaching.providers.registry import get_coach
from coaching.rules import Finding, ScriptTexts, check_script
from coaching.services.execution import StageJob, StageResult
from coaching.services.learner_state import describe_learner, view_before
from coaching.services.stage_outputs import Analysed, Listened, Retrieved, Written, dump_output, read_output

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A script, and the rules that it breaks."""

    script: CoachingScript
    findings: tuple[Finding, ...]


def write_script(job: StageJob) -> StageResult:
    """Coaching text and narration. One repair round with the broken rules, then `MalformedAnswer` (a retry)."""
    drafts = draft_script(get_coach().write_script, _make_request(job))
    if len(drafts) > 1:
        broken = [finding.code for finding in drafts[0].findings]
        logger.info("script of run %s broke %s: asked for a repair", job.claim.run_id, broken)
    script, findings = drafts[-1].script, drafts[-1].findings
    usage = tuple(draft.script.usage for draft in drafts)
    if findings:
        broken_rules = "; ".join(f"{f.field}: {f.code} {f.excerpt!r}" for f in findings)
        with charge(*usage):
            raise MalformedAnswer(f"the script breaks the rules after its repair: {broken_rules}")
    written = Written(
        coaching_text=script.coaching_text,
        narration=script.narration,
        basis={text: tuple(slugs) for text, slugs in script.basis.items()},
    )
    return StageResult(output=dump_output(written), usage=usage)


def draft_script(write: Callable[[ScriptRequest], CoachingScript], request: ScriptRequest) -> tuple[Draft, ...]:
    """One draft, or two where the first breaks rules: the coach gets the findings once. The last one counts."""
    script = write(request)
    first = Draft(script=script, findings=_find_broken_rules(script, request))
    if not first.findings:
        return (first,)
    repair = replace(request, findings=tuple(finding.instruction for finding in first.findings))
    repaired = write(repair)
    return first, Draft(script=repaired, findings=_find_broken_rules(repaired, request))


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
        learner=describe_learner(job.session.user, view_before(job.session)),
        memo_transcript=listened.transcript,
        identified_issues=tuple(listened.structured_input.get("identified_issues", ())),
        questions=tuple(listened.structured_input.get("questions", ())),
        emotional_state=listened.structured_input.get("emotional_state", ""),
        self_ratings=job.session.self_ratings,
    )
