"""The rows of var/evaluate.json, so that a later run can be compared."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured quality; `at_least` says on which side of the target it holds. No target: it is only told."""

    row: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = True

    @property
    def holds(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target

    def describe(self) -> str:
        text = f"{self.row:52} {self.value:9.3f} {self.unit:8}"
        if self.target is None:
            return text
        return f"{text} target {'>=' if self.at_least else '<='} {self.target:g}: {'holds' if self.holds else 'FAILS'}"


def record_rows(rows: Sequence[Row], path: Path) -> None:
    """Put the rows into the file, in place of earlier ones of the same names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    names = {row.row for row in rows}
    entries = [entry for entry in earlier if entry["row"] not in names]
    for row in rows:
        entry = asdict(row) | {"value": round(row.value, 4), "holds": row.holds}
        del entry["at_least"]
        entries.append(entry)
    draft = path.with_suffix(".unfinished")
    draft.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
