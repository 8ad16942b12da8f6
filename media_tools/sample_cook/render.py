"""Renders a cook, or one of the negatives, as an MP4, and says what is true of it."""

import threading
from pathlib import Path

from media_tools.sample_cook.conditions import Conditions
from media_tools.sample_cook.cook import film_cook
from media_tools.sample_cook.film import FilmShape, shoot_film
from media_tools.sample_cook.negatives import film_negative
from media_tools.sample_cook.truth import CookTruth, Negative, Variant

FULL_SIZE, FULL_FPS = (1280, 720), 24
SMALL_SIZE, SMALL_FPS = (320, 180), 10


def render_cook(
    variant: Variant,
    seed: int,
    output: Path,
    *,
    size: tuple[int, int] = FULL_SIZE,
    fps: int = FULL_FPS,
    drawings_per_second: int | None = None,
    conditions: Conditions | None = None,
    cancel: threading.Event | None = None,
) -> CookTruth:
    """Render a cook of 60 to 75 s to `output` (MP4, H.264 and AAC); returns its ground truth.

    `size` is 16:9, in pixels. `drawings_per_second` divides `fps`; a third or a half of it where it is not given.
    The same arguments give the same truth, sound and drawings. Raises ValueError for a shape that cannot be drawn,
    and what `media_tools.ffmpeg.feed_input` raises; then there is no output.
    """
    shape = _choose_shape(size, fps, drawings_per_second)
    film, truth = film_cook(variant, seed, shape, conditions or Conditions())
    shoot_film(film, output, shape, cancel=cancel)
    return truth


def render_negative(
    kind: Negative,
    seed: int,
    output: Path,
    *,
    size: tuple[int, int] = FULL_SIZE,
    fps: int = FULL_FPS,
    drawings_per_second: int | None = None,
    conditions: Conditions | None = None,
    hidden_variant: Variant = Variant.GOOD,
    cancel: threading.Event | None = None,
) -> CookTruth:
    """Render a film from which nothing can honestly be told; returns its ground truth. Otherwise as `render_cook`.

    In SILENT_TRACK and NO_TRACK the picture, in STATIC_SHOT and DARK_SHOT the sound is that of `hidden_variant`'s
    cook; the other kinds show no frying at all.
    """
    shape = _choose_shape(size, fps, drawings_per_second)
    film, truth = film_negative(kind, seed, shape, conditions or Conditions(), hidden_variant)
    shoot_film(film, output, shape, cancel=cancel)
    return truth


def _choose_shape(size: tuple[int, int], fps: int, drawings_per_second: int | None) -> FilmShape:
    if drawings_per_second is None:
        drawings_per_second = next((fps // held for held in (3, 2) if fps % held == 0), fps)
    return FilmShape(size=size, fps=fps, drawings_per_second=drawings_per_second)
