"""What is heard and seen of footage: levels, noise, speech, light, motion, and all of it at a bounded cost."""

import multiprocessing
import resource
import threading
import wave
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from media_tools.cook_events import CookFindings, HappeningKind, ReadingKind, watch_cook
from media_tools.cook_events.frying import FryingSpan, listen_for_frying
from media_tools.errors import MediaCancelled, MediaLimitExceeded, MediaToolFailed
from media_tools.ffmpeg import Limits, run
from media_tools.sample_cook import SMALL_FPS, SMALL_SIZE, Variant, render_cook
from media_tools.signals.grid import find_peaks, find_spans, measure_rises
from media_tools.signals.picture import Look, combine_looks, look_at_key_frames, look_closely
from media_tools.signals.sound import SoundSignals, measure_sound
from tests.media.clips import make_clip, make_phone_clip

RATE_HZ = 48_000
Samples = npt.NDArray[np.float64]


def record(path: Path, samples: Samples) -> Path:
    """An MP4 with this sound and no picture, at a phone's bit rate."""
    raw = path.with_suffix(".wav")
    with wave.open(str(raw), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    run(["-i", str(raw), "-c:a", "aac", "-b:a", "96k", str(path)])
    return path


def make_noise(seconds: float, level: float = 0.1) -> Samples:
    return level * np.random.default_rng(5).standard_normal(int(seconds * RATE_HZ))


def make_tone(seconds: float, hz: float, level: float = 0.3) -> Samples:
    return np.asarray(level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ))


def make_crackling(seconds: float) -> Samples:
    """Noise in which drops burst: two dozen decaying clicks a second."""
    samples, random = make_noise(seconds, 0.03), np.random.default_rng(6)
    decay = np.exp(-500 * np.arange(600) / RATE_HZ) * np.sin(2 * np.pi * 4000 * np.arange(600) / RATE_HZ)
    for start in random.integers(0, len(samples) - 600, int(24 * seconds)):
        samples[start : start + 600] += random.uniform(0.1, 0.5) * decay
    return samples


# --- sound -----------------------------------------------------------------------------------------------------------


def test_a_tone_is_no_noise_and_lies_in_its_own_band(tmp_path: Path) -> None:
    sound = measure_sound(record(tmp_path / "tone.mp4", np.concatenate([make_tone(5, 300), make_noise(5)])))
    assert len(sound) in {20, 21}
    tone, noise = slice(2, 8), slice(12, 18)
    assert np.median(sound.hum_db[tone]) > np.median(sound.sizzle_db[tone]) + 25
    assert np.median(sound.noise_likeness[noise]) > 0.5
    assert np.median(sound.sizzle_db[noise]) > np.median(sound.sizzle_db[tone]) + 20


def test_the_level_is_in_decibels_below_full_scale(tmp_path: Path) -> None:
    sound = measure_sound(record(tmp_path / "tone.mp4", make_tone(4, 300, level=0.5)))
    assert np.median(sound.level_db) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.5)


def test_drops_that_burst_are_told_from_plain_noise(tmp_path: Path) -> None:
    plain = measure_sound(record(tmp_path / "plain.mp4", make_noise(8)))
    crackling = measure_sound(record(tmp_path / "crackling.mp4", make_crackling(8)))
    assert np.median(plain.crackle_db) < 2.4 < np.median(crackling.crackle_db)


def test_noise_is_frying_only_when_it_crackles_and_stands_over_the_low_bands(tmp_path: Path) -> None:
    quiet = make_noise(10, 0.002)
    sounds = {
        "plain": np.concatenate([quiet, make_noise(12), quiet]),
        "crackling": np.concatenate([quiet, make_crackling(12), quiet]),
    }
    spans: dict[str, list[FryingSpan]] = {}
    for name, samples in sounds.items():
        # A sizzle has no lows: what noise has there is a motor's or water's.
        high = np.diff(samples, n=2, prepend=[0, 0]) if name == "crackling" else samples
        frying = listen_for_frying(measure_sound(record(tmp_path / f"{name}.mp4", high)))
        assert frying is not None
        spans[name] = list(frying.spans)
    assert spans["plain"] == []
    (span,) = spans["crackling"]
    assert span.onset_step / 2 == pytest.approx(10, abs=1)
    assert span.end_step / 2 == pytest.approx(22, abs=1)


def test_silence_is_said_to_be_silent(tmp_path: Path) -> None:
    sound = measure_sound(record(tmp_path / "silence.mp4", np.zeros(5 * RATE_HZ)))
    assert sound.is_silent
    assert listen_for_frying(sound) is None


def test_a_film_without_sound_cannot_be_heard(tmp_path: Path) -> None:
    with pytest.raises(MediaToolFailed):
        measure_sound(make_clip(tmp_path / "mute.mp4", channels=0))


