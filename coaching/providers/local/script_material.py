"""What a script is written from: the request, looked up and turned into what fits the gaps of `coach_phrases`."""

import hashlib
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from coaching.errors import MalformedAnswer
from coaching.providers.local import coach_phrases
from coaching.providers.local.phrase_grammar import (
    drop_brackets,
    find_senses,
    say_moment,
    split_into_sentences,
)
from coaching.providers.ports import CookingEvent, DishText, KeyPoint, PrincipleText, ScriptRequest
from coaching.rules import address_learner, check_text, measure_likeness

NEAR_SECONDS = 3.0
AT_ONCE_SECONDS = 0.6
# Nobody shrugs these off: they are about health, so no "never mind" goes with them.
SAFETY_PRINCIPLES = frozenset({"clean_separation", "smoke_and_splatter_safety"})
# Which sentence of a principle's reason explains the mistake, counted from 0, where it is not the first: a principle
# that warns of too little and of too much gives a reason for each.
_EXPLAINING_SENTENCE = {
    "all_at_once": 1,
    "aromatics_too_early": 2,
    "burnt_black": 2,
    "constant_flipping_anxious": 2,
    "cut_along_grain": 1,
    "cut_to_check": 2,
    "egg_scrambled_dry": 1,
    "fond_burnt": 2,
    "freshly_wet_rice": 1,
    "garlic_burnt": 1,
    "grains_crushed": 2,
    "heat_too_high_throughout": 1,
    "heat_too_low_timid": 1,
    "herbs_cooked_dull": 1,
    "left_out_too_long": 2,
    "lid_left_on": 1,
    "lifting_off_heat": 2,
    "liquids_stacked": 1,
    "mashing_pressing": 2,
    "meat_goes_cold": 1,
    "moved_too_early": 2,
    "oil_cold": 2,
    "oil_pooled_greasy": 2,
    "oil_smoking": 2,
    "onion_browned_too_fast": 1,
    "over_cook_egg_before_combining": 1,
    "over_correcting": 2,
    "overcrowded_pan": 1,
    "overheated_smoking_pan": 2,
    "pale_surface": 1,
    "pasta_rinsed": 1,
    "pasta_waits_clumps": 1,
    "protein_overcooked_tough": 1,
    "rest_on_hot_pan": 2,
    "salt_then_wait_wet": 1,
    "sauce_poured_on_top": 2,
    "slow_plating": 1,
    "sound_ignored": 1,
    "soy_onto_food_wet": 2,
    "sugar_masks_acid": 2,
    "uneven_pieces": 1,
    "water_on_oil_fire": 1,
}
_CONNECTIVE = re.compile(r"^(?:ただし、?|ただ、|だから、|そのため、|そのうえ、|けれど、?|さらに、?|反対に、?)")
# Sentences that speak of what the one before has named, and cannot stand without it.
_REFERRING = re.compile(
    r"^(?:その水|そのつど|膜は|残ったもの|途中で|和らぐ前に|熱すぎたり|さらに加熱)|この反応|その膜|その差|その糊|網がまだ"
)

_QUESTION_IS_ABOUT = 0.75
_CONTENT = re.compile(r"[一-龯々]|[ァ-ヴー]{2,}")  # what a question is about stands in kanji and katakana


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A principle in this dish; `point` is its key point there, where the dish has one."""

    principle: PrincipleText
    point: KeyPoint | None

    @property
    def slug(self) -> str:
        return self.principle.slug

    @property
    def name(self) -> str:
        return drop_brackets(self.principle.name)

    @property
    def time(self) -> str:
        """When it matters, "" where the dish does not say."""
        return say_moment(self.point.moment) if self.point else ""

    @property
    def watches(self) -> tuple[str, ...]:
        """What to look for, the dish's own cue first."""
        general = (self.principle.cues.look, self.principle.cues.sound)
        return (self.point.watch_for, *general) if self.point else general


def find_principle(slug: str, dish: DishText, others: Sequence[PrincipleText] = ()) -> PrincipleText | None:
    return next((p for p in (*dish.principles, *others) if p.slug == slug), None)


