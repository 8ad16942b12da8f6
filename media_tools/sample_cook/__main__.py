"""Render a sample by hand: python -m media_tools.sample_cook out.mp4 --variant good --seed 1 [--fast]

Writes the film, and its ground truth beside it as JSON.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from media_tools.errors import MediaError
from media_tools.sample_cook.render import FULL_FPS, FULL_SIZE, SMALL_FPS, SMALL_SIZE, render_cook, render_negative
from media_tools.sample_cook.truth import Negative, Variant


def main(arguments: Sequence[str]) -> int:
    """Render what the arguments say; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m media_tools.sample_cook", description="Render a sample cook.")
    parser.add_argument("output", type=Path, help="the film to write (.mp4); its truth goes beside it (.json)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--variant", type=Variant, choices=list(Variant), default=Variant.GOOD)
    what.add_argument("--negative", type=Negative, choices=list(Negative), help="a film without anything to tell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fast", action="store_true", help="small and quick, as tests use it")
    chosen = parser.parse_args(arguments)
    size, fps = (SMALL_SIZE, SMALL_FPS) if chosen.fast else (FULL_SIZE, FULL_FPS)
    try:
        if chosen.negative:
            truth = render_negative(chosen.negative, chosen.seed, chosen.output, size=size, fps=fps)
        else:
            truth = render_cook(chosen.variant, chosen.seed, chosen.output, size=size, fps=fps)
    except MediaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    truth.write(chosen.output.with_suffix(".json"))
    sys.stdout.write(truth.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
