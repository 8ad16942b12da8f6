"""What is heard in a film, read out of the film itself."""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import wavfile

from media_tools.compose import Film, compose_film
from media_tools.ffmpeg import read_output
from tests.media.clips import make_clip
from tests.media.films import (
    ComposedFilm,
    make_eight_seconds_of_codes,
    make_minute_of_codes,
    request_of,
)
from tests.media.fixtures import Shelf


def read_sound(film: Film) -> NDArray[np.float64]:
    """The film's sound, mono at 48 kHz."""
    pcm = b"".join(read_output(["-i", str(film.path), "-f", "f32le", "-ac", "1", "-ar", "48000", "pipe:1"]))
    return np.frombuffer(pcm, np.float32).astype(np.float64)


def measure_band_db(
    sound: NDArray[np.float64], from_seconds: float, to_seconds: float, band_hz: tuple[int, int]
) -> float:
    piece = sound[round(from_seconds * 48_000) : round(to_seconds * 48_000)]
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2 / len(piece) ** 2
    hz = np.fft.rfftfreq(len(piece), 1 / 48_000)
    return float(10 * np.log10(power[(hz >= band_hz[0]) & (hz < band_hz[1])].sum() + 1e-20))


def test_the_film_is_as_loud_as_it_should_be(minute_film: ComposedFilm) -> None:
    film = minute_film.film
    assert film.loudness_lufs == pytest.approx(-16, abs=1)
    assert film.true_peak_dbfs is not None
    assert film.true_peak_dbfs < 0


@pytest.mark.parametrize("level", [0.01, 0.9])
def test_quiet_and_loud_voices_come_out_alike(shelf: Shelf, tmp_path: Path, level: float) -> None:
    source = shelf.get(make_eight_seconds_of_codes)
    film = compose_film(
        request_of(source, tmp_path, key_moment_seconds=4, part1_seconds=10, part2_seconds=12, level=level)
    )
    assert film.loudness_lufs == pytest.approx(-16, abs=1)


def test_the_pan_is_heard_faintly_under_the_voice(minute_film: ComposedFilm) -> None:
    """The footage hisses, the narration is a low tone: the band above 4 kHz is the pan's alone."""
    sound = read_sound(minute_film.film)
    high, low = (4_000, 12_000), (150, 700)
    under_voice = measure_band_db(sound, 6, 14, high)
    assert under_voice > measure_band_db(sound, 0.5, 3.5, high) + 20  # nothing of it in the intro
    assert measure_band_db(sound, 6, 14, low) > under_voice + 12  # the voice stays far above it


def test_the_pan_steps_back_while_the_voice_is_there(shelf: Shelf, tmp_path: Path) -> None:
    """Part 2 ends after 3 s, the clip goes on for 15: then the pan is louder."""
    film = compose_film(request_of(shelf.get(make_minute_of_codes), tmp_path))
    sound, high = read_sound(film), (4_000, 12_000)
    alone = measure_band_db(sound, film.key_start_seconds + 6, film.key_start_seconds + 12, high)
    under_voice = measure_band_db(sound, film.key_start_seconds + 0.8, film.key_start_seconds + 2.8, high)
    assert 2 < alone - under_voice < 15


def test_speech_is_never_cut(shelf: Shelf, tmp_path: Path) -> None:
    """A high tone in the last 50 ms of each recording is in the film, at its second."""
    request = request_of(shelf.get(make_eight_seconds_of_codes), tmp_path, key_moment_seconds=4)
    times = np.arange(round(17.11 * 48_000)) / 48_000
    for path, seconds in ((request.part1_audio, 6.03), (request.part2_audio, 17.11)):
        now = times[times < seconds]
        heard = 0.2 * np.sin(2 * np.pi * np.where(now > seconds - 0.05, 3_000, 300) * now)
        wavfile.write(path, 48_000, (heard * 32767).astype(np.int16))
    film = compose_film(request)
    sound, band = read_sound(film), (2_900, 3_100)
    for start_seconds, seconds in ((0, 6.03), (film.key_start_seconds, 17.11)):
        end_seconds = start_seconds + seconds
        beep = measure_band_db(sound, end_seconds - 0.05, end_seconds, band)
        assert beep > measure_band_db(sound, end_seconds - 0.15, end_seconds - 0.1, band) + 20


@pytest.mark.parametrize("channels", [0, 6], ids=["no sound", "surround"])
def test_footage_without_sound_or_in_surround_makes_a_film_too(tmp_path: Path, channels: int) -> None:
    source = make_clip(tmp_path / "clip.mp4", seconds=5, channels=channels)
    film = compose_film(request_of(source, tmp_path, key_moment_seconds=2, part1_seconds=2))
    with av.open(str(film.path)) as container:
        assert container.streams.audio[0].layout.name == "stereo"
    assert film.loudness_lufs == pytest.approx(-16, abs=1)
