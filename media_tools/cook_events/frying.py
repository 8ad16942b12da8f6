"""Finds frying in a cook's sound, and where it rises, creeps up or collapses.

Flat noise comes from hoods, taps, fans and boiling water too. What they lack is the crackle of drops that burst, so a
span counts as frying only when it is loud over the film's own floor, noise-like, crackles, and rose over the low
bands, which a motor or rushing water lifts as well.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from media_tools.signals.grid import (
    Mask,
    Series,
    count_steps,
    find_base,
    find_peaks,
    find_spans,
    measure_rises,
    smooth_by_median,
)
from media_tools.signals.sound import SoundSignals

OVER_FLOOR_DB = 6.0
LEAST_NOISE_LIKENESS = 0.40  # sizzle has 0.45-0.58 also after a poor codec, voices 0.24-0.36
# Flat noise crackles by 1.9-2.3 dB. A spatula on a bowl under a hood does by 3, but not all the time.
LEAST_CRACKLE_DB = 2.4
LEAST_QUIET_CRACKLE_DB = 2.3
MOST_CRACKLE_DB = 8.5  # beyond it are voices and knives
LEAST_BRIGHT_DB = 6.0
JUMP_DB = 8.0
HUM_STEPS = 9
LEAST_FRYING_SECONDS = 5.0
TALKING = 0.6
KNOCKING_PER_SECOND = 4
BRIDGED_SECONDS = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FryingSpan:
    """From `start_step` up to, not including, `end_step`. `crackle_db` is that of its livelier quarter.

    `onset_step`: where the sizzle first jumps up. A phone's automatic gain lifts the room long before that, so the
    span itself may begin too early; where nothing jumps it is the span's start.
    """

    start_step: int
    onset_step: int
    end_step: int
    crackle_db: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frying:
    """`sizzle_db`: the level between syllables and knocks. `steady_db`: the same over the burner's hum, which a
    phone's automatic gain cannot move. `rise_db`, `hum_rise_db`: their change at each step, medians of three seconds.
    `is_noise`: loud over the floor and noise-like. `spans`: where it is frying.
    """

    sizzle_db: Series
    steady_db: Series
    hum_db: Series
    rise_db: Series
    hum_rise_db: Series
    floor_db: float
    is_noise: Mask
    spans: tuple[FryingSpan, ...]

    def fit_to(self, steps: int) -> "Frying":
        """The same over exactly `steps` grid steps: a sound track may end a little before or after the picture."""
        missing = max(0, steps - len(self.sizzle_db))

        def fit(series: Series) -> Series:
            return np.pad(series, (0, missing), mode="edge")[:steps]

        return Frying(
            sizzle_db=fit(self.sizzle_db),
            steady_db=fit(self.steady_db),
            hum_db=fit(self.hum_db),
            rise_db=fit(self.rise_db),
            hum_rise_db=fit(self.hum_rise_db),
            floor_db=self.floor_db,
            is_noise=np.pad(self.is_noise, (0, missing))[:steps],
            spans=tuple(
                replace(span, end_step=min(steps, span.end_step)) for span in self.spans if span.start_step < steps - 1
            ),
        )


def listen_for_frying(sound: SoundSignals) -> Frying | None:
    """None where nothing but speech or silence can be heard."""
    is_voice = _find_voices(sound)
    if sound.is_silent or is_voice.all():
        return None
    sizzle = smooth_by_median(_bridge(sound.sizzle_db, is_voice), 3)
    # A voice lies in the hum's own band: only its pauses show the burner.
    hum = find_base(_bridge(sound.hum_db, is_voice | (sound.speech > TALKING / 3)), HUM_STEPS, 20)
    floor_db = float(np.percentile(sizzle, 10))
    is_noise = (
        ~is_voice
        & (sizzle > floor_db + OVER_FLOOR_DB)
        & (smooth_by_median(sound.noise_likeness, 5) > LEAST_NOISE_LIKENESS)
    )
    steady = sizzle - hum
    window = count_steps(3.0)
    return Frying(
        sizzle_db=sizzle,
        steady_db=steady,
        hum_db=hum,
        rise_db=measure_rises(sizzle, window),
        hum_rise_db=measure_rises(hum, window),
        floor_db=floor_db,
        is_noise=is_noise,
        spans=_find_frying_spans(sound, is_noise, sizzle, steady),
    )


def _bridge(series: Series, hidden: Mask) -> Series:
    """The series with a straight line over what is hidden."""
    if hidden.all():
        return series
    steps = np.arange(len(series))
    return np.interp(steps, steps[~hidden], series[~hidden])


def _find_voices(sound: SoundSignals) -> Mask:
    """Steps at which a voice hides the pan: it is no noise, or nothing behind its syllables fills their gaps."""
    return np.asarray(
        ((sound.speech > TALKING) & (sound.noise_likeness < LEAST_NOISE_LIKENESS))
        | ((sound.speech > TALKING / 3) & (sound.crackle_db > MOST_CRACKLE_DB))
    )


def _find_onset(sizzle: Series, steady: Series, start: int, end: int) -> int:
    window = count_steps(3.0)
    jump = np.minimum(measure_rises(sizzle, window), measure_rises(steady, window) + JUMP_DB / 4)
    inside = np.zeros(len(jump))
    inside[max(0, start - 4) : end] = jump[max(0, start - 4) : end]
    jumps = find_peaks(inside, threshold=JUMP_DB, apart_steps=window)
    if not jumps:
        return start
    # The medians of three seconds tell that it jumped, the steepest half second tells when.
    first = max(0, jumps[0] - 4)
    steepness = np.diff(sizzle[first : jumps[0] + 5])
    return first + int(np.argmax(steepness))


def _find_frying_spans(sound: SoundSignals, is_noise: Mask, sizzle: Series, steady: Series) -> tuple[FryingSpan, ...]:
    """Spans of noise that are frying.

    Where a span as a whole is not, its louder part may be: beside a stretch of perfect silence even a quiet room is
    loud, so the floor is then sought within the span.
    """
    is_clear = (
        (sound.speech < TALKING / 2)
        & (sound.knocks_per_second < KNOCKING_PER_SECOND)
        & (sound.crackle_db < MOST_CRACKLE_DB)
    )
    bridge = count_steps(BRIDGED_SECONDS)
    spans: list[FryingSpan] = []
    for start, end in find_spans(is_noise, bridge_steps=bridge):
        whole = _judge_span(sound, is_noise & is_clear, sizzle, steady, start=start, end=end)
        if whole is not None:
            spans.append(whole)
            continue
        louder = np.zeros(len(is_noise), dtype=np.bool_)
        louder[start:end] = sizzle[start:end] > np.percentile(sizzle[start:end], 10) + OVER_FLOOR_DB
        for first, last in find_spans(is_noise & louder, bridge_steps=bridge):
            part = _judge_span(sound, is_noise & louder & is_clear, sizzle, steady, start=first, end=last)
            spans += [part] if part is not None else []
    return tuple(spans)


def _judge_span(
    sound: SoundSignals, is_clear: Mask, sizzle: Series, steady: Series, *, start: int, end: int
) -> FryingSpan | None:
    """The span if it is frying; only seconds in which nobody speaks or knocks are asked whether they crackle."""
    crackle = sound.crackle_db[start:end][is_clear[start:end]]
    if len(crackle) < count_steps(LEAST_FRYING_SECONDS):
        return None
    quiet_db, crackle_db = (float(v) for v in np.percentile(smooth_by_median(crackle, 9), [25, 75]))
    if quiet_db < LEAST_QUIET_CRACKLE_DB or crackle_db < LEAST_CRACKLE_DB:
        return None
    onset = _find_onset(sizzle, steady, start, end)
    if _measure_brightening(steady, onset, end) < LEAST_BRIGHT_DB:
        return None
    return FryingSpan(start_step=start, onset_step=onset, end_step=end, crackle_db=crackle_db)


def _measure_brightening(steady: Series, onset: int, end: int) -> float:
    """How far the sizzle stands over the low bands from its onset on, against the seconds before it.

    A film that begins with the sizzle has nothing to compare, and is taken at its word.
    """
    before = steady[max(0, onset - count_steps(6.0)) : max(0, onset - 1)]
    if len(before) < count_steps(2.0):
        return math.inf
    return float(np.median(steady[onset:end]) - np.median(before))
