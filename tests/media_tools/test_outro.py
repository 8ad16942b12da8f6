"""The outro's sound is made here, always the same, and made well."""

import hashlib
import wave
from pathlib import Path

import numpy as np
import pytest

from media_tools.outro import OUTRO_SECONDS, synthesise_outro, write_outro_sound

RATE_HZ = 48_000


def test_the_same_length_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for name in ("first.wav", "second.wav"):
        write_outro_sound(tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("seconds", [3.0, 5.5, OUTRO_SECONDS])
def test_it_is_as_long_as_asked_to_the_sample(tmp_path: Path, seconds: float) -> None:
    write_outro_sound(tmp_path / "outro.wav", seconds)
    with wave.open(str(tmp_path / "outro.wav")) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (round(seconds * RATE_HZ), RATE_HZ, 2)


def test_it_peaks_at_minus_three_decibels_and_is_silent_at_both_ends() -> None:
    sound = synthesise_outro()
    assert np.abs(sound).max() == pytest.approx(10 ** (-3 / 20))
    assert np.abs(sound[0]).max() < 0.01
    assert np.abs(sound[-48:]).max() < 1e-4


def test_applause_and_bells_are_both_in_it() -> None:
    """Bells are lines in the spectrum of a bar, at the notes of its chord; applause is what lies between them."""
    sound = synthesise_outro()
    bar = sound[: round(0.15 * OUTRO_SECONDS * RATE_HZ)].mean(axis=1)
    spectrum = np.abs(np.fft.rfft(bar * np.hanning(len(bar))))
    hz = np.fft.rfftfreq(len(bar), 1 / RATE_HZ)
    for note_hz in (523.25, 659.26, 783.99):  # C5, E5, G5
        near = spectrum[np.abs(hz - note_hz) < 6].max()
        around = np.median(spectrum[np.abs(hz - note_hz) < 60])
        assert near > 8 * around
    claps = spectrum[(hz > 2500) & (hz < 5000)]
    air = spectrum[(hz > 16_000) & (hz < 20_000)]
    assert np.mean(claps) > 5 * np.mean(air)


def test_it_is_wide_but_works_on_one_loudspeaker() -> None:
    left, right = synthesise_outro().T
    assert np.corrcoef(left, right)[0, 1] < 0.98
    both = np.sqrt(np.mean(((left + right) / 2) ** 2))
    assert both > 0.7 * np.sqrt(np.mean((left**2 + right**2) / 2))
