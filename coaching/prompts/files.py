"""Prompts are plain-text files beside this module, reviewed like code.

    version: 3

    === system
    Who the model is and what always holds.
    === task
    What to do with ${dish}: names in braces are filled in by the adapter.

The version that a call records holds the declared number and a hash of the file, so that a change can be told from
the one before it even where somebody forgot to raise the number. `${data_notice}` is filled in here: it goes with the
fences of `coaching.prompts.fence`.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from coaching.prompts.fence import DATA_NOTICE

FOLDER = Path(__file__).resolve().parent
_FORM = re.compile(r"version: (?P<number>\d+)\n\n=== system\n(?P<system>.+?)\n=== task\n(?P<task>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """`version` is `NAME-NUMBER.HASH`, as `Usage.prompt_version` keeps it."""

    name: str
    version: str
    system: str
    task: Template

    def fill(self, **blocks: str) -> str:
        """The task with every gap filled, in one pass: what fills a gap is not read again. Raises `KeyError`."""
        return self.task.substitute(**blocks).strip()


@cache
def read_prompt(name: str) -> Prompt:
    """Raises `FileNotFoundError` for a name without a file, `ValueError` for a file without the form above."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    parts = _FORM.fullmatch(text)
    if parts is None:
        raise ValueError(f"coaching/prompts/{name}.txt is not in the form of a prompt")
    return Prompt(
        name=name,
        version=f"{name}-{parts['number']}.{hashlib.sha256(text.encode()).hexdigest()[:8]}",
        system=Template(parts["system"].strip()).substitute(data_notice=DATA_NOTICE),
        task=Template(parts["task"]),
    )
