"""The offline coach writes: one thing, why, and the moment that shows it, from the principles of the dish.

It quotes nothing that a learner said, and of what they are called nothing but the name: what they said decides which
answer they get. The same session always gets the same script; a repair round, whose findings differ, gets another.
"""

import re
from collections.abc import Callable, Mapping

from coaching.providers.local import coach_phrases as phrases
from coaching.providers.local.narration_writing import write_part1, write_part2
from coaching.providers.local.phrase_grammar import make_polite, split_into_sentences
from coaching.providers.local.script_assembly import Assembler, Piece, Slot
from coaching.providers.local.script_material import (
    SAFETY_PRINCIPLES,
    Topic,
    find_filming_advice,
    list_standalone_reasons,
    name_other_sense,
    seed_generator,
)
from coaching.providers.local.script_plan import Plan, plan_script
from coaching.providers.ports import CoachingScript, CoachingText, NarrationScript, ScriptRequest, Usage
from coaching.rules import PIVOT, measure_likeness

USAGE = Usage(provider="local", model="signal-coach", prompt_version="offline-1")

ALIKE_SIGNS = 0.3  # two signs that share this much say the same thing


def write_script(request: ScriptRequest) -> CoachingScript:
    """Text and narration for one session. Raises `MalformedAnswer` where the analysis contradicts the dish."""
    rng = seed_generator(request)
    plan = plan_script(request, rng)
    assembler = Assembler(rng)
    part2 = write_part2(plan, assembler)
    part1 = write_part1(plan, assembler)
    text = CoachingText(
        success_sign=_write_success_sign(plan.practice, plan, assembler),
        next_action=_write_next_action(plan.practice, plan, assembler),
        mondaiten=_write_mondaiten(plan, assembler),
        skill=_write_skill(plan, assembler),
    )
    shown, practised = (plan.topic.slug,), (plan.practice.slug,)
    both = tuple(dict.fromkeys((*shown, *practised)))
    return CoachingScript(
        coaching_text=text,
        narration=NarrationScript(part1=part1, pivot=PIVOT, part2=part2),
        basis={
            "mondaiten": both,
            "skill": shown,
            "next_action": practised,
            "success_sign": practised,
            "part1": both,
            "part2": shown,
        },
        usage=USAGE,
    )


def _write_mondaiten(plan: Plan, assembler: Assembler) -> str:
    writers: Mapping[str, Callable[[Plan], list[Slot]]] = {
        "mistake": _name_mistake,
        "good": _name_next_step,
        "could_not_tell": _admit,
    }
    return assembler.write(writers[plan.request.analysis.outcome](plan))


def _name_mistake(plan: Plan) -> list[Slot]:
    is_about_safety = plan.topic.slug in SAFETY_PRINCIPLES
    return [
        Slot(pieces=plan.fill(phrases.CHANGES)),
        Slot(pieces=plan.fill(phrases.EVIDENCE) or plan.fill(phrases.PLACES), optional=True),
        Slot(pieces=plan.fill(phrases.RATING_MAY_COME_FROM_IT), optional=True),
        Slot(pieces=plan.fill(phrases.SAFETY_COMES_FIRST if is_about_safety else phrases.REST_IS_FINE), optional=True),
    ]


def _name_next_step(plan: Plan) -> list[Slot]:
    return [
        Slot(pieces=plan.fill(phrases.NOTHING_TO_MEND)),
        Slot(pieces=plan.fill(phrases.WENT_WELL) or plan.fill(phrases.WENT_WELL_WITHOUT_TIME), optional=True),
        Slot(pieces=plan.fill(phrases.SMALL_STEPS) or plan.fill(phrases.SMALL_STEPS_WITHOUT_TIME), optional=True),
    ]


def _admit(plan: Plan) -> list[Slot]:
    advice = find_filming_advice(plan.request.analysis.reasons)
    return [Slot(pieces=plan.fill(phrases.HONEST_IN_SHORT)), Slot(pieces=(Piece(advice.read_advice),))]


def _write_skill(plan: Plan, assembler: Assembler) -> str:
    """The principle, a reason that was not yet given, and another dish in which it helps."""
    principle = plan.topic.principle
    reasons = list_standalone_reasons(principle)[1:]
    dish = str(plan.gaps["dish"])
    elsewhere = [example for example in principle.examples if dish not in example and dish[:3] not in example]
    examples = [piece for example in elsewhere for piece in plan.fill(phrases.EXAMPLE_LEADS, {"example": example})]
    return assembler.write(
        [
            Slot(pieces=(Piece(principle.summary),)),
            Slot(pieces=tuple(Piece(reason) for reason in reasons), optional=True),
            Slot(pieces=tuple(examples), optional=True),
        ]
    )


def _write_next_action(practice: Topic, plan: Plan, assembler: Assembler) -> str:
    action = practice.principle.next_action
    leads: tuple[str, ...] = ("{action}",) if re.match(r"まず|次|今度", action) else phrases.NEXT_ACTIONS
    single = len(split_into_sentences(action)) == 1 and practice.slug not in SAFETY_PRINCIPLES
    return assembler.write(
        [
            Slot(pieces=plan.fill(leads, {"action": action})),
            Slot(pieces=plan.fill(phrases.ONLY_THIS) if single else (), optional=True),
        ]
    )


def _write_success_sign(practice: Topic, plan: Plan, assembler: Assembler) -> str:
    """The dish's own sign, then the principle's as far as it says more, else what is smelt or felt."""
    general = practice.principle.success_sign
    cue = practice.principle.cues.feel_or_smell
    feel = plan.fill(phrases.SIGNS_OF_SMELL, {"feel_polite": make_polite(cue), "organ": name_other_sense(cue)})
    if practice.point is None:
        return assembler.write([Slot(pieces=(Piece(general),)), Slot(pieces=feel, optional=True)])
    own = make_polite(practice.point.success_sign)
    more = [piece for piece in (Piece(general, 2.0), *feel) if measure_likeness(own, piece.text) < ALIKE_SIGNS]
    return assembler.write(
        [
            Slot(pieces=plan.fill(phrases.SIGNS, {"sign_polite": own}), optional=True),
            Slot(pieces=tuple(more), optional=True),
        ]
    )
