"""The outro's sound: applause and a small jingle, synthesised here, so that nobody else's licence is in a film.

Every value is drawn from one seeded generator: the same length gives the same bytes.
"""

import functools
import wave
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from media_tools.film_clock import SAMPLE_RATE_HZ

Sound: TypeAlias = NDArray[np.float64]  # one channel, or (samples, 2) for stereo; full scale is 1

OUTRO_SECONDS = 7.0
SEED = 2026
PEAK = 10 ** (-3 / 20)
FADE_SECONDS = 1.2

CLAPPERS = 34
CLAPS_PER_SECOND = 3.6
CLAP_SECONDS = 0.09

# I, vi, IV, V in C and home again; each bar's four bells climb, the last chord rings out. Notes are MIDI numbers.
CHORDS = ((60, 64, 67), (57, 60, 64), (65, 69, 72), (67, 71, 74))
LAST_CHORD = (60, 64, 67, 72, 76)
BAR_SHARE = 0.15
"""A bar's share of the whole length: four bars, and the remaining two fifths for the last chord."""

BELL_PARTIALS = ((1.0, 1.0), (2.0, 0.4), (3.01, 0.16), (5.4, 0.05))
"""Frequency over the note's, and strength: the slightly stretched third and fifth partial make it a bell."""


def write_outro_sound(path: Path, duration_seconds: float = OUTRO_SECONDS) -> None:
    """Write the outro's sound as a 48 kHz stereo WAV of exactly that length."""
    sound = synthesise_outro(duration_seconds)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())


@functools.lru_cache(maxsize=1)
def synthesise_outro(duration_seconds: float = OUTRO_SECONDS) -> Sound:
    """Stereo samples (n, 2) between -1 and 1, peaking at -3 dBFS, silent at both ends; read-only."""
    random = np.random.default_rng(SEED)
    samples = round(duration_seconds * SAMPLE_RATE_HZ)
    sound = _scale(_play_jingle(samples), 0.13) + _scale(_applaud(samples, random), 0.055)
    fade = min(samples, round(FADE_SECONDS * SAMPLE_RATE_HZ))
    sound[samples - fade :] *= (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, fade)))[:, None]
    sound *= PEAK / np.abs(sound).max()
    sound.flags.writeable = False  # it is kept: every film of this process ends with the same array
    return sound


def _scale(sound: Sound, level: float) -> Sound:
    return np.asarray(sound * (level / np.sqrt(np.mean(sound**2))))


def _applaud(samples: int, random: np.random.Generator) -> Sound:
    """A hall of people who clap at their own pace and place, joining in at first and leaving off towards the end."""
    sound = np.zeros((samples, 2))
    duration_seconds = samples / SAMPLE_RATE_HZ
    for _ in range(CLAPPERS):
        place = random.uniform(0.1, 0.9)
        distance = random.uniform(0.35, 1.0)
        hands = _clap(random)
        at_seconds = random.uniform(0, 0.16 * duration_seconds)
        stops_seconds = duration_seconds * random.uniform(0.62, 0.98)
        while at_seconds < stops_seconds:
            loud = distance * random.uniform(0.7, 1.0) * min(1.0, 2.5 * (1 - at_seconds / duration_seconds))
            _add(sound, at_seconds, loud * hands, place)
            at_seconds += random.normal(1, 0.09) / CLAPS_PER_SECOND * random.uniform(0.92, 1.08)
    return _reverberate(sound, random)


def _clap(random: np.random.Generator) -> Sound:
    """One pair of hands: a burst of noise around the pitch of the cupped palm (after Repp, JASA 81, 1987)."""
    samples = round(CLAP_SECONDS * SAMPLE_RATE_HZ)
    hz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    palm_hz, width_octaves = random.uniform(900, 2600), random.uniform(0.7, 1.1)
    octaves = np.log2(np.maximum(hz, 1) / palm_hz)
    spectrum = np.fft.rfft(random.standard_normal(samples)) * np.exp(-0.5 * (octaves / width_octaves) ** 2)
    seconds = np.arange(samples) / SAMPLE_RATE_HZ
    burst = np.fft.irfft(spectrum, samples) * np.exp(-seconds * random.uniform(70, 130))
    burst *= np.minimum(1, seconds / 0.0008)
    return np.asarray(burst / np.abs(burst).max())


