"""Stage `retrieve`: which principles explain what was seen?"""

from collections.abc import Iterable, Sequence

from coaching import queries
from coaching.providers.ports import Analysis, DishText, SearchRequest
from coaching.providers.registry import get_principle_index
from coaching.services.execution import StageJob, StageResult
from coaching.services.stage_outputs import Analysed, Listened, Retrieved, dump_output, read_output

PRINCIPLES_KEPT = 3


def retrieve_principles(job: StageJob) -> StageResult:
    """The three principles that the script rests on: what the analysis named first, then what the search found."""
    dish = queries.get_dish_text(job.session.dish)
    analysis = read_output(job.outputs, Analysed).analysis
    listened = read_output(job.outputs, Listened)
    answer = get_principle_index().search(
        SearchRequest(query=make_query(analysis, dish=dish, transcript=listened.transcript), limit=5)
    )
    found = tuple(hit.principle_slug for hit in answer.hits)
    issues = listened.structured_input.get("identified_issues", [])
    slugs = choose_principles(analysis, dish=dish, issues=issues, found=found)
    return StageResult(
        output=dump_output(Retrieved(principle_slugs=slugs, found_by_search=found)), usage=(answer.usage,)
    )


def choose_principles(
    analysis: Analysis, *, dish: DishText, issues: Iterable[str], found: Sequence[str]
) -> tuple[str, ...]:
    """What the analysis named, then what was found by the search; at most three.

    Where nothing was seen, what the learner worries about and what the dish teaches first come before a search that
    had nothing to go by.
    """
    named = _name_principles(analysis, dish=dish, issues=issues)
    guesses = [*(p.slug for p in dish.principles), *found] if analysis.outcome == "could_not_tell" else found
    return tuple(dict.fromkeys([*named, *guesses]))[:PRINCIPLES_KEPT]


def make_query(analysis: Analysis, *, dish: DishText, transcript: str) -> str:
    """The diagnosis, within its dish. A video that showed nothing is asked about in the learner's own words."""
    subject = analysis.diagnosis
    if analysis.outcome == "could_not_tell":
        subject = transcript or dish.description
    return f"{dish.name}。{subject}"


def _name_principles(analysis: Analysis, *, dish: DishText, issues: Iterable[str]) -> list[str]:
    principle_of = {mistake.slug: p.slug for p in dish.principles for mistake in p.mistakes}
    named = [analysis.principle_slug] if analysis.principle_slug else []
    if analysis.outcome == "could_not_tell":
        named += [principle_of[issue] for issue in issues if issue in principle_of]
    return named
