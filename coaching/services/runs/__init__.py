"""Durable runs: every transition of a PipelineRun and its StageRuns, each guarded by state and fence.

The database is the truth and the outbox: a row in `queued` means that a message ought to exist, and messages carry
ids only. A worker owns a stage while its lease lives and its fence is the newest; what it made counts only when
`commit_stage` finds both still true, in the same transaction as the effect. So a message delivered twice, a worker
killed, woken late or cut off from the database, and a broker that forgets everything change nothing that counts.

Locks are always taken in the order session, run, stages. Times are the database's clock, never a worker's.
"""

from coaching.services.runs.ending import commit_stage, fail_stage
from coaching.services.runs.intervening import cancel_run, rerun_session, retry_session
from coaching.services.runs.owning import Claim, claim_stage, explain_refusal, renew_lease, report_progress
from coaching.services.runs.rows import STAGES
from coaching.services.runs.starting import start_run
from coaching.services.runs.watching import StagePointer, expire_leases, take_due_stages

__all__ = [
    "STAGES",
    "Claim",
    "StagePointer",
    "cancel_run",
    "claim_stage",
    "commit_stage",
    "expire_leases",
    "explain_refusal",
    "fail_stage",
    "renew_lease",
    "report_progress",
    "rerun_session",
    "retry_session",
    "start_run",
    "take_due_stages",
]
