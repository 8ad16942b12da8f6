"""Under which conditions a cook is filmed: what a phone and a kitchen do to sound and picture."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

Window = tuple[float, float]  # from, to, in seconds of the film


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The defaults are a quiet kitchen and a calm hand.

    `automatic_gain`: the phone levels the sound. `gain_db`: how loud it was recorded. `hood_level`: a range hood
    running throughout, 1.0 being a usual one. `speech_windows`: when somebody talks over the cook.
    `jitter_px`: how far the hand sways, in pixels of a film 720 high. `picture_noise`: strength of FFmpeg's noise
    filter, 0 to 100. `automatic_exposure`: the phone follows the light. `lens_steam_windows`: when steam lies on the
    lens. `hand_at_lens`: a hand covers it in the first and last second. `light`: 1.0 is daylight, 0.05 nearly dark.
    """

    automatic_gain: bool = False
    gain_db: float = 0.0
    hood_level: float = 0.0
    speech_windows: tuple[Window, ...] = ()
    jitter_px: float = 3.0
    picture_noise: int = 3
    automatic_exposure: bool = False
    lens_steam_windows: tuple[Window, ...] = ()
    hand_at_lens: bool = True
    light: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.jitter_px <= 8:
            raise ValueError("jitter_px is 0 to 8: the drawing has no more margin")
        if not 0 <= self.picture_noise <= 100:
            raise ValueError("picture_noise is 0 to 100")
        if not 0 < self.light <= 1:
            raise ValueError("light is over 0 and at most 1")
        if self.hood_level < 0:
            raise ValueError("hood_level is not negative")
        _check_windows(self.speech_windows)
        _check_windows(self.lens_steam_windows)

    def describe(self) -> dict[str, Any]:
        """As JSON's types, for the truth of the film."""
        return {
            name: [list(window) for window in value] if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def _check_windows(windows: Sequence[Window]) -> None:
    if any(start < 0 or end <= start for start, end in windows):
        raise ValueError("a window is (from, to) in seconds, from before to")