def find_topic(slug: str, request: ScriptRequest, *, mistake_slug: str = "") -> Topic:
    """The principle with the key point that fits best; raises `MalformedAnswer` for one that nobody knows."""
    principle = find_principle(slug, request.dish, request.principles)
    if principle is None:
        raise MalformedAnswer(f"the analysis names {slug!r}, which {request.dish.slug} does not teach")
    points = [point for point in request.dish.key_points if point.principle_slug == slug]
    if mistake_slug:
        points = [point for point in points if point.mistake_slug == mistake_slug]
    place = int(locate_in_film(request) * len(points)) if points else 0
    return Topic(principle=principle, point=points[min(place, len(points) - 1)] if points else None)


def find_mistake_text(principle: PrincipleText, mistake_slug: str) -> str:
    """Raises `MalformedAnswer` for a mistake that is not of this principle."""
    for mistake in principle.mistakes:
        if mistake.slug == mistake_slug:
            return mistake.text
    raise MalformedAnswer(f"{mistake_slug!r} is no mistake of {principle.slug}")


def find_principle_of_mistake(mistake_slug: str, request: ScriptRequest) -> PrincipleText | None:
    known = (*request.dish.principles, *request.principles)
    return next((p for p in known if any(m.slug == mistake_slug for m in p.mistakes)), None)


def seed_generator(request: ScriptRequest) -> random.Random:
    """The same session always draws the same words; anything that differs in it draws others."""
    analysis, learner = request.analysis, request.learner
    content = [
        request.dish.slug,
        request.session_number,
        learner.first_name,
        [(past.dish_slug, past.session_number, past.key_issue) for past in learner.past_sessions],
        [analysis.outcome, analysis.principle_slug, analysis.mistake_slug, *analysis.done_well],
        [analysis.key_moment_seconds, analysis.diagnosis, *analysis.reasons],
        [(event.event, round(event.seconds, 1)) for event in analysis.events],
        [request.memo_transcript, *request.identified_issues, *request.questions, request.emotional_state],
        sorted(request.self_ratings.items()),
        list(request.findings),
    ]
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")).digest()
    return random.Random(int.from_bytes(digest, "big"))


def locate_in_film(request: ScriptRequest) -> float:
    """Where the key moment lies among what happened, 0 to below 1; 0 where that is unknown."""
    moment = request.analysis.key_moment_seconds
    last = max((event.seconds for event in request.analysis.events), default=0.0)
    return min(0.999, max(0.0, moment / last)) if moment is not None and last > 0 else 0.0


def name_place(request: ScriptRequest) -> str:
    """The place of the key moment in words, "" where nothing is known of it."""
    moment = request.analysis.key_moment_seconds
    events = request.analysis.events
    if moment is None or len(events) < 2:
        return ""
    additions = [event for event in events if event.event == "food_added"]
    near = [index for index, event in enumerate(additions) if abs(event.seconds - moment) <= NEAR_SECONDS]
    if near and len(additions) > 1:
        return "動画で最初に食材が入ったあたり" if near[0] == 0 else "動画であとから食材が入ったあたり"
    part = locate_in_film(request)
    return ("動画のはじめのほう", "動画の中ほど", "動画の終わりのほう")[min(2, int(part * 3))]


def list_observations(request: ScriptRequest) -> tuple[str, ...]:
    """Sentences on what the recording itself shows at the key moment."""
    near = {event.event for event in _list_events_near(request, NEAR_SECONDS)}
    wants_success = request.analysis.outcome == "good"
    for slug, sentences in coach_phrases.OBSERVATIONS.items():
        if slug in near and (slug in coach_phrases.SHOWS_SUCCESS) == wants_success:
            return sentences
    return ()


def find_evidence(request: ScriptRequest) -> str:
    """What was heard or seen at the key moment, in the analysis' own polite sentence without its mark; "" for none."""
    states = [event.state.strip().rstrip("。") for event in _list_events_near(request, AT_ONCE_SECONDS)]
    sound = [state for state in states if state and not check_text(state, field="mondaiten", first_name="")]
    return max(sound, key=len, default="")


def _list_events_near(request: ScriptRequest, seconds: float) -> list[CookingEvent]:
    moment = request.analysis.key_moment_seconds
    return [] if moment is None else [e for e in request.analysis.events if abs(e.seconds - moment) <= seconds]


def find_lead(request: ScriptRequest) -> str:
    """How the learner is called at the head of a sentence: 「花子さん、」, or nothing."""
    called = address_learner(request.learner.first_name)
    return f"{called}、" if called else ""


