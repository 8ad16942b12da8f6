"""Lists what happens in a film of a cook, in order of time."""

from collections.abc import Iterator, Sequence

import numpy as np

from media_tools.cook_events.findings import Happening, HappeningKind
from media_tools.cook_events.frying import Frying
from media_tools.cook_events.readings import COLLAPSE_DB, CREEP_DB, DARKENED, HAZE, Episode, measure_darkening
from media_tools.signals.grid import STEPS_PER_SECOND, Mask, Series, count_steps, find_peaks, find_spans
from media_tools.signals.picture import PictureSignals
from media_tools.signals.sound import SoundSignals

CUT_HISTOGRAM_CHANGE = 0.45
BURNER_DB = 10.0
CHOPPING_KNOCKS_PER_SECOND = 4
CHOPPING_SECONDS = 3.0
STIRRING_SECONDS = 4.0
RESTING_SECONDS = 10.0
END_SECONDS = 3.0


def find_cuts(picture: PictureSignals, is_covered: Mask) -> list[int]:
    """Steps at which the whole picture is suddenly another one, and stays it; neighbours count once.

    A hand that comes before the lens or leaves it is none.
    """
    near_cover = np.convolve(is_covered, np.ones(2 * count_steps(1.5) + 1), "same") > 0
    change = np.where(near_cover, 0.0, picture.histogram_change)
    return find_peaks(change, threshold=CUT_HISTOGRAM_CHANGE, apart_steps=count_steps(1.0))


def list_happenings(
    sound: SoundSignals | None,
    picture: PictureSignals | None,
    frying: Frying | None,
    episodes: Sequence[Episode],
    is_covered: Mask | None,
) -> list[Happening]:
    """Everything that can be named, whether or not it can be judged."""
    found: list[Happening] = []
    if sound is not None and frying is not None:
        found += _find_chopping(sound)
        found += _find_burner(frying)
    if picture is not None and is_covered is not None:
        found += _find_covers(is_covered)
        found += [
            Happening(
                kind=HappeningKind.CUT,
                seconds=step / STEPS_PER_SECOND,
                confidence=0.6,
                measured=f"histogram changed by {picture.histogram_change[step]:.2f}",
            )
            for step in find_cuts(picture, is_covered)
        ]
    for episode in episodes:
        found += _list_episode(episode)
        if picture is not None:
            found += _find_hand(picture, episode)
    return sorted(found, key=lambda happening: happening.seconds)


def _find_chopping(sound: SoundSignals) -> Iterator[Happening]:
    window = count_steps(CHOPPING_SECONDS)
    regular = np.convolve(sound.knocks_per_second >= CHOPPING_KNOCKS_PER_SECOND, np.ones(window) / window, "same") > 0.6
    for start, end in find_spans(regular, bridge_steps=window):
        yield Happening(
            kind=HappeningKind.CHOPPING,
            seconds=start / STEPS_PER_SECOND,
            confidence=0.6,
            measured=f"regular knocks for {(end - start) / STEPS_PER_SECOND:.0f} s",
        )


def _find_burner(frying: Frying) -> Iterator[Happening]:
    """The hum of a gas flame; induction has none, and then nothing is said."""
    rises = frying.hum_rise_db
    for kind, sign in ((HappeningKind.BURNER_LIT, 1), (HappeningKind.BURNER_OFF, -1)):
        for step in find_peaks(sign * rises, threshold=BURNER_DB, apart_steps=count_steps(10.0)):
            # What only the sizzle or a voice did to the low band is no burner.
            if abs(frying.rise_db[step]) < BURNER_DB / 2:
                yield Happening(
                    kind=kind,
                    seconds=step / STEPS_PER_SECOND,
                    confidence=0.5,
                    measured=f"100-500 Hz changed by {rises[step]:+.0f} dB, the sizzle hardly",
                )