def _reverberate(sound: Sound, random: np.random.Generator) -> Sound:
    """A small hall: each channel convolved with its own decaying noise, under the dry sound."""
    length = round(0.5 * SAMPLE_RATE_HZ)
    decay = np.exp(-np.arange(length) / SAMPLE_RATE_HZ * 9)
    size = 1 << (len(sound) + length).bit_length()
    wet = np.empty_like(sound)
    for channel in (0, 1):
        tail = random.standard_normal(length) * decay / np.sqrt(np.sum(decay**2))
        product = np.fft.rfft(sound[:, channel], size) * np.fft.rfft(tail, size)
        wet[:, channel] = np.fft.irfft(product, size)[: len(sound)]
    return np.asarray(sound + 0.5 * wet)


def _play_jingle(samples: int) -> Sound:
    sound = np.zeros((samples, 2))
    duration_seconds = samples / SAMPLE_RATE_HZ
    bar_seconds = BAR_SHARE * duration_seconds
    for bar, chord in enumerate(CHORDS):
        begins_seconds = bar * bar_seconds
        for note in chord:
            _add(sound, begins_seconds, 0.12 * _ring_pad(note - 12, 1.15 * bar_seconds), 0.5)
        for step, note in enumerate((*chord, chord[0] + 12)):
            place = 0.3 + 0.13 * step
            _add(sound, begins_seconds + step * bar_seconds / 4, 0.2 * _ring_bell(note + 12, 1.4), place)
    for step, note in enumerate(LAST_CHORD):
        at_seconds = len(CHORDS) * bar_seconds + 0.045 * step
        left_seconds = duration_seconds - at_seconds
        _add(sound, at_seconds, 0.2 * _ring_bell(note + 12, left_seconds), 0.3 + 0.1 * step)
        _add(sound, at_seconds, 0.1 * _ring_pad(note - 12, left_seconds), 0.5)
    return sound


def _ring_bell(note: int, seconds: float) -> Sound:
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    sound = np.zeros_like(time)
    for ratio, strength in BELL_PARTIALS:
        sound += strength * np.sin(2 * np.pi * _pitch_hz(note) * ratio * time) * np.exp(-time * (1.8 + 1.4 * ratio))
    return _soften(sound, time, 0.004, 0.03)


def _ring_pad(note: int, seconds: float) -> Sound:
    """Three voices a hair apart, which beat slowly against each other."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    voices = (np.sin(2 * np.pi * _pitch_hz(note) * detune * time) for detune in (0.997, 1.0, 1.003))
    return _soften(np.sum(list(voices), axis=0) / 3, time, 0.12, 0.25)


def _soften(sound: Sound, time: Sound, attack_seconds: float, release_seconds: float) -> Sound:
    """No click at the attack, none at the end."""
    ends_seconds = len(time) / SAMPLE_RATE_HZ
    return np.asarray(
        sound * np.minimum(1, time / attack_seconds) * np.clip((ends_seconds - time) / release_seconds, 0, 1)
    )


def _pitch_hz(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def _add(sound: Sound, at_seconds: float, voice: Sound, place: float) -> None:
    """Mix a voice in; `place` is 0 at the left and 1 at the right, by the sine law, which keeps its power."""
    begin = round(at_seconds * SAMPLE_RATE_HZ)
    heard = voice[: max(0, len(sound) - begin)]
    sound[begin : begin + len(heard), 0] += heard * np.cos(place * np.pi / 2)
    sound[begin : begin + len(heard), 1] += heard * np.sin(place * np.pi / 2)