def test_sound_that_begins_late_is_heard_at_its_own_second(tmp_path: Path) -> None:
    record(tmp_path / "tone.mp4", make_tone(3, 1000))
    run(
        [
            *["-i", str(make_clip(tmp_path / "mute.mp4", channels=0, seconds=6))],
            *["-itsoffset", "2", "-i", str(tmp_path / "tone.mp4"), "-c", "copy", str(tmp_path / "late.mp4")],
        ]
    )
    sound = measure_sound(tmp_path / "late.mp4")
    assert np.flatnonzero(sound.level_db > -30)[0] == pytest.approx(4, abs=1)


def test_a_sound_shorter_than_a_step_is_an_empty_series(tmp_path: Path) -> None:
    sound = measure_sound(record(tmp_path / "short.mp4", make_tone(0.2, 300)))
    assert len(sound) == 0
    assert sound.is_silent


# --- picture ---------------------------------------------------------------------------------------------------------


def make_lights(path: Path, *, keyframe_every: int = 10, size: str = "320x180") -> Path:
    """Eight noisy seconds at 10 fps: black until second 4, then white."""
    source = f"color=black:s={size}:r=10:d=4[a];color=white:s={size}:r=10:d=4[b];[a][b]concat,noise=alls=9:allf=t"
    run(
        [
            *["-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"],
            *["-g", str(keyframe_every), "-keyint_min", str(keyframe_every), "-sc_threshold", "0", str(path)],
        ]
    )
    return path


def find_light(looks: list[Look]) -> int:
    picture = combine_looks(looks, duration_seconds=8)
    assert picture is not None
    assert len(picture) == 16
    return int(np.argmax(picture.luma > 128))


def test_a_close_look_sees_a_change_in_its_half_second(tmp_path: Path) -> None:
    film = make_lights(tmp_path / "lights.mp4", keyframe_every=80)
    assert find_light(look_closely(film, start_seconds=0, length_seconds=8)) == pytest.approx(8, abs=1)
    assert find_light(look_closely(film, start_seconds=2, length_seconds=4)) == pytest.approx(8, abs=1)


def test_key_frames_see_it_as_finely_as_they_lie(tmp_path: Path) -> None:
    film = make_lights(tmp_path / "lights.mp4", keyframe_every=20)
    looks = look_at_key_frames(film)
    assert 3 <= len(looks) <= 4  # one every two seconds; what fills the gaps between them does not count
    assert find_light(looks) == pytest.approx(8, abs=2)


def test_a_picture_that_never_changes_is_looked_at_now_and_then(tmp_path: Path) -> None:
    still = tmp_path / "still.mp4"
    run(["-f", "lavfi", "-i", "color=gray:s=320x180:r=10:d=30", "-c:v", "libx264", "-g", "20", str(still)])
    assert [look.step for look in look_at_key_frames(still)] == [0, 20, 40]


def test_close_looks_stand_before_key_frames(tmp_path: Path) -> None:
    film = make_clip(tmp_path / "clip.mp4", seconds=8)
    picture = combine_looks(
        [*look_at_key_frames(film), *look_closely(film, start_seconds=2, length_seconds=2)], duration_seconds=8
    )
    assert picture is not None
    known = np.flatnonzero(np.isfinite(picture.motion))
    assert known.tolist() == [4, 5, 6, 7]
    assert picture.gap_seconds[:14].max() <= 0.5


@pytest.mark.parametrize(("size", "shape"), [("320x180", (18, 32)), ("180x320", (32, 18)), ("240x180", (24, 32))])
def test_the_cells_have_the_proportions_of_the_picture(tmp_path: Path, size: str, shape: tuple[int, int]) -> None:
    looks = look_at_key_frames(make_lights(tmp_path / "lights.mp4", size=size))
    assert looks[0].cells.shape == (*shape, 4)


def test_hdr_footage_that_was_turned_is_seen_upright(tmp_path: Path) -> None:
    source = make_lights(tmp_path / "lights.mp4", size="180x320")
    looks = look_at_key_frames(make_phone_clip(tmp_path / "IMG_0001.MOV", source=source, seconds=8))
    assert looks[0].cells.shape == (32, 18, 4)


def test_nothing_to_look_at_is_none() -> None:
    assert combine_looks([], duration_seconds=8) is None


def test_a_dead_link_is_a_failure_not_an_empty_film(tmp_path: Path) -> None:
    with pytest.raises(MediaToolFailed):
        look_at_key_frames(tmp_path / "nothing.mp4")


# --- the grid --------------------------------------------------------------------------------------------------------


