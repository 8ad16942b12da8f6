"""The spoken script: part 1 over the whole cook, part 2 over the key moment."""

import itertools
import re
from collections.abc import Callable, Mapping

from coaching.providers.local import coach_phrases as phrases
from coaching.providers.local.phrase_grammar import (
    Form,
    before_noun,
    find_form,
    find_senses,
    make_polite,
    split_into_sentences,
)
from coaching.providers.local.script_assembly import Assembler, Piece, Slot, TimeWindow
from coaching.providers.local.script_material import (
    SAFETY_PRINCIPLES,
    find_feeling,
    find_filming_advice,
    find_principle_of_mistake,
    find_sense,
    is_question_about,
    list_observations,
    list_reasons,
)
from coaching.providers.local.script_plan import Plan, find_last_cook
from coaching.rules import KEY_MOMENT_SECONDS, PART1_SECONDS, PIVOT, measure_likeness

_COST_OF_LIKENESS = 6.0

_PART1_WINDOW = TimeWindow(
    read_seconds=(PART1_SECONDS[0] + 2, PART1_SECONDS[1] - 2),
    estimated_seconds=(PART1_SECONDS[0] + 0.5, PART1_SECONDS[1] - 0.5),
    best_seconds=36,
)
# As close to the upper end as both voices allow: so part 2 alone takes its 15 s, too.
_PART2_WINDOW = TimeWindow(
    read_seconds=(KEY_MOMENT_SECONDS[0] + 2.2, KEY_MOMENT_SECONDS[1] - 0.3),
    estimated_seconds=(KEY_MOMENT_SECONDS[0] + 0.5, KEY_MOMENT_SECONDS[1] - 0.2),
    best_seconds=KEY_MOMENT_SECONDS[1] - 0.5,
    spoken_before=f"{PIVOT}。",
)


def write_part1(plan: Plan, assembler: Assembler) -> str:
    """30 to 40 s: a greeting with the session's number, an answer to the memo, the one thing, why, the principle."""
    body: Mapping[str, Callable[[Plan], list[Slot]]] = {
        "mistake": _tell_mistake,
        "good": _tell_success,
        "could_not_tell": _tell_honestly,
    }
    slots = [Slot(pieces=_greet(plan)), *_answer_learner(plan), *body[plan.request.analysis.outcome](plan)]
    return assembler.speak(slots, _PART1_WINDOW)


def write_part2(plan: Plan, assembler: Assembler) -> str:
    """15 to 20 s with the pivot: where to look, what to see and hear, and the decisive rule at the end."""
    leads = {
        "mistake": (phrases.LOOK_HERE, phrases.LOOK_HERE_WITHOUT_TIME),
        "good": (phrases.LOOK_HERE_WITH_PRIDE, phrases.LOOK_HERE_WITHOUT_TIME),
        "could_not_tell": (phrases.LOOK_FOR_IT, phrases.LOOK_FOR_IT_WITHOUT_TIME),
    }
    with_time, without_time = leads[plan.request.analysis.outcome]
    slots = [
        Slot(pieces=(*plan.fill(with_time, worth=1.2), *plan.fill(without_time, worth=0.4)), optional=True),
        Slot(pieces=_name_cues(plan)),
        Slot(pieces=tuple(Piece(text, 0.5) for text in phrases.RULE_LEADS), optional=True),
        Slot(pieces=(Piece(plan.topic.principle.decisive_rule),)),
    ]
    return assembler.speak(slots, _PART2_WINDOW)


def _greet(plan: Plan) -> tuple[Piece, ...]:
    first = plan.request.session_number == 1
    special = phrases.GREETINGS_OF_A_FIRST if first else phrases.GREETINGS_OF_A_RETURN
    return (*plan.fill(phrases.GREETINGS), *plan.fill(special, worth=1.3))


