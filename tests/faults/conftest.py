from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cluster import LEASE_SECONDS, WATCHDOG_SECONDS, Cluster, open_cluster


@pytest.fixture
def open_test_cluster(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Callable[..., Cluster]]:
    """Opens a cluster with the environment that a test wants; this process publishes to the same broker."""
    settings.STAGE_LEASE_SECONDS = LEASE_SECONDS
    settings.WATCHDOG_PERIOD_SECONDS = WATCHDOG_SECONDS
    settings.REPUBLISH_AFTER_SECONDS = 2
    with ExitStack() as stack:
        yield lambda **env: stack.enter_context(open_cluster(tmp_path, broker_url=settings.REDIS_URL, **env))


@pytest.fixture
def cluster(open_test_cluster: Callable[..., Cluster]) -> Cluster:
    return open_test_cluster()
