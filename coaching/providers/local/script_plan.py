"""Decides what a script is about, before a word of it is chosen."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter

from coaching.providers.local.phrase_grammar import drop_brackets, regret, regret_before_noun
from coaching.providers.local.script_assembly import Piece
from coaching.providers.local.script_material import (
    SAFETY_PRINCIPLES,
    Topic,
    find_evidence,
    find_lead,
    find_mistake_text,
    find_principle_of_mistake,
    find_topic,
    name_place,
    rank_ratings,
)
from coaching.providers.ports import ScriptRequest, SessionSummary
from coaching.rules import measure_likeness

# Where nothing could be told, these are of little help at the stove, or of too much weight to be given by the way.
_NO_GIFTS = SAFETY_PRINCIPLES | {"plating_heat", "mise_en_place", "finish_together"}

_SAME_SCENE = 0.2  # below it one may speak of tongs and the other of a plate


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`topic` is what the film shows, `practice` what to try next: the same but where the cook went well.

    `gaps` fill the phrases; one that is "" leaves out every phrase that needs it, {who} aside.
    """

    request: ScriptRequest
    topic: Topic
    practice: Topic
    gaps: Mapping[str, str]

    def fill(
        self, templates: Iterable[str], more: Mapping[str, str] | None = None, *, worth: float = 1.0
    ) -> tuple[Piece, ...]:
        """The phrases whose gaps can be filled, with the gaps of the plan and `more`."""
        gaps = {**self.gaps, **(more or {})}
        pieces = []
        for template in templates:
            needed = {name for _, name, _, _ in Formatter().parse(template) if name and name != "who"}
            if all(gaps.get(name) for name in needed):
                pieces.append(Piece(template.format_map(gaps), worth))
        return tuple(pieces)


def plan_script(request: ScriptRequest, rng: random.Random) -> Plan:
    """Raises `MalformedAnswer` where the analysis names what the dish does not teach."""
    analysis = request.analysis
    high, low = rank_ratings(request)
    gaps = {
        "who": find_lead(request),
        "dish": drop_brackets(request.dish.name),
        "nth": str(request.session_number),
        "place": name_place(request),
        "evidence": find_evidence(request),
        "high": high,
        "low": low,
    }
    if analysis.outcome == "could_not_tell":
        topic = practice = _choose_gift(request, rng)
    else:
        topic = find_topic(analysis.principle_slug, request, mistake_slug=analysis.mistake_slug)
        practice = topic
    if analysis.outcome == "mistake":
        gaps |= _describe_mistake(find_mistake_text(topic.principle, analysis.mistake_slug), topic)
    if analysis.outcome == "good":
        practice = _choose_next_step(request, topic)
    gaps |= {"name": topic.name, "time": topic.time}
    if practice.slug != topic.slug:
        gaps |= {"next": practice.name, "next_time": practice.time}
    return Plan(request=request, topic=topic, practice=practice, gaps=gaps)


def _describe_mistake(mistake: str, topic: Topic) -> dict[str, str]:
    """Spoken in the words of the dish; written in those of the principle, where they can mean the same scene."""
    scene = topic.point.typical_mistake if topic.point else mistake
    change = mistake if measure_likeness(scene, mistake) >= _SAME_SCENE else scene
    return {
        "scene": scene,
        "slip": regret(scene),
        "slipped": regret_before_noun(scene),
        "change": change,
        "changed": regret_before_noun(change),
    }


def _choose_next_step(request: ScriptRequest, topic: Topic) -> Topic:
    """The next key point in the order of cooking that is not yet known to go well; else the same again."""
    points = list(request.dish.key_points)
    start = points.index(topic.point) + 1 if topic.point in points else 0
    known = {topic.slug, *request.analysis.done_well, *request.learner.skills_acquired} | SAFETY_PRINCIPLES
    for point in points[start:] + points[:start]:
        if point.principle_slug not in known:
            return Topic(principle=find_topic(point.principle_slug, request).principle, point=point)
    return topic


def _choose_gift(request: ScriptRequest, rng: random.Random) -> Topic:
    """What helps anyway: what the learner worried about, what recurs, what the search found, else any key point."""
    taught = {point.principle_slug for point in request.dish.key_points}
    worries = [find_principle_of_mistake(slug, request) for slug in request.identified_issues]
    recurring = [find_principle_of_mistake(slug, request) for slug in request.learner.recurring_mistakes]
    found = [principle for principle in request.principles if principle.slug in taught]
    for principle in (*worries, *recurring, *found):
        if principle is not None and principle.slug not in _NO_GIFTS:
            return find_topic(principle.slug, request)
    slugs = sorted(taught - _NO_GIFTS) or [principle.slug for principle in request.dish.principles]
    return find_topic(rng.choice(slugs), request)


def find_last_cook(request: ScriptRequest) -> SessionSummary | None:
    """The latest earlier session of this dish."""
    earlier = [
        past
        for past in request.learner.past_sessions
        if past.dish_slug == request.dish.slug and past.session_number < request.session_number
    ]
    return max(earlier, key=lambda past: past.session_number, default=None)
