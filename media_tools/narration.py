"""Measures speech and joins its pieces: length to the sample, loudness by EBU R 128, pauses."""

import math
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import ffmpeg

from media_tools.errors import InvalidMedia, MediaFault
from media_tools.ffmpeg import DEFAULT_LIMITS, Limits, Stream, compile_arguments, open_input, read_output, run
from media_tools.film_clock import SAMPLE_RATE_HZ

TARGET_LUFS = -16.0
SPEECH_FORMATS = ("wav", "mp3", "ogg", "flac", "mov")
MOST_GAIN_DB = 24.0
QUIETEST_LUFS = -70.0
"""The absolute gate of ITU-R BS.1770: what measures less is silence, and its loudness is minus infinity."""

PAUSE_BELOW_SPEECH_DB = 24.0
SHORTEST_PAUSE_SECONDS = 0.12
JOIN_FADE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Pause:
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """Both values are None for sound that is silent throughout; the peak also where it was not measured."""

    integrated_lufs: float | None
    true_peak_dbfs: float | None

    @property
    def gain_db(self) -> float:
        """What brings it to -16 LUFS, within 24 dB; none for silence, which no gain makes louder."""
        return compute_gain_db(self.integrated_lufs, TARGET_LUFS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One recording of speech as measured; `pauses` leave out nothing but what is said."""

    duration_seconds: float
    loudness: Loudness
    pauses: tuple[Pause, ...]

    @property
    def loudness_lufs(self) -> float | None:
        return self.loudness.integrated_lufs

    @property
    def is_silent(self) -> bool:
        return self.loudness.integrated_lufs is None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedSpeech:
    """`starts_seconds`: where each piece begins in the joined recording."""

    path: Path
    duration_seconds: float
    starts_seconds: tuple[float, ...]


def compute_gain_db(integrated_lufs: float | None, target_lufs: float) -> float:
    """The gain from a measured loudness to a wanted one, at most 24 dB either way; 0 for silence."""
    if integrated_lufs is None:
        return 0.0
    return max(-MOST_GAIN_DB, min(MOST_GAIN_DB, target_lufs - integrated_lufs))


def measure_speech(path: Path, *, cancel: threading.Event | None = None, limits: Limits = DEFAULT_LIMITS) -> Speech:
    """Decode a recording and measure it.

    Raises InvalidMedia where it holds no sound at all, and what `read_output` raises.
    """
    sound = open_input(path, formats=SPEECH_FORMATS).audio.filter("aresample", SAMPLE_RATE_HZ)
    # Only the count of samples is exact: headers of compressed speech count the encoder's padding.
    counted = sound.filter("astats", metadata=1, measure_overall="Number_of_samples", measure_perchannel="none").filter(
        "ametadata", "print", key="lavfi.astats.Overall.Number_of_samples", file="pipe:1"
    )
    text = _print_metadata(print_loudness(counted), cancel, limits)
    samples = _read_last(text, "astats.Overall.Number_of_samples")
    if not samples:
        raise InvalidMedia(MediaFault.NO_AUDIO, f"{path.name} holds no sound")
    duration_seconds = samples / SAMPLE_RATE_HZ
    loudness = read_loudness(text)
    pauses: tuple[Pause, ...] = (Pause(0.0, duration_seconds),)
    if loudness.integrated_lufs is not None:
        quiet_db = max(QUIETEST_LUFS, loudness.integrated_lufs - PAUSE_BELOW_SPEECH_DB)
        pauses = _find_pauses(path, quiet_db, duration_seconds, cancel, limits)
    return Speech(duration_seconds=duration_seconds, loudness=loudness, pauses=pauses)


def measure_loudness(
    sound: Stream,
    *,
    peak: Literal["true", "sample"] = "true",
    cancel: threading.Event | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Loudness:
    """Measure an audio stream of a graph, such as `open_input(path).audio`. Raises what `read_output` raises."""
    printed = print_loudness(sound.filter("aresample", SAMPLE_RATE_HZ), peak=peak)
    return read_loudness(_print_metadata(printed, cancel, limits))


def print_loudness(sound: Stream, *, peak: Literal["true", "sample"] = "true") -> Stream:
    """The stream with its loudness so far printed to `pipe:1` as it goes by; `read_loudness` reads that.

    The true peak takes as long again as the loudness; with `peak="sample"` it stays unknown.
    """
    # ebur128 drops what does not fill its last 100 ms, so silence of that length goes behind.
    measured = sound.filter("apad", pad_dur=0.1).filter("ebur128", metadata=1, peak=peak)
    return measured.filter("ametadata", "print", file="pipe:1")


def read_loudness(text: str) -> Loudness:
    """The loudness of the whole, from what `print_loudness` printed."""
    integrated_lufs = _read_last(text, "r128.I")
    true_peak = _read_last(text, "r128.true_peak")
    if integrated_lufs is None or integrated_lufs <= QUIETEST_LUFS:
        return Loudness(integrated_lufs=None, true_peak_dbfs=None)
    return Loudness(integrated_lufs=integrated_lufs, true_peak_dbfs=20 * math.log10(true_peak) if true_peak else None)


def join_speech(
    pieces: Sequence[Path],
    output: Path,
    *,
    pause_seconds: float = 0.4,
    cancel: threading.Event | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> JoinedSpeech:
    """Write the pieces one after another to a mono 48 kHz WAV, with a pause between them and no click at the joints.

    Nothing of a piece is left out; its first and last 10 ms are faded. Raises as `measure_speech` does.
    """
    durations = [measure_speech(piece, cancel=cancel, limits=limits).duration_seconds for piece in pieces]
    pause_samples = round(pause_seconds * SAMPLE_RATE_HZ)
    streams, starts, position_samples = [], [], 0
    for index, (piece, duration_seconds) in enumerate(zip(pieces, durations, strict=True)):
        samples = round(duration_seconds * SAMPLE_RATE_HZ)
        padded_samples = samples + (pause_samples if index < len(pieces) - 1 else 0)
        streams.append(
            open_input(piece, formats=SPEECH_FORMATS, copy=index)
            .audio.filter("aresample", SAMPLE_RATE_HZ)
            .filter("aformat", sample_fmts="fltp", channel_layouts="mono")
            .filter("afade", "in", duration=JOIN_FADE_SECONDS)
            .filter(
                "afade",
                "out",
                start_time=max(0.0, duration_seconds - JOIN_FADE_SECONDS),
                duration=JOIN_FADE_SECONDS,
            )
            .filter("apad", whole_len=padded_samples)
            .filter("atrim", end_sample=padded_samples)
        )
        starts.append(position_samples / SAMPLE_RATE_HZ)
        position_samples += padded_samples
    joined = ffmpeg.concat(*streams, v=0, a=1)
    written = ffmpeg.output(joined, str(output.absolute()), format="wav", acodec="pcm_s16le", map_metadata=-1)
    run(compile_arguments(written), cancel=cancel, limits=limits)
    return JoinedSpeech(path=output, duration_seconds=position_samples / SAMPLE_RATE_HZ, starts_seconds=tuple(starts))


def _print_metadata(stream: Stream, cancel: threading.Event | None, limits: Limits) -> str:
    nothing = ffmpeg.output(stream, "-", format="null")
    return b"".join(read_output(compile_arguments(nothing), cancel=cancel, limits=limits)).decode()


def _read_last(text: str, key: str) -> float | None:
    found = re.findall(rf"^lavfi\.{re.escape(key)}=(\S+)$", text, flags=re.MULTILINE)
    value = float(found[-1]) if found else math.nan
    return value if math.isfinite(value) else None


def _find_pauses(
    path: Path, quiet_db: float, duration_seconds: float, cancel: threading.Event | None, limits: Limits
) -> tuple[Pause, ...]:
    sound = open_input(path, formats=SPEECH_FORMATS).audio.filter("aresample", SAMPLE_RATE_HZ)
    marked = sound.filter("silencedetect", noise=f"{quiet_db:.2f}dB", duration=SHORTEST_PAUSE_SECONDS, mono=0)
    text = _print_metadata(marked.filter("ametadata", "print", file="pipe:1"), cancel, limits)
    starts = [float(value) for value in re.findall(r"^lavfi\.silence_start=(\S+)$", text, flags=re.MULTILINE)]
    ends = [float(value) for value in re.findall(r"^lavfi\.silence_end=(\S+)$", text, flags=re.MULTILINE)]
    ends += [duration_seconds] * (len(starts) - len(ends))  # the last one may reach the end, which nobody tells
    return tuple(
        Pause(max(0.0, start), min(end, duration_seconds))
        for start, end in zip(starts, ends, strict=True)
        if end > start
    )
