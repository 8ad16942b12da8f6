"""The figures of one demo, as JSON: what each stage took, what came out, what it cost in memory."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coaching.models import Session, Stage, StageRun
from coaching.services.stage_outputs import Composed, Narrated, dump_output, read_output


def make_report(*, session_id: int, film: Path | None, peak_bytes: Mapping[str, int]) -> dict[str, Any]:
    """Read from the database what the run left; `film` is the downloaded copy, None where there is none."""
    session = Session.objects.get(pk=session_id)
    rows = list(StageRun.objects.filter(run_id=session.pipeline_job_id).order_by("position"))
    report: dict[str, Any] = {
        "session": session.pk,
        "run": str(session.pipeline_job_id),
        "status": session.status,
        "stages": [_describe_stage(row) for row in rows],
        "peak_memory_bytes": dict(sorted(peak_bytes.items())),
    }
    if film is None:
        return report | {"error": session.pipeline_error}
    outputs = {Stage(row.stage): row.output for row in rows}
    composed = read_output(outputs, Composed)
    return report | {
        "film": {"path": str(film)} | {k: v for k, v in dump_output(composed).items() if not k.endswith("_path")},
        "narration": dump_output(read_output(outputs, Narrated)),
        "transcript": session.voice_transcript,
        "structured_input": session.structured_input,
        "analysis": session.video_analysis,
        "diagnosis": session.video_analysis["diagnosis"],
        "key_moment_seconds": session.video_analysis["key_moment_seconds"],
        "principle_slug": session.video_analysis["principle_slug"],
        "mistake_slug": session.video_analysis["mistake_slug"],
        "retrieved": session.retrieved_context,
        "coaching_text": session.coaching_text,
        "narration_script": session.narration_script,
    }


def _describe_stage(row: StageRun) -> dict[str, Any]:
    seconds = (row.finished_at - row.started_at).total_seconds() if row.started_at and row.finished_at else None
    return {
        "stage": row.stage,
        "state": row.state,
        "seconds": seconds,
        "attempts": row.attempt,
        "errors": row.errors,
        "evictions": row.evictions,
        "queue": row.queue,
        "worker": row.worker,
        "queued_at": row.queued_at and row.queued_at.isoformat(),
        "started_at": row.started_at and row.started_at.isoformat(),
        "finished_at": row.finished_at and row.finished_at.isoformat(),
        "error": f"{row.error_class}: {row.error_message}" if row.error_class else "",
        "history": row.history,
    }


def write_report(report: Mapping[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
