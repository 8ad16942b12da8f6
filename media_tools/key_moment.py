"""Plans the key clip: the moment at its own speed, again in slow motion, then its frame, as long as the voice needs."""

from dataclasses import dataclass

from media_tools.film_clock import (
    FRAMES_PER_SECOND,
    SHORTEST_SHOT_FRAMES,
    count_frames,
    find_usable_window,
    to_seconds,
)

CLIP_SECONDS = 15.0
LEAD_SECONDS = 2.0
REPLAY_SPEED = 0.5
REPLAY_LEAD_SECONDS = 1.0
REPLAY_SOURCE_SECONDS = 3.0
LAST_LOOK_SECONDS = 1.0
"""What is still shown behind the moment when a pass is cut to make room for a replay that is long enough to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyClip:
    """What the key clip shows, in whole frames: first the pass at own speed, then the replay, then the still.

    Seconds are the footage's; `moment_seconds` lies within the pass, and is what the still shows.
    """

    start_seconds: float
    moment_seconds: float
    pass_frames: int
    replay_start_seconds: float
    replay_frames: int
    still_frames: int

    @property
    def frames(self) -> int:
        return self.pass_frames + self.replay_frames + self.still_frames

    @property
    def moment_frame(self) -> int:
        """Which frame of the clip shows the moment first."""
        return min(self.pass_frames - 1, round((self.moment_seconds - self.start_seconds) * FRAMES_PER_SECOND))

    @property
    def replay_source_seconds(self) -> float:
        return to_seconds(self.replay_frames) * REPLAY_SPEED


def plan_key_clip(duration_seconds: float, moment_seconds: float, narration_seconds: float) -> KeyClip:
    """A clip of 15 s, or of the narration's length where that is longer.

    It starts two seconds before the moment, and earlier where the end of the footage is near. What the footage cannot
    fill is filled by a replay of the moment at half speed and then by the moment's own frame, never by what the file
    ends with. A moment outside the usable footage is moved to its nearest frame.
    """
    first_seconds, last_seconds = find_usable_window(duration_seconds)
    moment_seconds = min(max(moment_seconds, first_seconds), last_seconds - to_seconds(1))
    frames = max(count_frames(CLIP_SECONDS), count_frames(narration_seconds))
    wanted_seconds = min(CLIP_SECONDS, last_seconds - first_seconds)
    start_seconds = max(first_seconds, min(moment_seconds - LEAD_SECONDS, last_seconds - wanted_seconds))
    shown = max(1, min(frames, int((last_seconds - start_seconds) * FRAMES_PER_SECOND + 1e-6)))
    if 0 < frames - shown < SHORTEST_SHOT_FRAMES:
        shown = _make_room(shown, frames, moment_seconds - start_seconds)
    replay_start_seconds = max(start_seconds, moment_seconds - REPLAY_LEAD_SECONDS)
    replay_end_seconds = min(replay_start_seconds + REPLAY_SOURCE_SECONDS, start_seconds + to_seconds(shown))
    replay = min(
        frames - shown, int((replay_end_seconds - replay_start_seconds) / REPLAY_SPEED * FRAMES_PER_SECOND + 1e-6)
    )
    still = frames - shown - replay
    if 0 < still < SHORTEST_SHOT_FRAMES:
        taken = min(replay, SHORTEST_SHOT_FRAMES - still)
        replay, still = replay - taken, still + taken
    return KeyClip(
        start_seconds=start_seconds,
        moment_seconds=moment_seconds,
        pass_frames=shown,
        replay_start_seconds=replay_start_seconds,
        replay_frames=replay,
        still_frames=still,
    )


def _make_room(shown: int, frames: int, lead_seconds: float) -> int:
    """A pass that ends earlier, so that the replay behind it is no flash; never before the moment is seen."""
    seen = count_frames(lead_seconds + LAST_LOOK_SECONDS)
    return max(min(shown, seen), frames - SHORTEST_SHOT_FRAMES)
