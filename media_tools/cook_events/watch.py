"""Watches a film of a cook from end to end at a bounded cost: the sound first, then key frames, then what matters.

Decoding every picture costs some sixty times the sound, key frames a twelfth of that. So a short film is looked at
closely as a whole, and of a long one only the seconds around what the sound and the key frames point at.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from media_tools.cook_events.additions import find_additions
from media_tools.cook_events.findings import CookFindings, Doubt, Reading
from media_tools.cook_events.frying import Frying, listen_for_frying
from media_tools.cook_events.happenings import find_cuts, list_happenings
from media_tools.cook_events.readings import Episode, read_episode
from media_tools.cook_events.work import HAZE_TRACE, find_covered, watch_work
from media_tools.errors import MediaLimitExceeded
from media_tools.ffmpeg import DEFAULT_LIMITS, Limits
from media_tools.signals.grid import STEPS_PER_SECOND, count_steps
from media_tools.signals.picture import Look, PictureSignals, combine_looks, look_at_key_frames, look_closely
from media_tools.signals.sound import SoundSignals, measure_sound

CLOSE_WHOLE_SECONDS = 100.0
CLOSE_BUDGET_SECONDS = 120.0
WINDOW_BEFORE_SECONDS, WINDOW_AFTER_SECONDS = 6.0, 9.0
MERGED_SECONDS = 4.0
BEFORE_FRYING_SECONDS = 25.0
DARK_HIGHLIGHT = 48.0
LIVELY_CHANGE = 0.4  # mean change of the liveliest cells, of 255

Window = tuple[float, float]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What is watched, and on what terms."""

    source: Path | str
    duration_seconds: float
    cancel: threading.Event | None
    ends_at: float

    @property
    def limits(self) -> Limits:
        """What is left of the time, as the limits of the next FFmpeg. Raises MediaLimitExceeded where nothing is."""
        left_seconds = self.ends_at - time.monotonic()
        if left_seconds <= 0:
            raise MediaLimitExceeded("the time for watching the film is over", limit="wall")
        return replace(DEFAULT_LIMITS, wall_seconds=left_seconds, cpu_seconds=math.ceil(left_seconds))


def watch_cook(
    source: Path | str,
    *,
    duration_seconds: float,
    has_audio: bool,
    cancel: threading.Event | None = None,
    on_progress: Progress | None = None,
    deadline_seconds: float = 1200.0,
) -> CookFindings:
    """Everything that can be heard and seen of frying in `source`, a file or an own https URL that passed the probe.

    `on_progress` gets rising whole percents. Raises MediaCancelled, MediaLimitExceeded at the deadline, and
    MediaToolFailed where the film cannot be read.
    """
    film = _Source(
        source=source, duration_seconds=duration_seconds, cancel=cancel, ends_at=time.monotonic() + deadline_seconds
    )
    tell = on_progress or (lambda percent: None)
    sound = measure_sound(source, cancel=cancel, limits=film.limits) if has_audio else None
    frying = listen_for_frying(sound) if sound is not None else None
    tell(15)
    picture = _look(film, frying, tell)
    episodes = _build_episodes(frying, picture)
    tell(95)
    happenings = list_happenings(sound, picture, frying, episodes, None if picture is None else find_covered(picture))
    readings: list[Reading] = []
    for episode in episodes:
        readings += read_episode(episode)
    return CookFindings(
        duration_seconds=duration_seconds,
        happenings=tuple(happenings),
        readings=tuple(readings),
        doubts=tuple(_find_doubts(sound, frying, picture, episodes)),
    )


