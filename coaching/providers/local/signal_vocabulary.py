"""Which principles and mistakes of a dish a reading of sound and picture may be called by.

A table, not a chain of dishes: a reading is named by the first of its names that is in the dish's vocabulary. Where
the dish does on purpose what elsewhere is a mistake (garlic begins in cold oil, tomatoes quiet the pan, a steak
browns), the principle that says so forbids the reading.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from coaching.providers.ports import DishText
from media_tools.cook_events import HappeningKind, ReadingKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A principle, with its mistake where the reading is a mishap.

    `needs`: something else that must have happened for just this name to fit.
    """

    principle_slug: str
    mistake_slug: str = ""
    needs: HappeningKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How one reading is called. `forbidden_by`: principles of a dish in which it means something else.

    `order`: principles whose key points must come in this order in the dish, since pictures cannot tell foods apart.
    `silences`: what went well by itself, but is not worth praising beside this mishap.
    """

    names: tuple[Name, ...]
    forbidden_by: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()
    silences: frozenset[ReadingKind] = frozenset()


# The egg is fried alone and the grains join it: only then is the first food an egg and the second rice.
EGG_THEN_GRAINS = ("egg_timing", "grain_separation")

NAMINGS: dict[ReadingKind, Naming] = {
    ReadingKind.FOOD_MET_COLD_PAN: Naming(
        names=(
            Name(principle_slug="preheat_pan", mistake_slug="cold_pan_start"),
            Name(principle_slug="oil_temperature_reading", mistake_slug="oil_cold"),
        ),
        forbidden_by=frozenset({"gentle_bloom", "sweat_vegetables"}),
        silences=frozenset({ReadingKind.PAN_ANSWERED}),
    ),
    ReadingKind.PAN_LOST_ITS_VOICE: Naming(
        names=(
            Name(principle_slug="avoid_crowding", mistake_slug="overcrowded_pan"),
            Name(principle_slug="heat_recovery", mistake_slug="cold_ingredients_dumped"),
            Name(principle_slug="moisture_control", mistake_slug="waterlogged_pan"),
        ),
        forbidden_by=frozenset({"tomato_breakdown", "reduction", "simmer_control", "lid_use"}),
        silences=frozenset({ReadingKind.VOICE_HELD}),
    ),
    ReadingKind.SMOKED_WHILE_FRYING: Naming(
        names=(
            Name(principle_slug="heat_management", mistake_slug="heat_too_high_throughout"),
            Name(principle_slug="constant_motion", mistake_slug="stirring_too_slow", needs=HappeningKind.HAND_RESTS),
        ),
        forbidden_by=frozenset({"browning"}),
        silences=frozenset({ReadingKind.PAN_ANSWERED, ReadingKind.VOICE_HELD}),
    ),
    ReadingKind.SMOKED_BEFORE_FOOD: Naming(
        names=(
            Name(principle_slug="preheat_pan", mistake_slug="overheated_smoking_pan"),
            Name(principle_slug="oil_temperature_reading", mistake_slug="oil_smoking"),
        ),
        silences=frozenset({ReadingKind.PAN_ANSWERED}),
    ),
    ReadingKind.FIRST_FOOD_WAITED: Naming(
        names=(Name(principle_slug="egg_timing", mistake_slug="over_cook_egg_before_combining"),),
        order=EGG_THEN_GRAINS,
    ),
    ReadingKind.PAN_ANSWERED: Naming(
        names=(Name(principle_slug="preheat_pan"), Name(principle_slug="oil_temperature_reading")),
        forbidden_by=frozenset({"gentle_bloom", "sweat_vegetables"}),
    ),
    ReadingKind.VOICE_HELD: Naming(
        names=(Name(principle_slug="heat_recovery"), Name(principle_slug="avoid_crowding")),
    ),
    ReadingKind.JOINED_IN_TIME: Naming(names=(Name(principle_slug="egg_timing"),), order=EGG_THEN_GRAINS),
}


def name_reading(kind: ReadingKind, dish: DishText, happened: Iterable[HappeningKind]) -> Name | None:
    """What the dish calls this reading, or None where it has no word for it."""
    naming, happened = NAMINGS[kind], set(happened)
    mistakes = {principle.slug: {mistake.slug for mistake in principle.mistakes} for principle in dish.principles}
    if naming.forbidden_by & mistakes.keys() or not _comes_in_order(naming.order, dish):
        return None
    for name in naming.names:
        known = name.principle_slug in mistakes
        if known and name.mistake_slug and name.mistake_slug not in mistakes[name.principle_slug]:
            known = False
        if known and (name.needs is None or name.needs in happened):
            return name
    return None


def _comes_in_order(order: tuple[str, ...], dish: DishText) -> bool:
    places = {point.principle_slug: place for place, point in reversed(list(enumerate(dish.key_points)))}
    found = [places[slug] for slug in order if slug in places]
    return len(found) == len(order) and found == sorted(found)
