"""Stage `compose`: the film."""

from coaching.errors import StageNotBuilt
from coaching.services.execution import StageJob, StageResult


def compose_film(job: StageJob) -> StageResult:
    raise StageNotBuilt(f"compose of run {job.claim.run_id}")