def _look(film: _Source, frying: Frying | None, tell: Progress) -> PictureSignals | None:
    """The picture, closely where something may have happened in the pan."""
    if film.duration_seconds <= CLOSE_WHOLE_SECONDS:
        looks = _look_within(film, (0.0, film.duration_seconds))
        tell(90)
        return combine_looks(looks, duration_seconds=film.duration_seconds)
    looks = look_at_key_frames(film.source, cancel=film.cancel, limits=film.limits)
    tell(50)
    picture = combine_looks(looks, duration_seconds=film.duration_seconds)
    windows = choose_windows(_build_episodes(frying, picture), picture, duration_seconds=film.duration_seconds)
    for done, window in enumerate(windows, start=1):
        looks += _look_within(film, window)
        tell(50 + 40 * done // len(windows))
    return combine_looks(looks, duration_seconds=film.duration_seconds)


def _look_within(film: _Source, window: Window) -> list[Look]:
    start, end = window
    return look_closely(
        film.source,
        start_seconds=start,
        length_seconds=end - start,
        cancel=film.cancel,
        limits=film.limits,
    )


def choose_windows(
    episodes: Sequence[Episode], picture: PictureSignals | None, *, duration_seconds: float
) -> list[Window]:
    """The seconds worth a close look: onsets, additions, collapses and haze, the strongest first, within the budget."""
    if picture is None:
        return []
    moments: list[tuple[float, float]] = []  # weight, seconds
    for episode in episodes:
        moments.append((3.0, episode.onset_seconds))
        moments += [(a.look_change / 10 + abs(a.jump_db) / 5, a.seconds) for a in episode.additions]
        haze_step, height = episode.find_haze()
        if height >= HAZE_TRACE:
            moments.append((3.0, haze_step / STEPS_PER_SECOND))
    windows: list[Window] = []
    for _, seconds in sorted(moments, reverse=True):
        slack = float(picture.gap_seconds[min(len(picture) - 1, round(seconds * STEPS_PER_SECOND))])
        start = max(0.0, seconds - WINDOW_BEFORE_SECONDS - slack)
        end = min(duration_seconds, seconds + WINDOW_AFTER_SECONDS + slack)
        grown = _merge(sorted([*windows, (start, end)]))
        if sum(last - first for first, last in grown) <= CLOSE_BUDGET_SECONDS:
            windows = grown
    return windows


def _merge(windows: Sequence[Window]) -> list[Window]:
    merged: list[Window] = []
    for start, end in windows:
        if merged and start - merged[-1][1] <= MERGED_SECONDS:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _build_episodes(frying: Frying | None, picture: PictureSignals | None) -> list[Episode]:
    if frying is None or picture is None:
        return []
    cut_steps = find_cuts(picture, find_covered(picture))
    is_cut = np.zeros(len(picture), dtype=np.bool_)
    is_cut[cut_steps] = True
    frying = frying.fit_to(len(picture))
    episodes: list[Episode] = []
    for span in frying.spans:
        start = span.onset_step - count_steps(BEFORE_FRYING_SECONDS)
        work = watch_work(picture, start_step=start, end_step=span.end_step)
        additions = find_additions(frying, work, span, is_cut=is_cut)
        episodes.append(Episode(span=span, frying=frying, work=work, additions=additions, cut_steps=cut_steps))
    return episodes


def _find_doubts(
    sound: SoundSignals | None, frying: Frying | None, picture: PictureSignals | None, episodes: Sequence[Episode]
) -> list[Doubt]:
    """Why the film cannot be judged at all; empty where it can."""
    doubts: list[Doubt] = []
    if sound is None:
        doubts.append(Doubt.NO_SOUND_TRACK)
    elif sound.is_silent:
        doubts.append(Doubt.SOUND_IS_SILENT)
    elif frying is None or not frying.spans:
        doubts.append(Doubt.NO_SOUND_OF_FRYING)
    if picture is None:
        doubts.append(Doubt.NO_PICTURE)
    elif float(np.median(picture.highlight)) < DARK_HIGHLIGHT:
        doubts.append(Doubt.PICTURE_TOO_DARK)
    elif float(np.percentile(picture.cells[..., 3], 95)) / 4 < LIVELY_CHANGE:
        doubts.append(Doubt.PICTURE_HARDLY_CHANGES)
    if not doubts and not any(episode.additions for episode in episodes):
        doubts.append(Doubt.NO_FOOD_SEEN_GOING_IN)
    return doubts
