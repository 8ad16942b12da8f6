from pathlib import Path

import pytest

from coaching.providers.local.file_store import FileStore
from tests.coaching.providers.local.file_store.steps import Clock
from tests.coaching.providers.local.racers import SECRET


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> FileStore:
    return FileStore(root=tmp_path / "objects", secret=SECRET, read_clock=clock)
