"""Clears away what learners began and never finished: uploads, half-received files, drafts."""

import contextlib
import logging
import time
from dataclasses import dataclass

from django.conf import settings

from coaching.errors import NotFound
from coaching.providers.registry import get_self_served_store
from coaching.services.privacy import delete_expired_raw_media
from coaching.services.sessions import cancel_abandoned_drafts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    drafts: int
    uploads: int
    files: int
    footage: int


def sweep_unfinished() -> SweepReport:
    """Cancel abandoned drafts, drop expired uploads and the temporary files of broken requests, and delete footage
    that has been kept for as long as promised. Safe to repeat.
    """
    report = SweepReport(
        drafts=cancel_abandoned_drafts(),
        uploads=_sweep_store(),
        files=_sweep_received_files(),
        footage=delete_expired_raw_media(),
    )
    if any((report.drafts, report.uploads, report.files, report.footage)):
        logger.info("swept %s", report)
    return report


def _sweep_store() -> int:
    """Cloud Storage forgets expired uploads by itself; a store of our own is swept here."""
    try:
        store = get_self_served_store()
    except NotFound:
        return 0
    return store.sweep_uploads(older_than=settings.UPLOAD_LIFETIME)


def _sweep_received_files() -> int:
    """Files of multipart requests that broke: whoever wrote one removes it, unless the process died first."""
    cutoff = time.time() - settings.UPLOAD_LIFETIME.total_seconds()
    swept = 0
    for file in settings.FILE_UPLOAD_TEMP_DIR.iterdir():
        with contextlib.suppress(FileNotFoundError):  # its request has just ended
            if file.stat().st_mtime < cutoff:
                file.unlink()
                swept += 1
    return swept
