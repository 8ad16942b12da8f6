"""Reads a span of frying: what went wrong or well in the pan, each with the witnesses that say so.

A threshold is where a witness begins to speak, the figure beside it where it leaves nothing open; all were set on
sample cooks with seeds under 100 and on films in which nothing is fried.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from media_tools.cook_events.additions import Addition
from media_tools.cook_events.findings import Reading, ReadingKind, Sense, Witness
from media_tools.cook_events.frying import Frying, FryingSpan
from media_tools.cook_events.work import HAZE_TRACE, Work
from media_tools.signals.grid import STEPS_PER_SECOND, Series, count_steps

OPAQUE = (36.0, 75.0)  # more than oil alone
ADDED = (18.0, 40.0)  # scores of additions
ANSWER_DB = (8.0, 18.0)
ANSWER_WITHIN_SECONDS = 2.5
AFTER_ONSET_SECONDS = 2.0
CREEP_DB = (6.0, 13.0)  # still missing to the plateau two seconds after the onset
PLATEAU_SECONDS = 15.0
LEAP_DB = 9.0
SILENT_AT_ADDITION_DB = 4.0
LEAST_SILENT_SECONDS = 2.5
COLLAPSE_DB = (5.0, 12.0)
MOST_GAIN_DB = 8.0
FLAME_OFF_DB = 6.0
TAIL_SECONDS = 8.0
HAZE = (9.0, 22.0)
HAZE_STARTS = 0.4  # of its height
DARKENED = (10.0, 25.0)
UNSEEN_DARKENING = 18.0
WAITED_SECONDS = (14.0, 20.0)
IN_TIME_SECONDS = 9.5
FADED_DB = (1.5, 4.0)
SUDDEN_DB = 4.0
STIRRED_UP_DB = (3.0, 6.0)
# An egg that went into a hot pan is firm about that long after.
SETS_SECONDS = 7.0
HELD_DB = -2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Episode:
    """One span of frying with all that was measured around it."""

    span: FryingSpan
    frying: Frying
    work: Work
    additions: Sequence[Addition]
    cut_steps: Sequence[int]

    @property
    def onset_seconds(self) -> float:
        return self.span.onset_step / STEPS_PER_SECOND

    @property
    def missing_db(self) -> float:
        """How far under its plateau the sizzle still is soon after its onset, by itself or over the burner's hum."""
        return max(self._measure_missing(series) for series in (self.frying.sizzle_db, self.frying.steady_db))

    def _measure_missing(self, level: Series) -> float:
        start, last = self.span.onset_step, self.span.end_step - 1
        plateau = level[start : min(last + 1, start + count_steps(PLATEAU_SECONDS))]
        return float(np.percentile(plateau, 80) - level[min(start + count_steps(AFTER_ONSET_SECONDS), last)])

    def find_answered(self) -> Addition | None:
        """What went in as the sizzle began, if the sizzle began at once."""
        if self.missing_db >= CREEP_DB[0]:
            return None
        near = [a for a in self.additions if abs(a.seconds - self.onset_seconds) <= ANSWER_WITHIN_SECONDS]
        answered = [a for a in near if a.jump_db >= ANSWER_DB[0] and a.brightening > 0]
        return max(answered, key=lambda addition: addition.jump_db, default=None)

    def leaps_after_onset(self) -> bool:
        """Whether the sizzle leaps up within a second later than at its onset: then what came before was hardly one."""
        start = self.span.onset_step + count_steps(3.0)
        level = self.frying.sizzle_db[start : start + count_steps(PLATEAU_SECONDS)]
        return bool(np.any(level[2:] - level[:-2] >= LEAP_DB))

    def find_haze(self) -> tuple[int, float]:
        """The step at which haze begins to rise while it fries or shortly before, and how high it gets."""
        start = max(0, self.span.onset_step - count_steps(10.0))
        haze = self.work.haze[start : self.span.end_step]
        if len(haze) == 0:
            return start, 0.0
        height = float(haze.max())
        return start + int(np.argmax(haze >= max(HAZE_TRACE / 2, HAZE_STARTS * height))), height

    def is_cut_between(self, first: Addition, second: Addition) -> bool:
        return any(first.step <= cut <= second.step for cut in self.cut_steps)


