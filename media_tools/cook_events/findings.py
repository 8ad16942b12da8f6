"""What can be found in a film of a cook: happenings in time, and readings of them with their witnesses.

Both speak of pans and sounds only. Which principle of which dish a reading touches is for others to say.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Sense = Literal["sound", "picture"]


class HappeningKind(StrEnum):
    """Something that happens at a second of the film."""

    CAMERA_COVERED = "camera_covered"
    CUT = "cut"
    CHOPPING = "chopping"
    BURNER_LIT = "burner_lit"
    BURNER_OFF = "burner_off"
    FOOD_ADDED = "food_added"
    SIZZLE_STARTS = "sizzle_starts"
    SIZZLE_CREEPS_UP = "sizzle_creeps_up"
    SIZZLE_COLLAPSES = "sizzle_collapses"
    HAZE_RISES = "haze_rises"
    FOOD_DARKENS = "food_darkens"
    VIGOROUS_STIRRING = "vigorous_stirring"
    HAND_RESTS = "hand_rests"


class Appearance(StrEnum):
    """How what went in changed the look of the work area; colours do not tell what it is."""

    PALE = "pale"
    GOLDEN = "golden"
    OTHER = "other"


class ReadingKind(StrEnum):
    """What a happening means for the pan. The first five are mishaps, the last three went well."""

    FOOD_MET_COLD_PAN = "food_met_cold_pan"
    PAN_LOST_ITS_VOICE = "pan_lost_its_voice"
    SMOKED_WHILE_FRYING = "smoked_while_frying"
    SMOKED_BEFORE_FOOD = "smoked_before_food"
    FIRST_FOOD_WAITED = "first_food_waited"
    PAN_ANSWERED = "pan_answered"
    VOICE_HELD = "voice_held"
    JOINED_IN_TIME = "joined_in_time"


MISHAPS = frozenset(
    {
        ReadingKind.FOOD_MET_COLD_PAN,
        ReadingKind.PAN_LOST_ITS_VOICE,
        ReadingKind.SMOKED_WHILE_FRYING,
        ReadingKind.SMOKED_BEFORE_FOOD,
        ReadingKind.FIRST_FOOD_WAITED,
    }
)


class Doubt(StrEnum):
    """Why nothing can be told."""

    NO_SOUND_TRACK = "no_sound_track"
    SOUND_IS_SILENT = "sound_is_silent"
    NO_SOUND_OF_FRYING = "no_sound_of_frying"
    NO_PICTURE = "no_picture"
    PICTURE_TOO_DARK = "picture_too_dark"
    PICTURE_HARDLY_CHANGES = "picture_hardly_changes"
    NO_FOOD_SEEN_GOING_IN = "no_food_seen_going_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """`measured` is English with numbers, for the operator."""

    kind: HappeningKind
    seconds: float
    confidence: float
    measured: str
    appearance: Appearance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One measurement that speaks for a reading. `strength` is 0 at its threshold and 1 where nothing is left open."""

    sense: Sense
    measured: str
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`confidence` is at most 0.8: measuring is not seeing. A reading with one witness only is a suspicion."""

    kind: ReadingKind
    seconds: float
    witnesses: tuple[Witness, ...]

    @property
    def confidence(self) -> float:
        strength = sum(witness.strength for witness in self.witnesses) / max(1, len(self.witnesses))
        return round(min(0.8, 0.5 + 0.3 * strength), 3)

    @property
    def is_supported(self) -> bool:
        """Whether two witnesses of different senses, or of different things, agree."""
        return len(self.witnesses) >= 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CookFindings:
    """All that was found, in order of time. `doubts` is not empty where the film cannot be judged at all."""

    duration_seconds: float
    happenings: tuple[Happening, ...]
    readings: tuple[Reading, ...]
    doubts: tuple[Doubt, ...]
