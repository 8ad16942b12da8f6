"""The film's clock: everything is counted in frames, so that picture and sound end on the same sample."""

import math

FRAMES_PER_SECOND = 30
SAMPLE_RATE_HZ = 48_000
SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // FRAMES_PER_SECOND

MARGIN_SECONDS = 1.0
SHORTEST_SHOT_FRAMES = FRAMES_PER_SECOND
"""Anything shorter than a second is a flash, not a shot."""


def count_frames(seconds: float) -> int:
    """The frames that hold `seconds` whole: rounded up, because speech is never cut."""
    return math.ceil(seconds * FRAMES_PER_SECOND - 1e-6)


def to_seconds(frames: int) -> float:
    """How long so many frames last."""
    return frames / FRAMES_PER_SECOND


def find_usable_window(duration_seconds: float) -> tuple[float, float]:
    """Where footage may be shown from: all of it but the first and the last second.

    There the camera is put up and taken down, and what is seen is a hand. Of a file shorter than three seconds the
    middle third remains.
    """
    margin_seconds = min(MARGIN_SECONDS, duration_seconds / 3)
    return margin_seconds, duration_seconds - margin_seconds