def read_episode(episode: Episode) -> list[Reading]:
    """All readings of the episode, also those that only one witness speaks for."""
    found = [
        *_read_cold_pan(episode),
        *_read_collapse(episode),
        *_read_haze(episode),
        *_read_waiting(episode),
        *_read_answer(episode),
        *_read_joining(episode),
    ]
    return sorted(found, key=lambda reading: reading.seconds)


def _speak(sense: Sense, value: float, thresholds: tuple[float, float], measured: str) -> Iterator[Witness]:
    """A witness where `value` reaches the first threshold; its strength is 1 from the second on."""
    low, high = thresholds
    if value >= low:
        strength = min(1.0, (float(value) - low) / (high - low))
        yield Witness(sense=sense, measured=f"{measured} ({value:.1f})", strength=round(strength, 3))


def _read_cold_pan(episode: Episode) -> Iterator[Reading]:
    """Food lay in the pan before it could sizzle, and then the sizzle only crept up.

    That it came at all says that the microphone could hear it.
    """
    onset = episode.onset_seconds
    waiting = [
        addition
        for addition in episode.additions
        if addition.seconds <= onset - LEAST_SILENT_SECONDS
        and min(addition.jump_db, addition.steady_lasting_db) < SILENT_AT_ADDITION_DB
        and addition.score >= OPAQUE[0]
    ]
    if not waiting or episode.find_answered() or episode.leaps_after_onset():
        return
    food = max(waiting, key=lambda addition: addition.score)
    silent_seconds = onset - food.seconds
    witnesses = [
        *_speak("picture", food.score, OPAQUE, f"food in {silent_seconds:.1f} s before any sizzle"),
        *_speak("sound", episode.missing_db, CREEP_DB, "dB short of its plateau 2 s after the sizzle began"),
    ]
    yield Reading(kind=ReadingKind.FOOD_MET_COLD_PAN, seconds=food.seconds, witnesses=tuple(witnesses))


def _read_collapse(episode: Episode) -> Iterator[Reading]:
    """The pan was frying, the sizzle fell as something went in, and stayed down though the burner burned on."""
    last = (episode.span.end_step / STEPS_PER_SECOND) - TAIL_SECONDS
    for addition in episode.additions:
        if addition.seconds > last or addition.hum_change_db < -FLAME_OFF_DB or addition.brightening <= 0:
            continue
        before = episode.frying.is_noise[max(0, addition.step - count_steps(4.0)) : addition.step]
        if addition.seconds < episode.onset_seconds + 1 or before.mean() < 0.5:
            continue
        sound = list(_speak("sound", _measure_fall(addition), COLLAPSE_DB, "dB less sizzle for six seconds"))
        if sound:
            seen = _speak("picture", addition.score, ADDED, "the pan's look changed as it went in")
            yield Reading(kind=ReadingKind.PAN_LOST_ITS_VOICE, seconds=addition.seconds, witnesses=(*sound, *seen))


def _measure_fall(addition: Addition) -> float:
    """Decibels that the sizzle lost. A phone's automatic gain hides part of it, and lifts the burner's hum by as much.

    What lifts the hum further is a voice or a motor, and says nothing of the sizzle.
    """
    if addition.lasting_db <= 0 <= addition.hum_change_db <= MOST_GAIN_DB:
        return -min(addition.lasting_db, addition.steady_lasting_db)
    return -addition.lasting_db


def _read_haze(episode: Episode) -> Iterator[Reading]:
    """Haze rose while it fried; what lay in the pan darkened as the room grew lighter.

    A trace of haze speaks for nothing, but is told: it forbids praise.
    """
    began, height = episode.find_haze()
    if height < HAZE_TRACE:
        return
    witnesses = list(_speak("picture", height, HAZE, "shadows lifted and contrast lost for six seconds"))
    fed = [addition for addition in episode.additions if addition.step <= began]
    if fed:
        darkened = measure_darkening(episode.work, began, episode.span.end_step)
        witnesses += _speak("picture", darkened, DARKENED, "the food grew darker while the room grew lighter")
    kind = ReadingKind.SMOKED_WHILE_FRYING if fed else ReadingKind.SMOKED_BEFORE_FOOD
    yield Reading(kind=kind, seconds=began / STEPS_PER_SECOND, witnesses=tuple(witnesses))


