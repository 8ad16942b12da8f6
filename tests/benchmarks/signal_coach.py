"""How the offline coach judges cooks it was never tuned on: `python -m tests.benchmarks.signal_coach`.

Its thresholds were set on seeds under 100; smaller ones are refused here. Each variant is filmed in every condition,
each negative plainly and with automatic gain. A film takes some five seconds to draw.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from coaching.providers.local.signal_coach import SignalCoach
from media_tools.sample_cook import Negative, Variant
from tests.benchmarks.rows import Row, record_rows
from tests.coaching.providers.local.cooks import (
    CONDITIONS,
    NEAR_SECONDS,
    Case,
    Tally,
    analyse,
    compose_dish_text,
)

FIRST_FRESH_SEED = 100
NEGATIVE_CONDITIONS = ("plain", "gain, hood, speech")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs=2, default=(100, 102), help="the first, and the one after the last")
    parser.add_argument("--conditions", nargs="*", choices=list(CONDITIONS), default=list(CONDITIONS))
    parser.add_argument("--folder", type=Path, help="where films are made and kept; else a temporary one")
    options = parser.parse_args()
    if options.seeds[0] < FIRST_FRESH_SEED:
        parser.error(f"seeds under {FIRST_FRESH_SEED} were used for tuning")
    with tempfile.TemporaryDirectory(prefix="cooks-") as name:
        folder = options.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        tally = judge_cases(list_cases(range(*options.seeds), options.conditions), folder)
    print(tally.describe(), flush=True)
    cooks = [row for row in tally.counts if not row.startswith("negative")]
    plain = [row for row in cooks if row.startswith("plain")]
    filmed = tally.total("right") + tally.total("could not tell") + tally.total("false")
    of_plain = sum(sum(tally.counts[row].values()) for row in plain)
    of_cooks = sum(sum(tally.counts[row].values()) for row in cooks)
    errors = [seconds for row in cooks for seconds in tally.errors_seconds[row]]
    record_rows(
        [
            Row("signal coach: false claims", tally.total("false") / filmed, "share", 0.0),
            Row("signal coach: plain cooks not told", 1 - tally.total("right", plain) / max(1, of_plain), "share", 0.1),
            Row("signal coach: cooks not told", 1 - tally.total("right", cooks) / max(1, of_cooks), "share", 0.3),
            Row("signal coach: key moment off by at most", max(errors, default=0.0), "seconds", NEAR_SECONDS),
        ]
    )


def list_cases(seeds: Sequence[int], conditions: Sequence[str]) -> Iterator[Case]:
    for condition in conditions:
        for variant in Variant:
            yield from (Case(kind=variant, seed=seed, conditions=condition) for seed in seeds)
    for condition in NEGATIVE_CONDITIONS:
        for negative in Negative:
            for seed in seeds:
                hidden = list(Variant)[seed % len(Variant)]
                yield Case(kind=negative, seed=seed, conditions=condition, hidden=hidden)


def judge_cases(cases: Iterator[Case], folder: Path) -> Tally:
    """Film and judge them all; what is claimed wrongly is printed at once."""
    tally, dish = Tally(), compose_dish_text("fried-rice")
    coach = SignalCoach(cache_folder=folder / "cache")
    for case in cases:
        film, truth = case.film(folder)
        analysis = analyse(film, truth, dish=dish, coach=coach)
        is_negative = isinstance(case.kind, Negative)
        row = f"negative, {case.conditions}: {case.kind}" if is_negative else f"{case.conditions}: {case.kind}"
        if tally.add(row, analysis, truth) == "false":
            print(
                f"FALSE {case.name}: {analysis.outcome} {analysis.mistake_slug} at {analysis.key_moment_seconds}, "
                f"true at {truth.key_moment_seconds}; {analysis.reasons}",
                flush=True,
            )
    return tally


if __name__ == "__main__":
    main()
