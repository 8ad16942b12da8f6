"""The voice of production: Cloud Text-to-Speech over gRPC, in chunks below its limit, joined into one recording."""

import io
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from coaching.errors import EmptyAnswer, MalformedAnswer, Misconfigured, ProviderRefused
from coaching.providers.deadline import Deadline
from coaching.providers.google.connection import check_endpoint, load_credentials, open_channel
from coaching.providers.google.faults import translate_google_errors
from coaching.providers.google.patience import TRIES, call_patiently
from coaching.providers.google.per_process import PerProcess
from coaching.providers.ports import Speech, SpeechRequest, Usage
from coaching.providers.pricing import Price
from coaching.providers.spoken_audio import (
    Samples,
    join_with_pauses,
    limit_peak,
    split_sentences,
    trim_to_speech,
    write_wav,
)

if TYPE_CHECKING:
    from google.cloud.texttospeech_v1 import TextToSpeechClient

LANGUAGE = "ja-JP"
SAMPLE_RATE_HZ = 24_000
CHUNK_BYTES = 4_800  # the service takes 5,000
SENTENCE_ENDS = "。！？!?」』）)"
SERVICE = "Text-to-Speech"


class GoogleVoice:
    """The `TextToSpeech` of a Google project. `endpoint` is a server of this machine, or "" for Google's own."""

    def __init__(
        self,
        *,
        project: str,
        voice: str = "ja-JP-Neural2-B",
        price: Price | None = None,
        endpoint: str = "",
        tries: int = TRIES,
    ) -> None:
        self._project = project
        self._voice = voice
        self._price = price or Price()
        self._endpoint = check_endpoint(endpoint)
        self._tries = tries
        self._client = PerProcess(self._connect)

    def synthesise(self, request: SpeechRequest) -> Speech:
        """Writes mono PCM. Raises `ProviderRefused` for a text without words, `ProviderUnavailable` at the deadline."""
        deadline = Deadline(request.deadline_seconds, doing=f"{SERVICE}, synthesis")
        chunks = list(pack_sentences(request.text))
        if not chunks:
            raise ProviderRefused(f"nothing can be spoken of the text {request.text[:80]!r}")
        deadline.check()
        spoken = [
            self._speak(chunk, number=number, count=len(chunks), deadline=deadline)
            for number, chunk in enumerate(chunks, start=1)
        ]
        deadline.check()
        joined = limit_peak(join_with_pauses(spoken, sample_rate_hz=SAMPLE_RATE_HZ))
        write_wav(request.output, joined, sample_rate_hz=SAMPLE_RATE_HZ)
        seconds = joined.size / SAMPLE_RATE_HZ
        billed = sum(len(chunk) for chunk in chunks)
        return Speech(
            path=request.output,
            duration_seconds=seconds,
            sample_rate_hz=SAMPLE_RATE_HZ,
            usage=Usage(
                provider="google",
                model=self._voice,
                audio_seconds=seconds,
                characters=len(request.text),
                cost_usd=round(self._price.of_characters(billed), 6),
            ),
        )

    def _speak(self, text: str, *, number: int, count: int, deadline: Deadline) -> Samples:
        from google.cloud import texttospeech_v1 as service  # heavy

        asked = service.SynthesizeSpeechRequest(
            input=service.SynthesisInput(text=text),
            voice=service.VoiceSelectionParams(language_code=LANGUAGE, name=self._voice),
            audio_config=service.AudioConfig(
                audio_encoding=service.AudioEncoding.LINEAR16, sample_rate_hertz=SAMPLE_RATE_HZ
            ),
        )
        call = f"synthesis of part {number} of {count} ({self._voice})"

        def ask() -> bytes:
            deadline.check()
            with translate_google_errors(SERVICE, call, fix=self._advise()):
                answer = self._client.get().synthesize_speech(
                    request=asked, timeout=deadline.remaining_seconds, retry=None
                )
                return bytes(answer.audio_content)

        try:
            recording = call_patiently(ask, deadline=deadline, tries=self._tries)
        except ProviderRefused as error:
            if "voice" in str(error.__cause__).lower():
                raise Misconfigured(f"{error}. {self._advise()}") from error
            raise
        return trim_to_speech(read_recording(recording, what=f"{SERVICE}, {call}"), sample_rate_hz=SAMPLE_RATE_HZ)

    def _connect(self) -> "TextToSpeechClient":
        from google.cloud.texttospeech_v1 import TextToSpeechClient
        from google.cloud.texttospeech_v1.services.text_to_speech.transports import TextToSpeechGrpcTransport

        if self._endpoint:
            return TextToSpeechClient(transport=TextToSpeechGrpcTransport(channel=open_channel(self._endpoint)))
        return TextToSpeechClient(credentials=load_credentials())

    def _advise(self) -> str:
        return (
            f"GOOGLE_VOICE is {self._voice} (`gcloud ml speech voices list`, or cloud.google.com/text-to-speech/docs/"
            f"voices); texttospeech.googleapis.com must be enabled in {self._project} (GOOGLE_CLOUD_PROJECT), and the "
            "service account needs roles/serviceusage.serviceUsageConsumer there"
        )


def pack_sentences(text: str, *, limit_bytes: int = CHUNK_BYTES) -> Iterator[str]:
    """Whole sentences, as many as fit, in UTF-8; one that is longer by itself is parted at commas, then anywhere.

    What only the end of a line ends gets a mark: the line would run into the next one.
    """
    packed = ""
    for sentence in split_sentences(text):
        marked = sentence if sentence[-1] in SENTENCE_ENDS else f"{sentence}。"
        for piece in _cut(marked, limit_bytes):
            if packed and len((packed + piece).encode()) > limit_bytes:
                yield packed
                packed = ""
            packed += piece
    if packed:
        yield packed


def _cut(sentence: str, limit_bytes: int) -> Iterator[str]:
    while len(sentence.encode()) > limit_bytes:
        fitting = sentence.encode()[:limit_bytes].decode(errors="ignore")
        cut = fitting.rfind("、") + 1 or len(fitting)
        yield sentence[:cut]
        sentence = sentence[cut:]
    yield sentence


def read_recording(recording: bytes, *, what: str, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Samples:
    """The samples of a WAV answer, within ±1; raises `EmptyAnswer`, or `MalformedAnswer` where it is not as asked."""
    if not recording:
        raise EmptyAnswer(f"{what}: no sound came")
    try:
        with wave.open(io.BytesIO(recording)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise MalformedAnswer(f"{what}: what came is no WAV: {error}") from error
    if form != (1, 2, sample_rate_hz) or len(frames) % 2:
        raise MalformedAnswer(f"{what}: channels, bytes and rate are {form}")
    samples: Samples = np.frombuffer(frames, dtype="<i2").astype(np.float32) / np.float32(32768)
    if not np.abs(samples).max(initial=0.0) > 0:
        raise MalformedAnswer(f"{what}: the sound is all silence")
    return samples
