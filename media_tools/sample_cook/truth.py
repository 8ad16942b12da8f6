"""What is true of a sample film: which cook it shows, what happened when, and which mistake it holds.

Slugs are those of the dish `fried-rice` in the product's catalogue of principles.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self


class Variant(StrEnum):
    """A cook of egg fried rice: one that goes well, or one with a single mistake."""

    GOOD = "good"
    EGG_OVERCOOKED_BEFORE_RICE = "egg_overcooked_before_rice"
    PAN_NOT_PREHEATED = "pan_not_preheated"
    CROWDED_PAN = "crowded_pan"
    BURNING = "burning"


class Negative(StrEnum):
    """A film that must get "could not tell": nothing is fried in it, or the frying cannot be heard or seen."""

    TAP_RUNNING = "tap_running"
    HOOD_SWITCHED_ON = "hood_switched_on"
    BOILING_WATER = "boiling_water"
    ONLY_SPEECH = "only_speech"
    SILENT_TRACK = "silent_track"
    NO_TRACK = "no_track"
    STATIC_SHOT = "static_shot"
    DARK_SHOT = "dark_shot"


class Verdict(StrEnum):
    """What an honest coach concludes."""

    GOOD = "good"
    MISTAKE = "mistake"
    COULD_NOT_TELL = "could_not_tell"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake of the catalogue with the principle that it breaks."""

    principle_slug: str
    mistake_slug: str


MISTAKES: dict[Variant, Mistake] = {
    Variant.EGG_OVERCOOKED_BEFORE_RICE: Mistake("egg_timing", "over_cook_egg_before_combining"),
    Variant.PAN_NOT_PREHEATED: Mistake("preheat_pan", "cold_pan_start"),
    Variant.CROWDED_PAN: Mistake("avoid_crowding", "overcrowded_pan"),
    Variant.BURNING: Mistake("heat_management", "heat_too_high_throughout"),
}

# The catalogue names some failures twice, from two sides: a judge may give any of these without being wrong.
OTHER_NAMES: dict[Variant, tuple[Mistake, ...]] = {
    Variant.CROWDED_PAN: (
        Mistake("heat_recovery", "cold_ingredients_dumped"),
        Mistake("moisture_control", "waterlogged_pan"),
    ),
    Variant.BURNING: (Mistake("constant_motion", "stirring_too_slow"),),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens in the film, at its second."""

    seconds: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CookTruth:
    """The ground truth of one film. `variant` is the value of a Variant or of a Negative.

    `hidden_variant` says which cook goes on where the film lacks its sound or its picture. `key_moment_seconds` is
    where the mistake shows (or, in a good cook, where the rice joins the egg); None where nothing can be told.
    """

    variant: str
    seed: int
    verdict: Verdict
    duration_seconds: float
    events: tuple[Event, ...]
    principle_slug: str | None
    mistake_slug: str | None
    also_right: tuple[Mistake, ...]
    key_moment_seconds: float | None
    hidden_variant: Variant | None
    conditions: dict[str, Any]

    def find_event(self, label: str) -> float | None:
        """The second of the first event with this label, or None."""
        return next((event.seconds for event in self.events if event.label == label), None)

    def to_json(self) -> str:
        """JSON with the names of the fields; `from_json` reads it back."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The truth that `to_json` wrote. Raises KeyError or ValueError for anything else."""
        fields: dict[str, Any] = json.loads(text)
        hidden = fields["hidden_variant"]
        return cls(
            **fields
            | {
                "verdict": Verdict(fields["verdict"]),
                "events": tuple(Event(**event) for event in fields["events"]),
                "also_right": tuple(Mistake(**mistake) for mistake in fields["also_right"]),
                "hidden_variant": None if hidden is None else Variant(hidden),
            }
        )

    def write(self, path: Path) -> None:
        """Write it as JSON, usually beside the film."""
        path.write_text(self.to_json(), encoding="utf-8")
