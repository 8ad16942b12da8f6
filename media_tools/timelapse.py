"""Plans the intro: the whole cook in the length of the narration, at a cost that does not grow with the video."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from media_tools.film_clock import (
    FRAMES_PER_SECOND,
    SHORTEST_SHOT_FRAMES,
    count_frames,
    find_usable_window,
    to_seconds,
)

BEAT_SPEED = 1.75
BEAT_SECONDS = 2.5
MOST_BEATS = 16
FASTEST_WHOLE = 2.5
"""Up to this speed the whole cook is decoded: beats would leave out too little to pay for their seeks."""
SLOWEST = 0.5
STRETCH_SECONDS = 1.0
STILL_SECONDS = 4.0
MOST_SLACK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A piece of the footage, shown for `frames` frames from `start_seconds` of the file on.

    `moving`: at `speed` times its own speed. `still`: the frame at `start_seconds` under a slow zoom; speed is 0.
    `slack_seconds`: how much earlier it may start where a key frame lies there, which saves decoding up to the start.
    """

    kind: Literal["moving", "still"]
    start_seconds: float
    frames: int
    speed: float
    slack_seconds: float = 0.0

    @property
    def source_seconds(self) -> float:
        """How much of the file is shown."""
        return to_seconds(self.frames) * self.speed

    @property
    def end_seconds(self) -> float:
        """Where in the file it ends."""
        return self.start_seconds + self.source_seconds


def plan_timelapse(duration_seconds: float, narration_seconds: float) -> tuple[Shot, ...]:
    """Shots that add up to the narration's length, in whole frames.

    A cook up to 2.5 times as long as the narration is shown whole in one shot; of a longer one, beats of some seconds,
    sped up a little, are spread from its beginning to its end, so that the cost stays flat. A cook shorter than the
    narration plays once at its own speed, then again at half speed, never slower; what remains is filled with slow
    zooms over its stills.
    """
    first_seconds, last_seconds = find_usable_window(duration_seconds)
    frames = max(1, count_frames(narration_seconds))
    speed = (last_seconds - first_seconds) / to_seconds(frames)
    if speed > FASTEST_WHOLE:
        return tuple(_spread_beats(first_seconds, last_seconds, frames))
    if speed >= 1 or to_seconds(frames) * (1 - speed) < min(STRETCH_SECONDS, to_seconds(frames) / 10):
        return (Shot(kind="moving", start_seconds=first_seconds, frames=frames, speed=speed),)
    return tuple(_stretch(first_seconds, last_seconds, frames))


def _spread_beats(first_seconds: float, last_seconds: float, frames: int) -> Iterator[Shot]:
    wanted = max(2, min(MOST_BEATS, round(to_seconds(frames) / BEAT_SECONDS)))
    beats = max(1, min(wanted, frames // SHORTEST_SHOT_FRAMES))
    lengths = [frames * (beat + 1) // beats - frames * beat // beats for beat in range(beats)]
    longest_seconds = to_seconds(max(lengths)) * BEAT_SPEED
    spacing_seconds = (last_seconds - first_seconds - longest_seconds) / max(1, beats - 1)
    slack_seconds = min(MOST_SLACK_SECONDS, spacing_seconds - longest_seconds) if beats > 1 else 0.0
    for beat, length in enumerate(lengths):
        yield Shot(
            kind="moving",
            start_seconds=first_seconds + beat * spacing_seconds,
            frames=length,
            speed=BEAT_SPEED,
            slack_seconds=max(0.0, slack_seconds) if beat else 0.0,
        )


def _stretch(first_seconds: float, last_seconds: float, frames: int) -> Iterator[Shot]:
    """Once at its own speed, once at half speed, then stills: the film never shows less than it could."""
    once = min(frames, int((last_seconds - first_seconds) * FRAMES_PER_SECOND + 1e-6))
    slow = min(frames - once, int(once / SLOWEST))
    rest = frames - once - slow
    if 0 < rest < SHORTEST_SHOT_FRAMES:
        taken = min(slow, SHORTEST_SHOT_FRAMES - rest)
        slow, rest = slow - taken, rest + taken
    if once:
        yield Shot(kind="moving", start_seconds=first_seconds, frames=once, speed=1.0)
    if slow:
        yield Shot(kind="moving", start_seconds=first_seconds, frames=slow, speed=SLOWEST)
    stills = round(rest / (STILL_SECONDS * FRAMES_PER_SECOND)) or (1 if rest else 0)
    for still in range(stills):
        yield Shot(
            kind="still",
            start_seconds=first_seconds + (last_seconds - first_seconds) * (still + 0.5) / stills,
            frames=rest * (still + 1) // stills - rest * still // stills,
            speed=0.0,
        )
