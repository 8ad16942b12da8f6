"""One broken rule, as the repair round and the operator read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`field` is the text at fault ("part1", "next_action", …), `excerpt` the offending words ("" where words are
    missing), `instruction` what a writer has to do about it."""

    code: str
    field: str
    excerpt: str
    instruction: str