def find_feeling(emotional_state: str) -> str:
    """The feeling that a slug such as `uncertain_but_engaged` begins with or holds; "calm" for any other."""
    words = emotional_state.lower().replace("-", "_").split("_")
    synonyms = {
        "frustrated": {"frustrated", "disappointed", "sad", "annoyed", "regretful", "discouraged"},
        "uncertain": {"uncertain", "anxious", "unsure", "nervous", "worried", "confused", "hesitant"},
        "proud": {"proud", "happy", "satisfied", "confident", "excited", "joyful", "pleased"},
        "tired": {"tired", "exhausted", "rushed", "busy"},
        "curious": {"curious", "interested", "inquisitive"},
    }
    for word in words:
        for feeling, meant in synonyms.items():
            if word in meant:
                return feeling
    return "calm"


def is_question_about(question: str, topic: Topic, request: ScriptRequest) -> bool:
    """Whether the principle holds most of the question's words, and none that the dish teaches speaks more like it."""
    asked = set(_CONTENT.findall(question))
    nearness, shared = {}, {}
    for principle in (topic.principle, *request.dish.principles):
        texts = _list_texts(principle, request.dish)
        shared[principle.slug] = len(asked & set(_CONTENT.findall("".join(texts)))) / max(1, len(asked))
        likeness = max(measure_likeness(question, text) for text in texts)
        nearness[principle.slug] = shared[principle.slug] + likeness
    return shared[topic.slug] >= _QUESTION_IS_ABOUT and nearness[topic.slug] >= max(nearness.values())


def _list_texts(principle: PrincipleText, dish: DishText) -> list[str]:
    points = [point for point in dish.key_points if point.principle_slug == principle.slug]
    return [
        principle.name,
        principle.summary,
        principle.next_action,
        principle.decisive_rule,
        *(mistake.text for mistake in principle.mistakes),
        *(text for point in points for text in (point.watch_for, point.typical_mistake)),
    ]


def list_reasons(principle: PrincipleText, mistake_slug: str) -> list[str]:
    """Runs of sentences that give the reason, each able to stand after any sentence, all with the one that counts."""
    sentences = split_into_sentences(principle.why)
    wanted = min(_EXPLAINING_SENTENCE.get(mistake_slug, 0), len(sentences) - 1)
    runs: list[str] = []
    for start in range(wanted + 1):
        if start == 0 or not _REFERRING.search(sentences[start]):
            first = _CONNECTIVE.sub("", sentences[start])
            ends = range(wanted, len(sentences))
            runs.extend(first + "".join(sentences[start + 1 : end + 1]) for end in ends)
    return runs


def list_standalone_reasons(principle: PrincipleText) -> list[str]:
    """The sentences of the reason that can stand alone, without the words that tied them together."""
    return [_CONNECTIVE.sub("", s) for s in split_into_sentences(principle.why) if not _REFERRING.search(s)]


def find_sense(watch: str) -> str:
    """「目で」, 「耳で」 …; 「よく」 where several senses are asked."""
    senses = find_senses(watch)
    return f"{senses[0]}で" if len(senses) == 1 else "よく"


def name_other_sense(cue: str) -> str:
    """By what a cue that is neither seen nor heard is noticed: 鼻, 手 or 口, "" where the words do not say."""
    names = {"鼻": "鼻", "手": "手", "舌": "口"}
    return next((names[sense] for sense in find_senses(cue) if sense in names), "")


def find_filming_advice(reasons: Sequence[str]) -> coach_phrases.FilmingAdvice:
    """What helps against the first reason that says something; the last row of the table fits any."""
    words = " ".join(reasons).lower()
    return next(advice for keys, advice in coach_phrases.FILMING_ADVICE if any(key in words for key in keys))


def rank_ratings(request: ScriptRequest) -> tuple[str, str]:
    """The aspects that the learner rated highest (4 or more) and lowest (3 or less), "" where there is none."""
    ratings = {key: value for key, value in request.self_ratings.items() if key in coach_phrases.ASPECTS}
    if not ratings or len(set(ratings.values())) == 1:
        return "", ""
    best, worst = max(ratings, key=lambda k: ratings[k]), min(ratings, key=lambda k: ratings[k])
    high = coach_phrases.ASPECTS[best] if ratings[best] >= 4 else ""
    low = coach_phrases.ASPECTS[worst] if ratings[worst] <= 3 else ""
    return high, low
