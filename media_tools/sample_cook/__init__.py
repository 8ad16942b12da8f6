"""Sample cooks of egg fried rice with ground truth, drawn and sounded by the project itself: nothing is borrowed.

The demo sends them through the product, and tests measure the coach on them. `python -m media_tools.sample_cook`
renders one by hand. Needs Pillow and scipy, which the production image leaves out: of the product itself only
`manage.py evaluate` imports this room, when it draws its golden set.
"""

from media_tools.sample_cook.conditions import Conditions, Window
from media_tools.sample_cook.memo import VoiceMemo, find_memo
from media_tools.sample_cook.render import (
    FULL_FPS,
    FULL_SIZE,
    SMALL_FPS,
    SMALL_SIZE,
    render_cook,
    render_negative,
)
from media_tools.sample_cook.truth import CookTruth, Event, Mistake, Negative, Variant, Verdict

__all__ = [
    "FULL_FPS",
    "FULL_SIZE",
    "SMALL_FPS",
    "SMALL_SIZE",
    "Conditions",
    "CookTruth",
    "Event",
    "Mistake",
    "Negative",
    "Variant",
    "Verdict",
    "VoiceMemo",
    "Window",
    "find_memo",
    "render_cook",
    "render_negative",
]
