"""The film's sound: the voice, the pan faintly under it, the outro; mixed once, to the sample."""

import threading
from dataclasses import dataclass
from pathlib import Path

import ffmpeg

from media_tools.errors import MediaToolFailed
from media_tools.facts import VideoFacts
from media_tools.ffmpeg import Limits, Stream, compile_arguments, open_input, read_output
from media_tools.film_clock import SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, to_seconds
from media_tools.key_moment import REPLAY_SPEED, KeyClip
from media_tools.narration import (
    SPEECH_FORMATS,
    TARGET_LUFS,
    Loudness,
    Speech,
    compute_gain_db,
    measure_loudness,
    print_loudness,
    read_loudness,
)
from media_tools.outro import write_outro_sound

AMBIENCE_LUFS = -27.0
MOST_AMBIENCE_GAIN_DB = 12.0
"""A kitchen that was silent stays silent: more gain would make noise of it."""

AMBIENCE_FADE_SECONDS = 0.3
DUCKING = {"threshold": 0.05, "ratio": 3, "attack": 30, "release": 600}
"""The pan steps back by about 7 dB while the voice is there: the voice lies ten decibels above the threshold."""

CEILING = 0.84  # of full scale, -1.5 dB: what AAC adds to a peak stays below full scale


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPlan:
    """Frames of the three sections, and what is heard in them."""

    part1: Path
    part1_speech: Speech
    part2: Path
    part2_speech: Speech
    intro_frames: int
    outro_frames: int
    clip: KeyClip
    source: Path | str
    facts: VideoFacts


def mix_sound(
    plan: SoundPlan, folder: Path, output: Path, *, cancel: threading.Event | None, limits: Limits
) -> Loudness:
    """Write the film's whole sound as a 48 kHz stereo WAV and return its loudness.

    The voice is at -16 LUFS before the mix. Raises what `read_output` raises.
    """
    outro = folder / "outro.wav"
    write_outro_sound(outro, to_seconds(plan.outro_frames))
    voice1 = _open_voice(plan.part1, plan.part1_speech, plan.intro_frames, copy=1)
    voice2 = _open_voice(plan.part2, plan.part2_speech, plan.clip.frames, copy=2)
    ambience = _open_ambience(plan, cancel=cancel, limits=limits)
    key = voice2 if ambience is None else _duck(ambience, voice2)
    applause = _cut(open_input(outro, formats=("wav",)).audio, plan.outro_frames)
    mixed = ffmpeg.concat(voice1, key, applause, v=0, a=1).filter_multi_output("asplit", 2)
    arguments = compile_arguments(
        ffmpeg.output(mixed[0], str(output), format="wav", acodec="pcm_f32le"),
        ffmpeg.output(print_loudness(mixed[1], peak="sample"), "-", format="null"),
    )
    text = b"".join(read_output(arguments, cancel=cancel, limits=limits)).decode()
    if not output.is_file():
        raise MediaToolFailed("FFmpeg mixed no sound")
    return read_loudness(text)


def level_sound(sound: Stream, loudness: Loudness) -> Stream:
    """The mixed sound brought to -16 LUFS as a whole, its peaks kept below full scale."""
    gain_db = compute_gain_db(loudness.integrated_lufs, TARGET_LUFS)
    return sound.filter("volume", f"{gain_db:.3f}dB").filter("alimiter", limit=CEILING, level=0, latency=1)


def _open_voice(path: Path, speech: Speech, frames: int, *, copy: int) -> Stream:
    voice = open_input(path, formats=SPEECH_FORMATS, copy=copy).audio
    return _cut(voice.filter("aresample", SAMPLE_RATE_HZ).filter("volume", f"{speech.loudness.gain_db:.3f}dB"), frames)


def _open_ambience(plan: SoundPlan, *, cancel: threading.Event | None, limits: Limits) -> Stream | None:
    """The key clip's own sound, as long as the picture moves; None where there is none to hear."""
    clip = plan.clip
    pass_seconds = to_seconds(clip.pass_frames)
    if plan.facts.audio_stream_index is None:
        return None
    track = open_input(plan.source, seek_seconds=clip.start_seconds, length_seconds=pass_seconds)[
        str(plan.facts.audio_stream_index)
    ]
    loudness = measure_loudness(track, peak="sample", cancel=cancel, limits=limits)
    if loudness.integrated_lufs is None:
        return None
    sound = _cut(track.filter("aresample", SAMPLE_RATE_HZ), clip.pass_frames)
    if clip.replay_frames:
        copies = sound.filter_multi_output("asplit", 2)
        start_seconds = clip.replay_start_seconds - clip.start_seconds
        replayed = copies[1].filter("atrim", start=start_seconds, duration=clip.replay_source_seconds)
        slowed = replayed.filter("asetpts", "PTS-STARTPTS").filter("atempo", REPLAY_SPEED)
        sound = ffmpeg.concat(copies[0], _cut(slowed, clip.replay_frames), v=0, a=1)
    gain_db = min(MOST_AMBIENCE_GAIN_DB, compute_gain_db(loudness.integrated_lufs, AMBIENCE_LUFS))
    ends_seconds = to_seconds(clip.pass_frames + clip.replay_frames)
    faded = (
        sound.filter("volume", f"{gain_db:.3f}dB")
        .filter("afade", "in", duration=AMBIENCE_FADE_SECONDS)
        .filter(
            "afade",
            "out",
            start_time=max(0.0, ends_seconds - AMBIENCE_FADE_SECONDS),
            duration=AMBIENCE_FADE_SECONDS,
        )
    )
    return _cut(faded, clip.frames)


def _duck(ambience: Stream, voice: Stream) -> Stream:
    voices = voice.filter_multi_output("asplit", 2)
    ducked = ffmpeg.filter([ambience, voices[1]], "sidechaincompress", **DUCKING)
    return ffmpeg.filter([voices[0], ducked], "amix", inputs=2, duration="first", normalize=0)


def _cut(sound: Stream, frames: int) -> Stream:
    """Stereo of exactly so many frames of the film: silence behind what is shorter."""
    samples = frames * SAMPLES_PER_FRAME
    return (
        sound.filter("aformat", sample_fmts="fltp", sample_rates=SAMPLE_RATE_HZ, channel_layouts="stereo")
        .filter("apad", whole_len=samples)
        .filter("atrim", end_sample=samples)
        .filter("asettb", f"1/{SAMPLE_RATE_HZ}")
        .filter("asetpts", "N")
    )
