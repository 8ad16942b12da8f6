"""Speech is measured to the sample and by EBU R 128, and joined without a click."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import wavfile

from media_tools.errors import InvalidMedia, MediaCancelled, MediaFault, MediaToolFailed
from media_tools.ffmpeg import open_input, run
from media_tools.narration import compute_gain_db, join_speech, measure_loudness, measure_speech
from tests.media.clips import make_clip

RATE_HZ = 48_000


def write_tone(
    path: Path,
    *,
    spans: Sequence[tuple[float, float]],
    seconds: float,
    dbfs: float = -18,
    hz: float = 997,
    phase: float = 0,
) -> Path:
    """A mono WAV that is silent but for a tone of that peak level in the spans (start and end in seconds)."""
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    is_heard = np.any([(times >= start) & (times < end) for start, end in spans], axis=0)
    samples = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * times + phase) * is_heard
    wavfile.write(path, RATE_HZ, np.round(samples * 32767).astype(np.int16))
    return path


def read_samples(path: Path) -> NDArray[np.float64]:
    rate_hz, samples = wavfile.read(path)
    assert rate_hz == RATE_HZ
    return np.asarray(samples / 32768)


def test_a_recording_is_measured_to_the_sample(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.wav", spans=[(0, 3.4567)], seconds=3.4567)
    assert measure_speech(path).duration_seconds == pytest.approx(3.4567, abs=1.5 / RATE_HZ)


def test_loudness_is_that_of_the_standard(tmp_path: Path) -> None:
    """EBU Tech 3341, case 1: a sine of 1 kHz at -23 dBFS in both channels has -23 LUFS; in one of them 3 dB less."""
    loudness = measure_speech(write_tone(tmp_path / "tone.wav", spans=[(0, 5)], seconds=5, dbfs=-23)).loudness
    assert loudness.integrated_lufs == pytest.approx(-23 - 3.01, abs=0.1)
    assert loudness.true_peak_dbfs == pytest.approx(-23, abs=0.2)
    assert loudness.gain_db == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("name", ["speech.mp3", "speech.ogg", "speech.m4a", "speech.flac"])
def test_compressed_speech_is_measured_too(tmp_path: Path, name: str) -> None:
    tone = write_tone(tmp_path / "tone.wav", spans=[(0, 2)], seconds=2)
    encoder = ["-c:a", "libopus"] if name.endswith("ogg") else []
    run(["-i", str(tone), *encoder, str(tmp_path / name)])
    speech = measure_speech(tmp_path / name)
    assert 1.99 <= speech.duration_seconds <= 2.06
    assert speech.loudness_lufs == pytest.approx(-21, abs=0.6)


def test_silence_has_no_loudness_and_gets_no_gain(tmp_path: Path) -> None:
    speech = measure_speech(write_tone(tmp_path / "silence.wav", spans=[(0, 0)], seconds=2))
    assert speech.is_silent
    assert speech.loudness_lufs is None
    assert speech.loudness.gain_db == 0
    assert speech.duration_seconds == pytest.approx(2)


def test_a_gain_has_bounds() -> None:
    assert compute_gain_db(-60, -16) == 24
    assert compute_gain_db(20, -16) == -24


@pytest.mark.parametrize("dbfs", [-6, -45])
def test_pauses_are_found_whatever_the_level(tmp_path: Path, dbfs: float) -> None:
    spans = [(0.3, 1.5), (2.0, 3.0), (3.05, 4.0)]
    speech = measure_speech(write_tone(tmp_path / "tone.wav", spans=spans, seconds=4.5, dbfs=dbfs))
    expected = [(0.0, 0.3), (1.5, 2.0), (4.0, 4.5)]
    assert [(pause.start_seconds, pause.end_seconds) for pause in speech.pauses] == [
        pytest.approx(pause, abs=0.02) for pause in expected
    ]


def test_a_file_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidMedia) as raised:
        measure_speech(write_tone(tmp_path / "empty.wav", spans=[(0, 0)], seconds=0))
    assert raised.value.fault is MediaFault.NO_AUDIO
    with pytest.raises(MediaToolFailed):
        measure_speech(make_clip(tmp_path / "picture.mp4", seconds=0.2, channels=0))


def test_measuring_can_be_cancelled(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(MediaCancelled):
        measure_speech(write_tone(tmp_path / "tone.wav", spans=[(0, 1)], seconds=1), cancel=cancel)


def test_a_stream_of_a_graph_is_measured_alike(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.wav", spans=[(0, 2)], seconds=2)
    assert measure_loudness(open_input(path, formats=("wav",)).audio) == measure_speech(path).loudness


def test_joined_pieces_keep_all_their_speech_and_say_where_they_begin(tmp_path: Path) -> None:
    pieces = [
        write_tone(tmp_path / "pivot.wav", spans=[(0, 1.2)], seconds=1.2),
        write_tone(tmp_path / "part2.wav", spans=[(0, 2.3)], seconds=2.3, hz=440),
    ]
    joined = join_speech(pieces, tmp_path / "joined.wav", pause_seconds=0.5)
    assert joined.starts_seconds == pytest.approx((0, 1.7))
    assert joined.duration_seconds == pytest.approx(4.0)
    samples = read_samples(joined.path)
    assert len(samples) == 4 * RATE_HZ
    for piece, start_seconds in zip(pieces, joined.starts_seconds, strict=True):
        original = read_samples(piece)
        start = round(start_seconds * RATE_HZ)
        kept = samples[start : start + len(original)]
        inside = slice(RATE_HZ // 50, -RATE_HZ // 50)  # but for the fades at its ends
        assert np.abs(kept[inside] - original[inside]).max() < 1e-3
    assert np.abs(samples[round(1.2 * RATE_HZ) : round(1.7 * RATE_HZ)]).max() == 0


def test_no_click_is_heard_at_the_joints(tmp_path: Path) -> None:
    """The tones begin and end at full level, so a plain concatenation jumps; joined, each step is a tone's own."""
    piece = write_tone(tmp_path / "tone.wav", spans=[(0, 1)], seconds=1, dbfs=-6, hz=200, phase=np.pi / 2)
    joined = join_speech([piece, piece], tmp_path / "joined.wav", pause_seconds=0.2)
    steps = np.abs(np.diff(read_samples(joined.path)))
    own_step = 10 ** (-6 / 20) * 2 * np.pi * 200 / RATE_HZ
    assert steps.max() < 1.1 * own_step
    assert np.abs(np.diff(np.concatenate([read_samples(piece), np.zeros(9)]))).max() > 10 * own_step
