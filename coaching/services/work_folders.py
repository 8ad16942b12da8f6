"""The folder that one attempt works in. It goes with the attempt, or with the next stage that this machine runs."""

import contextlib
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

from coaching.models import StageRun, StageState
from coaching.services.runs import Claim

logger = logging.getLogger(__name__)

NAME = re.compile(r"(?P<stage>[a-z]+)-(?P<run_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<fence>\d+)-\w+")


@contextlib.contextmanager
def make_work_folder(claim: Claim) -> Iterator[Path]:
    """An empty folder on this machine, removed when the block ends; with it what killed attempts left behind."""
    settings.WORK_DIR.mkdir(parents=True, exist_ok=True)
    sweep_work_folders()
    prefix = f"{claim.stage}-{claim.run_id}-{claim.fence}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=settings.WORK_DIR, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def sweep_work_folders() -> int:
    """Remove the folders of attempts that own their stage no more: their worker was killed, or is fenced out."""
    swept = 0
    for folder in settings.WORK_DIR.iterdir():
        if (named := NAME.fullmatch(folder.name)) and not StageRun.objects.filter(
            run_id=UUID(named["run_id"]), stage=named["stage"], fence=int(named["fence"]), state=StageState.RUNNING
        ).exists():
            shutil.rmtree(folder, ignore_errors=True)  # another process may be sweeping it too
            swept += 1
    if swept:
        logger.info("removed %d work folders that killed attempts left", swept)
    return swept
