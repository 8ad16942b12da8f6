"""What `make demo` was asked for."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLES = ("good", "mistake")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """`video` is a file, or one of `SAMPLES`. `out` and `report` are where the film and the figures go."""

    video: str
    memo: Path | None
    dish: str
    once: bool
    out: Path | None
    report: Path | None
    chaos: bool
    google: str = ""


def read_options(arguments: Sequence[str] | None = None) -> DemoOptions:
    parser = argparse.ArgumentParser(
        prog="python -m project.demo", description="Send a cook through the product and show the film that comes back."
    )
    parser.add_argument(
        "--video", default="mistake", help="a video of a cook, or the drawn sample 'good' or 'mistake' (default)"
    )
    parser.add_argument("--memo", type=Path, help="a voice memo; the samples bring their own")
    parser.add_argument("--dish", default="fried-rice", help="the dish's slug (default: fried-rice)")
    parser.add_argument("--once", action="store_true", help="stop when the film is there (status 0) or failed (1)")
    parser.add_argument("--out", type=Path, help="where the film goes (default: var/demo/film.mp4)")
    parser.add_argument("--report", type=Path, help="where the figures go, as JSON (default: var/demo/report.json)")
    parser.add_argument("--chaos", action="store_true", help="kill the worker in mid-compose and show the recovery")
    parser.add_argument(
        "--google", default="", choices=["", "emulated"], help="use Google's clients, against servers on this machine"
    )
    found = parser.parse_args(arguments)
    if found.video not in SAMPLES and not Path(found.video).is_file():
        parser.error(f"there is no video at {found.video}")
    if found.memo is not None and not found.memo.is_file():
        parser.error(f"there is no memo at {found.memo}")
    return DemoOptions(**vars(found))
