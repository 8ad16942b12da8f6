"""The rows of var/bench.json, so that a later run can be compared."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROWS_PATH = Path(__file__).parents[2] / "var" / "bench.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured quality. It holds where the value is at most the target."""

    row: str
    value: float
    unit: str
    target: float

    @property
    def holds(self) -> bool:
        return self.value <= self.target


def record_rows(rows: Sequence[Row], path: Path = ROWS_PATH) -> None:
    """Print the rows and put them into the file, in place of earlier ones of the same names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    earlier = json.loads(path.read_text()) if path.exists() else []
    names = {row.row for row in rows}
    kept = [row for row in earlier if row["row"] not in names]
    entries = [*kept, *({**asdict(row), "value": round(row.value, 4), "holds": row.holds} for row in rows)]
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
    unfinished.replace(path)
    for row in rows:
        verdict = "holds" if row.holds else "DOES NOT HOLD"
        print(f"{row.row:44} {row.value:8.3f} {row.unit:8} target {row.target:g}: {verdict}", flush=True)
