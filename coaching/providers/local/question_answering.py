"""The offline coach's answers: built from the principles' own sentences, the cook that was seen, and the history."""

import hashlib
import re
from collections.abc import Iterator, Sequence

from coaching.errors import StageCancelled
from coaching.providers.local import answer_phrases as phrases
from coaching.providers.local.question_reading import Reading, read_question
from coaching.providers.ports import AnswerOutcome, AnswerPiece, PrincipleText, QuestionRequest, Usage
from coaching.rules import address_learner

MODEL = "signal-coach"
MOST_SENTENCES_OF_WHY = 3


def write_answer(request: QuestionRequest) -> Iterator[AnswerPiece]:
    """Sentence by sentence; the last piece says what the answer rests on."""
    reading = read_question(request)
    sentences = list(_compose(request, reading))
    for sentence in sentences[:-1]:
        _stop_if_cancelled(request)
        yield AnswerPiece(text=sentence)
    _stop_if_cancelled(request)
    yield AnswerPiece(text=sentences[-1], outcome=_make_outcome(request, reading))


def _stop_if_cancelled(request: QuestionRequest) -> None:
    if request.cancel is not None and request.cancel.is_set():
        raise StageCancelled("the question was taken away")


def _compose(request: QuestionRequest, reading: Reading) -> Iterator[str]:
    called = address_learner(request.learner.first_name)
    gaps = {"who": f"{called}、" if called else ""}
    if reading.topic == "hostile":
        yield from (phrase.format(**gaps) for phrase in phrases.BACK_TO_COOKING)
    elif reading.topic == "off_topic":
        yield from (phrase.format(**gaps) for phrase in phrases.BACK_FROM_ELSEWHERE)
    elif reading.topic == "food_safety":
        yield from (phrase.format(**gaps) for phrase in phrases.FOOD_SAFETY)
        yield phrases.FOOD_SAFETY_NOTE_BELOW
    else:
        yield from _compose_about_cooking(request, reading, gaps)


def _compose_about_cooking(request: QuestionRequest, reading: Reading, gaps: dict[str, str]) -> Iterator[str]:
    principle = reading.principle
    opening = phrases.ABOUT_THIS_COOK if reading.is_about_this_cook else _choose(phrases.OPENINGS, request.question)
    yield opening.format(**gaps)
    if request.cook is None:
        yield phrases.NO_COOK_YET
    if principle is not None:
        if not reading.is_about_this_cook:
            yield phrases.IT_IS_ABOUT.format(name=principle.name)
        yield from _speak_of_cook(request, reading, principle)
        yield from _explain(reading, principle)
        yield from _remember(request, principle)
    if request.cook is None:
        yield phrases.INVITATION
    elif reading.wish not in {"next", "how"}:
        yield _choose(phrases.CLOSINGS, request.question)


def _explain(reading: Reading, principle: PrincipleText) -> Iterator[str]:
    """What was asked first: the reason, the signs, or what to do; always something to do in the end."""
    signs = phrases.SIGNS.format(look=principle.cues.look, sound=principle.cues.sound)
    feeling = phrases.SIGN_BY_FEELING.format(feel=principle.cues.feel_or_smell)
    if reading.wish == "why":
        yield from _split(principle.why)[:MOST_SENTENCES_OF_WHY]
        yield principle.decisive_rule
    elif reading.wish == "amount":
        yield phrases.NO_NUMBERS
        yield from (signs, feeling)
    elif reading.wish == "when":
        yield from (signs, feeling, principle.decisive_rule)
    elif reading.wish == "next":
        yield from (principle.next_action, principle.success_sign)
    else:
        yield from (principle.summary, principle.next_action, principle.success_sign)


def _speak_of_cook(request: QuestionRequest, reading: Reading, principle: PrincipleText) -> Iterator[str]:
    if request.cook is None:
        return
    analysis = request.cook.analysis
    if reading.is_about_this_cook and analysis.outcome == "could_not_tell":
        yield phrases.COULD_NOT_TELL
    elif principle.slug == analysis.principle_slug and analysis.outcome == "mistake":
        yield from _split(analysis.diagnosis)
        if _find_moment(request, reading) is not None:
            yield phrases.MOMENT_IS_THERE
    elif principle.slug in analysis.done_well or principle.slug == analysis.principle_slug:
        yield phrases.WHAT_WENT_WELL


def _remember(request: QuestionRequest, principle: PrincipleText) -> Iterator[str]:
    mistakes = {mistake.slug for mistake in principle.mistakes}
    if mistakes & set(request.learner.recurring_mistakes):
        yield phrases.REPEATED
    elif principle.slug in request.learner.skills_acquired:
        yield phrases.ACQUIRED


def _find_moment(request: QuestionRequest, reading: Reading) -> float | None:
    """The second of the footage at which what is spoken of can be seen."""
    if request.cook is None or reading.principle is None:
        return None
    analysis = request.cook.analysis
    return analysis.key_moment_seconds if reading.principle.slug == analysis.principle_slug else None


def _make_outcome(request: QuestionRequest, reading: Reading) -> AnswerOutcome:
    moment = _find_moment(request, reading) if reading.topic == "cooking" else None
    if moment is not None and request.cook is not None:
        moment = min(moment, request.cook.duration_seconds)
    return AnswerOutcome(
        topic=reading.topic,
        principle_slugs=(reading.principle.slug,) if reading.principle else (),
        moment_seconds=moment,
        usage=Usage(provider="local", model=MODEL, characters=len(request.question)),
    )


def _split(text: str) -> list[str]:
    return re.findall(r"[^。！？]+[。！？]」?", text)


def _choose(choices: Sequence[str], question: str) -> str:
    """The same words for the same question."""
    return choices[hashlib.sha256(question.encode()).digest()[0] % len(choices)]
