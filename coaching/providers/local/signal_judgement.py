"""Decides what the offline coach may claim from what was heard and seen: one thing, or that it could not tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from coaching.providers.local.signal_vocabulary import NAMINGS, Name, name_reading
from coaching.providers.ports import DishText
from media_tools.cook_events import MISHAPS, CookFindings, Doubt, Reading, ReadingKind

TIE = 0.15
GOOD_CONFIDENCE = 0.7


class Hesitation(StrEnum):
    """Why nothing is claimed of a film that could be heard and seen."""

    ONLY_ONE_WITNESS = "only_one_witness"
    READINGS_TIE = "readings_tie"
    ORDER_UNCLEAR = "order_unclear"
    NO_WORD_FOR_IT = "dish_has_no_word_for_it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`reading` and `name` are None where nothing is claimed; then `reasons` say why, as Doubts or Hesitations."""

    outcome: Literal["mistake", "good", "could_not_tell"]
    reading: Reading | None = None
    name: Name | None = None
    done_well: tuple[str, ...] = ()
    confidence: float = 0.0
    reasons: tuple[Doubt | Hesitation, ...] = ()


def judge(findings: CookFindings, dish: DishText) -> Judgement:
    """A mistake needs two witnesses, a word in the dish and a clear lead; praise needs that nothing speaks against it.

    A long film may hold several turns at the pan: of each kind of reading the surest counts.
    """
    if findings.doubts:
        return _decline(*findings.doubts)
    happened = [happening.kind for happening in findings.happenings]
    mishaps = _pick_surest([reading for reading in findings.readings if reading.kind in MISHAPS])
    named = [(reading, name_reading(reading.kind, dish, happened)) for reading in mishaps]
    claims = [(reading, name) for reading, name in named if name is not None and reading.is_supported]
    if claims:
        (reading, name), *others = claims
        if any(reading.confidence - other.confidence < TIE for other, _ in others):
            return _decline(Hesitation.READINGS_TIE)
        praised = _name_done_well(findings, dish, NAMINGS[reading.kind].silences)
        return Judgement(
            outcome="mistake",
            reading=reading,
            name=name,
            done_well=tuple(slug for slug in praised if slug != name.principle_slug),
            confidence=reading.confidence,
        )
    if any(name is not None for _, name in named):
        return _decline(Hesitation.ONLY_ONE_WITNESS)
    if any(reading.is_supported for reading, _ in named):
        return _decline(Hesitation.NO_WORD_FOR_IT)
    return _praise(findings, dish)


def _praise(findings: CookFindings, dish: DishText) -> Judgement:
    """Good is what was seen done well: the pan answered, it held its voice, and where the order counts it was kept."""
    surest = {reading.kind: reading for reading in _pick_surest(findings.readings) if reading.is_supported}
    wanted = [ReadingKind.PAN_ANSWERED, ReadingKind.VOICE_HELD]
    if name_reading(ReadingKind.FIRST_FOOD_WAITED, dish, ()) is not None:
        wanted.insert(0, ReadingKind.JOINED_IN_TIME)
    if any(kind not in surest for kind in wanted):
        return _decline(Hesitation.ORDER_UNCLEAR)
    for kind in (ReadingKind.JOINED_IN_TIME, ReadingKind.VOICE_HELD, ReadingKind.PAN_ANSWERED):
        name = name_reading(kind, dish, ()) if kind in surest else None
        if name is not None:
            return Judgement(
                outcome="good",
                reading=surest[kind],
                name=Name(principle_slug=name.principle_slug),
                done_well=_name_done_well(findings, dish, frozenset()),
                confidence=min(GOOD_CONFIDENCE, *(surest[wish].confidence for wish in wanted)),
            )
    return _decline(Hesitation.NO_WORD_FOR_IT)


def _decline(*reasons: Doubt | Hesitation) -> Judgement:
    return Judgement(outcome="could_not_tell", reasons=reasons)


def _pick_surest(readings: Sequence[Reading]) -> list[Reading]:
    """One reading of each kind, supported ones before suspicions, the surest first."""
    ranked = sorted(readings, key=lambda reading: (not reading.is_supported, -reading.confidence, reading.seconds))
    kinds: dict[ReadingKind, Reading] = {}
    for reading in ranked:
        kinds.setdefault(reading.kind, reading)
    return list(kinds.values())


def _name_done_well(findings: CookFindings, dish: DishText, silenced: frozenset[ReadingKind]) -> tuple[str, ...]:
    slugs: list[str] = []
    for reading in findings.readings:
        if reading.kind in MISHAPS or reading.kind in silenced or not reading.is_supported:
            continue
        name = name_reading(reading.kind, dish, ())
        if name is not None and name.principle_slug not in slugs:
            slugs.append(name.principle_slug)
    return tuple(slugs)