def _answer_learner(plan: Plan) -> list[Slot]:
    """What the learner felt, asked, worried about and marked, and what became of the last cook."""
    request = plan.request
    ratings = (
        plan.fill(phrases.RATED_BOTH)
        or plan.fill(phrases.RATED_HIGH, worth=1.2)
        or plan.fill(phrases.RATED_LOW, worth=1.2)
    )
    feeling = phrases.FEELINGS[find_feeling(request.emotional_state)] if request.memo_transcript else ()
    praised = [slug for slug in request.analysis.done_well if slug != plan.topic.slug]
    names = [p.name for slug in praised for p in request.dish.principles if p.slug == slug]
    return [
        Slot(pieces=plan.fill(feeling, worth=1.8), optional=True),
        Slot(pieces=ratings, optional=True),
        Slot(pieces=_recall_last_cook(plan), optional=True),
        Slot(pieces=plan.fill(phrases.PRAISES, {"done": names[0]}, worth=2.0) if names else (), optional=True),
        Slot(pieces=_answer_issue(plan), optional=True),
        Slot(pieces=_answer_question(plan), optional=True),
    ]


def _answer_issue(plan: Plan) -> tuple[Piece, ...]:
    request = plan.request
    if not request.identified_issues:
        return ()
    outcome = request.analysis.outcome
    worries = [p for slug in request.identified_issues if (p := find_principle_of_mistake(slug, request)) is not None]
    if outcome == "mistake" and any(worry.slug == plan.topic.slug for worry in worries):
        return plan.fill(phrases.MEMO_NAMED_THE_SAME, worth=5.0)
    templates = {
        "mistake": phrases.MEMO_NAMED_ANOTHER,
        "good": phrases.MEMO_NAMED_WHAT_WENT_WELL,
        "could_not_tell": phrases.MEMO_GAVE_A_HINT,
    }
    if not worries or (outcome == "could_not_tell" and worries[0].slug != plan.topic.slug):
        return ()
    return plan.fill(templates[outcome], {"issue": worries[0].name}, worth=5.0)


def _answer_question(plan: Plan) -> tuple[Piece, ...]:
    if not plan.request.questions:
        return ()
    if any(is_question_about(question, plan.topic, plan.request) for question in plan.request.questions):
        return plan.fill(phrases.MEMO_ASKED_THIS, worth=4.5)
    return plan.fill(phrases.MEMO_ASKED_SOMETHING_ELSE, worth=4.0)


def _recall_last_cook(plan: Plan) -> tuple[Piece, ...]:
    """A mistake that came back, or one that is gone; nothing where nothing could be told."""
    request, last = plan.request, find_last_cook(plan.request)
    seen_last = last.mistake_slug if last else ""
    mistake = request.analysis.mistake_slug
    if mistake and (mistake == seen_last or mistake in request.learner.recurring_mistakes):
        return plan.fill(phrases.REPEATED, worth=3.0)
    if not seen_last or request.analysis.outcome == "could_not_tell":
        return ()
    gone = find_principle_of_mistake(seen_last, request)
    if gone is None or gone.slug == plan.topic.slug:
        return ()
    return plan.fill(phrases.GONE, {"gone": gone.name}, worth=3.0)


def _tell_mistake(plan: Plan) -> list[Slot]:
    slips = plan.fill(phrases.SLIPS)
    if plan.gaps.get("scene") and find_form(plan.gaps["scene"]) is Form.VERB:
        slips += plan.fill(phrases.SLIPS_AS_SCENES)
    closers = () if plan.topic.slug in SAFETY_PRINCIPLES else plan.fill(phrases.CLOSERS, worth=0.3)
    return [
        Slot(pieces=slips or plan.fill(phrases.SLIPS_WITHOUT_TIME)),
        Slot(pieces=plan.fill(phrases.WHY_LEADS, worth=0.4), optional=True),
        Slot(pieces=_explain(plan)),
        Slot(pieces=plan.fill(phrases.PRINCIPLES)),
        Slot(pieces=closers, optional=True),
    ]


def _tell_success(plan: Plan) -> list[Slot]:
    return [
        Slot(pieces=plan.fill(phrases.SUCCESSES) or plan.fill(phrases.SUCCESSES_WITHOUT_TIME)),
        Slot(pieces=plan.fill(phrases.EVIDENCE, worth=2.0), optional=True),
        Slot(pieces=plan.fill(phrases.SUCCESS_WHY_LEADS, worth=0.4), optional=True),
        Slot(pieces=_explain(plan)),
        Slot(pieces=plan.fill(phrases.NEXT_STEPS, worth=1.5), optional=True),
        Slot(pieces=plan.fill(phrases.SUCCESS_CLOSERS, worth=0.6)),
    ]