def _find_covers(is_covered: Mask) -> Iterator[Happening]:
    for start, _ in find_spans(is_covered, bridge_steps=1):
        yield Happening(
            kind=HappeningKind.CAMERA_COVERED,
            seconds=start / STEPS_PER_SECOND,
            confidence=0.7,
            measured="contrast and detail are gone",
        )


def _list_episode(episode: Episode) -> Iterator[Happening]:
    creeps = episode.missing_db >= CREEP_DB[0]
    yield Happening(
        kind=HappeningKind.SIZZLE_CREEPS_UP if creeps else HappeningKind.SIZZLE_STARTS,
        seconds=episode.onset_seconds,
        confidence=0.7,
        measured=f"frying from here on; 2 s later {episode.missing_db:.0f} dB short of its plateau",
    )
    for addition in episode.additions:
        if addition.brightening < 0:
            continue
        yield Happening(
            kind=HappeningKind.FOOD_ADDED,
            seconds=addition.seconds,
            confidence=round(min(0.8, 0.4 + addition.look_change / 100 + abs(addition.jump_db) / 100), 2),
            measured=f"look changed by {addition.look_change:.0f}, brightness by {addition.brightening:+.0f}, "
            f"sizzle by {addition.jump_db:+.0f} dB",
            appearance=addition.appearance,
        )
    yield from _find_collapses(episode)
    began, height = episode.find_haze()
    if height >= HAZE[0]:
        yield Happening(
            kind=HappeningKind.HAZE_RISES,
            seconds=began / STEPS_PER_SECOND,
            confidence=0.6,
            measured=f"shadows lifted and contrast lost by {height:.0f}",
        )
        darkened = measure_darkening(episode.work, began, episode.span.end_step)
        if darkened >= DARKENED[0]:
            yield Happening(
                kind=HappeningKind.FOOD_DARKENS,
                seconds=began / STEPS_PER_SECOND,
                confidence=0.6,
                measured=f"the work area lost {darkened:.0f} of brightness while its surrounding gained",
            )


def _find_collapses(episode: Episode) -> Iterator[Happening]:
    """Sudden losses within the span while the burner is still on; after it is off a pan falls silent by itself."""
    hum = episode.frying.hum_db
    falls = np.zeros(len(episode.frying.rise_db))
    inside = slice(episode.span.start_step + count_steps(2.0), episode.span.end_step - count_steps(3.0))
    falls[inside] = -episode.frying.rise_db[inside]
    for step in find_peaks(falls, threshold=COLLAPSE_DB[0], apart_steps=count_steps(6.0)):
        usual_hum = float(np.median(hum[episode.span.start_step : step]))
        if hum[min(step + 2, len(hum) - 1)] > usual_hum - BURNER_DB:
            yield Happening(
                kind=HappeningKind.SIZZLE_COLLAPSES,
                seconds=step / STEPS_PER_SECOND,
                confidence=0.6,
                measured=f"2-7.6 kHz down by {falls[step]:.0f} dB while the burner hums on",
            )


def _find_hand(picture: PictureSignals, episode: Episode) -> Iterator[Happening]:
    """Long vigorous stirring and long rests, where the film was looked at closely."""
    motion: Series = picture.motion
    known = np.isfinite(motion)
    if known.sum() < count_steps(RESTING_SECONDS):
        return
    quiet = float(np.percentile(motion[known], 15))
    inside = np.zeros(len(motion), dtype=np.bool_)
    inside[episode.span.start_step : episode.span.end_step] = True
    for kind, mask, seconds in (
        (HappeningKind.VIGOROUS_STIRRING, known & (motion > 1.7 * quiet + 2), STIRRING_SECONDS),
        (HappeningKind.HAND_RESTS, known & (motion < 1.25 * quiet + 0.3), RESTING_SECONDS),
    ):
        for start, end in find_spans(mask & inside, bridge_steps=2):
            if end - start >= count_steps(seconds):
                yield Happening(
                    kind=kind,
                    seconds=start / STEPS_PER_SECOND,
                    confidence=0.5,
                    measured=f"for {(end - start) / STEPS_PER_SECOND:.0f} s",
                )
