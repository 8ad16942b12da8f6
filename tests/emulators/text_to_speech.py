"""Cloud Text-to-Speech v1 over gRPC: strict about its limits, spoken by an answerer."""

import io
import wave
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
from google.cloud import texttospeech_v1 as service

from tests.emulators.grpc_server import GrpcEmulator, GrpcRefusal, Method
from tests.emulators.iam import Identity

VOICES = frozenset({"ja-JP-Neural2-B", "ja-JP-Neural2-C", "ja-JP-Chirp3-HD-Kore"})
MOST_BYTES = 5000
SYNTHESIZE = "/google.cloud.texttospeech.v1.TextToSpeech/SynthesizeSpeech"

Speaker = Callable[[str, int], bytes]  # text, sample rate in Hz -> a WAV file


def compose_wav(samples: "np.typing.NDArray[np.floating[Any]]", *, sample_rate_hz: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sample_rate_hz)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def hum(text: str, sample_rate_hz: int) -> bytes:
    """A tone that begins and ends at once, in full swing: joints that are not cared for click. 20 ms a letter."""
    seconds = max(0.2, 0.02 * len(text))
    time = np.arange(int(seconds * sample_rate_hz)) / sample_rate_hz
    return compose_wav(0.5 * np.cos(2 * np.pi * 220 * time), sample_rate_hz=sample_rate_hz)


class TextToSpeechEmulator(GrpcEmulator):
    def __init__(self, identity: Identity, *, speaker: Speaker = hum) -> None:
        self._speaker = speaker
        super().__init__(identity)

    def list_methods(self) -> list[Method]:
        return [
            Method(
                name=SYNTHESIZE,
                answer=self.synthesise,
                read=service.SynthesizeSpeechRequest.deserialize,
                write=service.SynthesizeSpeechResponse.serialize,
            )
        ]

    def synthesise(self, request: service.SynthesizeSpeechRequest) -> service.SynthesizeSpeechResponse:
        text, voice, audio = request.input.text, request.voice, request.audio_config
        if not text or request.input.ssml:
            raise _complain("plain text is what is spoken here")
        if len(text.encode()) > MOST_BYTES:
            raise _complain(f"Either `input.text` or `input.ssml` is longer than the limit of {MOST_BYTES} bytes.")
        if voice.language_code != "ja-JP" or voice.name not in VOICES:
            raise _complain(f"Voice '{voice.name}' does not exist. Is it misspelled?")
        if audio.audio_encoding is not service.AudioEncoding.LINEAR16:
            raise _complain("films are made from LINEAR16")
        return service.SynthesizeSpeechResponse(audio_content=self._speaker(text, audio.sample_rate_hertz or 24_000))


def _complain(message: str) -> GrpcRefusal:
    return GrpcRefusal(grpc.StatusCode.INVALID_ARGUMENT, message)
