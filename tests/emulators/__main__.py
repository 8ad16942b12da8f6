"""`python -m tests.emulators --folder DIR`: Google on this machine, for `make demo GOOGLE=emulated`.

Writes DIR/environment.json, which points the product here, when everything listens; stops on SIGTERM or Ctrl-C.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from coaching.providers.deadline import Deadline
from coaching.providers.local.kokoro import KokoroVoice
from coaching.providers.local.openjtalk import OpenJTalkVoice
from coaching.providers.local.sentence_vectors import SentenceVectors
from coaching.providers.local.signal_coach import SignalCoach
from coaching.providers.local.whisper import WhisperRecogniser
from tests.emulators.answering_gemini import make_answerer
from tests.emulators.answering_speech import make_listener, make_speaker
from tests.emulators.services import Answerers, open_services

VOICES = {"kokoro": KokoroVoice, "openjtalk": OpenJTalkVoice}
MOST_CHARACTERS = 400  # the engine cannot be stopped in a long text


def make_local_answerers(*, cache_folder: Path, voice: str) -> Answerers:
    """What the embedded engines make of what really arrived."""
    vectors = SentenceVectors(cache_folder)

    def embed(text: str) -> list[float]:
        vector = vectors.embed(text[:MOST_CHARACTERS], Deadline(60, doing="embedding"))
        return [float(value) for value in vector]

    return Answerers(
        watch=lambda fetch_video: make_answerer(SignalCoach(cache_folder=cache_folder), fetch_video=fetch_video),
        listen=make_listener(WhisperRecogniser(cache_folder=cache_folder)),
        speak=make_speaker(VOICES[voice](cache_folder=cache_folder)),
        embed=embed,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.emulators", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="what the servers keep")
    parser.add_argument("--models", type=Path, required=True, help="where the embedded engines keep their weights")
    parser.add_argument("--voice", choices=sorted(VOICES), default="kokoro")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    answerers = make_local_answerers(cache_folder=options.models, voice=options.voice)
    with open_services(options.folder, answerers) as services:
        target = options.folder / "environment.json"
        draft = target.with_suffix(".draft")
        draft.write_text(json.dumps(services.environment, indent=2))
        draft.replace(target)
        stop.wait()
        for complaint in services.complaints:
            print(f"complaint: {complaint}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