def _tell_honestly(plan: Plan) -> list[Slot]:
    advice = find_filming_advice(plan.request.analysis.reasons)
    return [
        Slot(pieces=plan.fill(phrases.HONEST)),
        Slot(pieces=(Piece(advice.heard_reason, 1.0),), optional=True),
        Slot(pieces=(Piece(advice.heard_advice, 2.0),), optional=True),
        Slot(pieces=plan.fill(phrases.GIFTS)),
        Slot(pieces=_explain(plan)),
        Slot(pieces=plan.fill(phrases.CLOSERS, worth=0.3), optional=True),
    ]


def _explain(plan: Plan) -> tuple[Piece, ...]:
    """The reason of the principle, in one sentence or as many as fit."""
    reasons = list_reasons(plan.topic.principle, plan.request.analysis.mistake_slug)
    beginning = split_into_sentences(plan.topic.principle.why)[0]  # where everything that explains more is too long
    longer = (Piece(reason, 0.8 + 0.3 * len(split_into_sentences(reason))) for reason in reasons)
    return (*longer, Piece(beginning, -1.5))


def _name_cues(plan: Plan) -> tuple[Piece, ...]:
    """What the recording shows, what to look for and what to listen for, in two to four sentences."""
    proud = plan.request.analysis.outcome == "good"
    cues = plan.topic.principle.cues
    observed = list_observations(plan.request)
    pieces: list[Piece] = []
    for rank, watch in enumerate(plan.topic.watches):
        heard = "耳" in find_senses(watch)
        if rank == 2 and heard:
            continue  # the general cue for the ear stands second, never first, where the dish has cues of its own
        seconds = _show(plan, cues.look) if heard else _sound(plan, cues.sound)
        worth = 2.0 if rank == 0 else 0.5
        for first in _watch(plan, watch, proud=proud):
            both = [Piece(first + second.text, worth + second.worth) for second in seconds if second.text != first]
            alone = Piece(first, worth)
            pieces += [*both, *([alone] if heard and len(find_senses(watch)) > 1 else [])]
            for sight in observed:
                # What was heard in this very recording says more of the sound than any rule.
                told = [alone, *both] if "耳" in find_senses(sight) or heard else both
                pieces += [Piece(sight + piece.text, piece.worth + 3.0) for piece in told]
    rule = plan.topic.principle.decisive_rule
    return tuple(Piece(piece.text, piece.worth - _measure_repetition(piece.text + rule)) for piece in pieces)


def _measure_repetition(text: str) -> float:
    """What it costs that neighbouring sentences use the same words."""
    pairs = itertools.combinations(split_into_sentences(text), 2)
    return sum(_COST_OF_LIKENESS * max(0.0, measure_likeness(one, other) - 0.25) for one, other in pairs)


def _watch(plan: Plan, watch: str, *, proud: bool) -> list[str]:
    gaps: dict[str, str] = {
        "watch": watch,
        "watch_noun": before_noun(watch),
        "watch_polite": make_polite(watch),
        "sense": find_sense(watch),
    }
    templates: tuple[str, ...] = phrases.WATCHES_WITH_PRIDE if proud else phrases.WATCHES
    if re.search(r"合図$", watch):  # a cue that explains itself: 「〜のは、締まりすぎの合図」
        templates = ("{watch_polite}。",)
    return [piece.text for piece in plan.fill(templates, gaps)]


def _sound(plan: Plan, sound: str) -> tuple[Piece, ...]:
    gaps = {"sound": sound, "sound_polite": make_polite(sound)}
    # A cue that warns (「バチバチとはねる音がする」) is told, not looked for.
    told = plan.topic.slug in SAFETY_PRINCIPLES or find_form(sound) not in (Form.VERB, Form.STATE, Form.NEGATIVE)
    short = () if told else phrases.SOUNDS_WITHOUT_LEAD
    return (
        *plan.fill(phrases.SOUNDS, gaps, worth=1.0),
        *plan.fill(short, gaps, worth=0.9),
        *plan.fill(phrases.SOUNDS_IN_SHORT, gaps, worth=-0.5),
    )


def _show(plan: Plan, look: str) -> tuple[Piece, ...]:
    polite = make_polite(look)
    return (
        *plan.fill(phrases.LOOKS, {"look_polite": polite}, worth=1.0),
        *plan.fill(phrases.LOOKS_IN_SHORT, {"look_polite": polite}, worth=-0.5),
    )
