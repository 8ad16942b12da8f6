"""The search index, kept at what the content says."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from coaching.services import content

logger = logging.getLogger(__name__)

REFRESH_PERIOD_SECONDS = 300.0


@shared_task(name="tasks.upkeep.refresh_index", acks_late=False)
def refresh_index() -> None:
    """Published after an edit; beat's tick makes up for a publication that was lost."""
    content.refresh_index()


def publish_refresh() -> None:
    """Call it once the edit is committed. Without a broker the next tick does the work."""
    try:
        refresh_index.apply_async()
    except OperationalError as error:
        logger.warning("the refresh of the index is not published, the next tick does it: %s", error)