def measure_darkening(work: Work, began: int, end: int) -> float:
    """How much darker the food became while haze rose, on the scale of 0 to 255.

    A veil of brightness A and opacity a turns a luma L into (1 - a) L + a A: contrast and shadows before and after
    give a and A, and so what the food looks like behind it. Since steam lies on a lens unevenly, the food must not
    have grown much lighter to the eye either; 0 where the surrounding did not.
    """
    before = slice(max(0, began - count_steps(8.0)), began + count_steps(1.0))
    after = slice(began + count_steps(3.0), min(end, began + count_steps(14.0)))
    if after.stop - after.start < 4 or np.median(work.surrounding[after]) <= np.median(work.surrounding[before]):
        return 0.0
    opacity = 1 - float(np.median(work.contrast[after]) / max(1.0, float(np.median(work.contrast[before]))))
    opacity = min(0.8, max(0.01, opacity))
    shadow = float(np.median(work.shadow[before]))
    veil = (float(np.median(work.shadow[after])) - (1 - opacity) * shadow) / opacity
    seen_before, seen_after = float(np.median(work.brightness[before])), float(np.median(work.brightness[after]))
    behind = (seen_after - opacity * veil) / (1 - opacity)
    return min(seen_before - behind, seen_before - seen_after + UNSEEN_DARKENING)


def _find_pair(episode: Episode) -> tuple[Addition, Addition] | None:
    """The food that the pan answered, and what went in after it."""
    first = episode.find_answered()
    if first is None:
        return None
    later = [a for a in episode.additions if a.step > first.step and a.brightening > 0]
    return None if not later or episode.is_cut_between(first, later[0]) else (first, later[0])


def _read_waiting(episode: Episode) -> Iterator[Reading]:
    """The first food fried alone for long: its sizzle faded, and woke up when the next went in."""
    pair = _find_pair(episode)
    if pair is None:
        return
    first, second = pair
    gap_seconds = second.seconds - first.seconds
    if gap_seconds < WAITED_SECONDS[0] or _has_sudden_change(episode.frying, first.step, second.step):
        return
    witnesses = [
        *_speak("picture", gap_seconds, WAITED_SECONDS, "seconds until the next went in"),
        *_speak("sound", _measure_fading(episode.frying, first.step, second.step), FADED_DB, "dB faded meanwhile"),
        *_speak("sound", second.jump_db, STIRRED_UP_DB, "dB louder when the next went in"),
    ]
    yield Reading(kind=ReadingKind.FIRST_FOOD_WAITED, seconds=first.seconds + SETS_SECONDS, witnesses=tuple(witnesses))


def _has_sudden_change(frying: Frying, first: int, second: int) -> bool:
    """Whether the sizzle jumped or fell between the two: then something went in or happened that was not seen."""
    between = np.abs(frying.rise_db[first + count_steps(4.0) : second - count_steps(3.0)])
    return bool(len(between) and between.max() >= SUDDEN_DB)


def _measure_fading(frying: Frying, first: int, second: int) -> float:
    """Decibels lost between the first food's best seconds and the last before the next."""
    window = count_steps(3.0)
    early, late = slice(first + 3, first + 3 + window), slice(second - 1 - window, second - 1)
    return max(float(np.median(s[early]) - np.median(s[late])) for s in (frying.sizzle_db, frying.steady_db))


def _read_answer(episode: Episode) -> Iterator[Reading]:
    """The pan answered the first food at once, and kept its voice."""
    first = episode.find_answered()
    if first is None:
        return
    witnesses = (
        *_speak("sound", first.jump_db, ANSWER_DB, "dB more sizzle at once"),
        *_speak("picture", first.score, ADDED, "the pan's look changed as it went in"),
    )
    yield Reading(kind=ReadingKind.PAN_ANSWERED, seconds=first.seconds, witnesses=witnesses)


def _read_joining(episode: Episode) -> Iterator[Reading]:
    """The next food joined soon, and the pan held its voice."""
    pair = _find_pair(episode)
    if pair is None:
        return
    first, second = pair
    held_db = min(second.lasting_db, second.steady_lasting_db)
    if held_db < HELD_DB:
        return
    seen = tuple(_speak("picture", second.score, ADDED, "the pan's look changed as the next went in"))
    heard = tuple(_speak("sound", held_db, (HELD_DB, HELD_DB + 6), "dB of change in the sizzle"))
    yield Reading(kind=ReadingKind.VOICE_HELD, seconds=second.seconds, witnesses=(*seen, *heard))
    if second.seconds - first.seconds <= IN_TIME_SECONDS:
        yield Reading(kind=ReadingKind.JOINED_IN_TIME, seconds=second.seconds, witnesses=(*seen, *heard))
