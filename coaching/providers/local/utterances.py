"""A text spoken sentence by sentence."""

from collections.abc import Callable

from coaching.errors import ProviderRefused
from coaching.providers.deadline import Deadline
from coaching.providers.local.readings import write_as_read
from coaching.providers.ports import Speech, SpeechRequest, Usage
from coaching.providers.spoken_audio import (
    Samples,
    join_with_pauses,
    limit_peak,
    split_sentences,
    trim_to_speech,
    write_wav,
)


def speak_sentences(
    request: SpeechRequest, *, say: Callable[[str], Samples], sample_rate_hz: int, model: str, deadline: Deadline
) -> Speech:
    """Write the whole text to `request.output`; `say` speaks one sentence (float32 mono, about ±1).

    The file appears whole or not at all. Raises `ProviderRefused` when there is nothing to say, `ProviderUnavailable`
    at the deadline.
    """
    spoken: list[Samples] = []
    for sentence in split_sentences(write_as_read(request.text)):
        deadline.check()
        samples = trim_to_speech(say(sentence), sample_rate_hz=sample_rate_hz)
        if samples.size:
            spoken.append(samples)
    if not spoken:
        raise ProviderRefused(f"nothing can be spoken of the text {request.text[:80]!r}")
    deadline.check()
    joined = limit_peak(join_with_pauses(spoken, sample_rate_hz=sample_rate_hz))
    write_wav(request.output, joined, sample_rate_hz=sample_rate_hz)
    seconds = joined.size / sample_rate_hz
    return Speech(
        path=request.output,
        duration_seconds=seconds,
        sample_rate_hz=sample_rate_hz,
        usage=Usage(provider="local", model=model, audio_seconds=seconds, characters=len(request.text)),
    )
