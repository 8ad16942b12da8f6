from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from coaching.providers.local.openjtalk import OpenJTalkVoice
from coaching.providers.local.whisper import WhisperRecogniser
from tests.coaching.providers.contract.engines import Room
from tests.emulators.world import GoogleWorld


@pytest.fixture(scope="module")
def room(
    cache_folder: Path,
    google_world: GoogleWorld,
    listener: WhisperRecogniser,
    fast_voice: OpenJTalkVoice,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(
            cache_folder=cache_folder,
            folder=tmp_path_factory.mktemp("room"),
            stack=stack,
            world=google_world,
            recogniser=listener,
            fast_voice=fast_voice,
        )
