"""One worker of three processes and one beat for all tests of this folder, which keep apart by their sessions.

Starting them takes longer than most faults do.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from tests.faults.cluster import SHORT_TIMES, Cluster, open_cluster

TIME_LIMITS = '{"narrate": 2, "script": 2}'


@pytest.fixture(scope="package")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, emptied when the folder's last test has ended and nobody works on it any more.

    Takes the name of pytest-django's fixture, by which that plugin sees that the database is needed.
    """
    with django_db_blocker.unblock():
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="package")
def standing(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("standing")
    with (
        override_settings(**SHORT_TIMES),
        open_cluster(folder, broker_url=settings.REDIS_URL, STAGE_TIME_LIMITS_SECONDS=TIME_LIMITS) as cluster,
    ):
        cluster.start_beat()
        cluster.start_worker(concurrency=3)
        yield cluster
