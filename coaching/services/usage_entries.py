"""What a stage or an answer cost, over all its attempts: what an attempt that failed spent stays, for it was spent."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db.models.expressions import RawSQL

from coaching.errors import MomentCloneError


def append_usage(entries: Sequence[dict[str, Any]]) -> RawSQL:
    """The row's `usage` with these `ports.Usage` behind it, as a value for `update`."""
    return RawSQL("usage || %s::jsonb", [json.dumps(list(entries))])


def list_usage(error: Exception) -> list[dict[str, Any]]:
    """What was paid for in vain before `error` was raised."""
    return [asdict(entry) for entry in error.usage] if isinstance(error, MomentCloneError) else []
