"""Engines of this process, loaded once: each costs seconds and hundreds of megabytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from coaching.providers.local.openjtalk import OpenJTalkVoice
from coaching.providers.local.whisper import WhisperRecogniser
from tests.emulators.world import GoogleWorld, open_world


@pytest.fixture(scope="session")
def cache_folder() -> Path:
    return Path(settings.MODEL_CACHE_DIR)


@pytest.fixture(scope="session")
def listener(cache_folder: Path) -> WhisperRecogniser:
    return WhisperRecogniser(cache_folder=cache_folder)


@pytest.fixture(scope="session")
def fast_voice(cache_folder: Path) -> OpenJTalkVoice:
    return OpenJTalkVoice(cache_folder=cache_folder)


@pytest.fixture(scope="session")
def google_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleWorld]:
    """Credentials for every adapter of Google: they come from a metadata server, as on GKE."""
    with open_world(tmp_path_factory.mktemp("google")) as world:
        yield world