def test_a_rise_is_measured_between_the_medians_of_both_sides() -> None:
    series = np.concatenate([np.zeros(20), np.full(20, 10.0)])
    series[5] = 99  # one outlier counts for nothing
    rises = measure_rises(series, 6)
    assert rises.max() == 10
    assert abs(int(np.argmax(rises)) - 20) <= 3
    assert rises[:10].max() == 0


def test_the_strongest_peaks_are_kept_apart_and_in_order() -> None:
    series = np.array([0, 5, 0, 9, 8, 0, 0, 0, 7, 0.0])
    assert find_peaks(series, threshold=5, apart_steps=3) == [3, 8]


def test_spans_are_bridged() -> None:
    mask = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], dtype=bool)
    assert find_spans(mask, bridge_steps=1) == [(1, 5), (8, 9)]


# --- a whole cook ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowded_cook(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float, float]:
    """The film, its seconds, and the second at which far too much goes in."""
    film = tmp_path_factory.mktemp("cook") / "crowded.mp4"
    truth = render_cook(Variant.CROWDED_PAN, 161, film, size=SMALL_SIZE, fps=SMALL_FPS)
    assert truth.key_moment_seconds is not None
    return film, truth.duration_seconds, truth.key_moment_seconds


def find_collapse(findings: CookFindings) -> list[float]:
    return [r.seconds for r in findings.readings if r.kind is ReadingKind.PAN_LOST_ITS_VOICE and r.is_supported]


def test_what_happens_is_listed_in_order_of_time(crowded_cook: tuple[Path, float, float]) -> None:
    film, duration_seconds, _ = crowded_cook
    findings = watch_cook(film, duration_seconds=duration_seconds, has_audio=True)
    seconds = [happening.seconds for happening in findings.happenings]
    assert seconds == sorted(seconds)
    assert {
        HappeningKind.CHOPPING,
        HappeningKind.BURNER_LIT,
        HappeningKind.SIZZLE_STARTS,
        HappeningKind.FOOD_ADDED,
        HappeningKind.SIZZLE_COLLAPSES,
    } <= {happening.kind for happening in findings.happenings}
    assert findings.doubts == ()


def test_a_long_film_is_searched_for_the_moment(crowded_cook: tuple[Path, float, float], tmp_path: Path) -> None:
    """The cook begins after three minutes of a test pattern, in a film with a key frame every ten seconds."""
    film, duration_seconds, key_seconds = crowded_cook
    pattern = make_clip(tmp_path / "pattern.mp4", seconds=180, fps=SMALL_FPS, keyframe_every=100)
    long_film = tmp_path / "long.mp4"
    run(
        [
            *["-i", str(pattern), "-i", str(film), "-filter_complex", "[0:v][0:a][1:v][1:a]concat=n=2:v=1:a=1"],
            *["-c:v", "libx264", "-preset", "ultrafast", "-g", "100", "-keyint_min", "100", "-sc_threshold", "0"],
            str(long_film),
        ]
    )
    findings = watch_cook(long_film, duration_seconds=180 + duration_seconds, has_audio=True)
    assert find_collapse(findings) == [pytest.approx(180 + key_seconds, abs=3)]


def test_no_time_is_an_error_that_says_so(crowded_cook: tuple[Path, float, float]) -> None:
    with pytest.raises(MediaLimitExceeded):
        measure_sound(crowded_cook[0], limits=Limits(wall_seconds=0.01))


@pytest.mark.parametrize("measure", [measure_sound, look_at_key_frames])
def test_measuring_can_be_cancelled(
    measure: Callable[..., SoundSignals | list[Look]], crowded_cook: tuple[Path, float, float]
) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(MediaCancelled):
        measure(crowded_cook[0], cancel=cancel)


def watch_and_weigh(film: Path, duration_seconds: float) -> tuple[float, int]:
    """CPU seconds of this process and its children, and the most memory it held, in bytes."""
    watch_cook(film, duration_seconds=duration_seconds, has_audio=True)
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return cpu_seconds, own.ru_maxrss * 1024


def test_half_an_hour_costs_less_than_its_share_and_hardly_more_memory(
    crowded_cook: tuple[Path, float, float], tmp_path: Path
) -> None:
    film, duration_seconds, _ = crowded_cook
    times = round(1800 / duration_seconds)
    half_hour = tmp_path / "half-hour.mp4"
    run(["-stream_loop", str(times - 1), "-i", str(film), "-c", "copy", str(half_hour)])
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        minute_cpu, minute_bytes = pool.submit(watch_and_weigh, film, duration_seconds).result()
        long_cpu, long_bytes = pool.submit(watch_and_weigh, half_hour, times * duration_seconds).result()
    print(f"{minute_cpu:.1f} and {long_cpu:.1f} CPU s, {minute_bytes >> 20} and {long_bytes >> 20} MiB")
    assert long_cpu < times * minute_cpu
    assert long_bytes < minute_bytes + (150 << 20)
