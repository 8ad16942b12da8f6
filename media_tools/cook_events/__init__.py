"""Finds what happens in a film of a cook, from its sound and its picture, without any model.

`watch_cook` is the door; what it finds is in `findings`. Facts of pans and sounds only: no dish, no principle.
"""

from media_tools.cook_events.findings import (
    MISHAPS,
    Appearance,
    CookFindings,
    Doubt,
    Happening,
    HappeningKind,
    Reading,
    ReadingKind,
    Witness,
)
from media_tools.cook_events.watch import watch_cook

__all__ = [
    "MISHAPS",
    "Appearance",
    "CookFindings",
    "Doubt",
    "Happening",
    "HappeningKind",
    "Reading",
    "ReadingKind",
    "Witness",
    "watch_cook",
]
