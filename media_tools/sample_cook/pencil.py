"""Draws in design units, so that one drawing serves every size of film.

The design is a canvas of CANVAS_WIDTH x CANVAS_HEIGHT units: a view of 1280 x 720 with a margin all round for the
sway of the camera. `scale` is pixels per unit: 1.0 gives a film of 1280 x 720.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

VIEW_WIDTH, VIEW_HEIGHT, MARGIN = 1280, 720, 24
CANVAS_WIDTH, CANVAS_HEIGHT = VIEW_WIDTH + 2 * MARGIN, VIEW_HEIGHT + 2 * MARGIN
SUPERSAMPLING = 3

Colour: TypeAlias = tuple[int, int, int]
Paint: TypeAlias = tuple[int, ...]  # RGB or RGBA
Point: TypeAlias = tuple[float, float]
Picture: TypeAlias = Image.Image


def mix(first: Paint, second: Paint, share: float) -> Colour:
    """From `first` (share 0) to `second` (share 1)."""
    red, green, blue = (int(a + (b - a) * share) for a, b in zip(first[:3], second[:3], strict=True))
    return red, green, blue


def shade(colour: Paint, factor: float) -> Colour:
    """The colour made darker (factor below 1)."""
    return mix((0, 0, 0), colour, factor)


def ease(position: float) -> float:
    """0 to 1 with a soft start and a soft end; clamped outside."""
    position = min(max(position, 0.0), 1.0)
    return position * position * (3 - 2 * position)


def ease_between(seconds: float, start: float, end: float, ramp_seconds: float) -> float:
    """0 before `start`, 1 from start + ramp to `end`, 0 after end + ramp."""
    return ease((seconds - start) / ramp_seconds) * (1 - ease((seconds - end) / ramp_seconds))


class Pencil:
    """Pillow's drawing with every length in design units."""

    def __init__(self, picture: Picture, scale: float) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._scale = scale

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._scale, y * self._scale) for x, y in points]

    def _box(self, centre: Point, radius_x: float, radius_y: float) -> list[Point]:
        x, y = centre
        return self._points([(x - radius_x, y - radius_y), (x + radius_x, y + radius_y)])

    def _width(self, width: float) -> int:
        return max(1, round(width * self._scale)) if width else 0

    def ellipse(
        self,
        centre: Point,
        radius_x: float,
        radius_y: float,
        fill: Paint | None,
        *,
        outline: Paint | None = None,
        width: float = 0,
    ) -> None:
        """An ellipse around `centre`."""
        self._draw.ellipse(self._box(centre, radius_x, radius_y), fill=fill, outline=outline, width=self._width(width))

    def arc(
        self,
        centre: Point,
        radius_x: float,
        radius_y: float,
        *,
        degrees: tuple[float, float],
        fill: Paint,
        width: float,
    ) -> None:
        """A part of an ellipse's outline, clockwise from three o'clock."""
        self._draw.arc(self._box(centre, radius_x, radius_y), *degrees, fill=fill, width=self._width(width))

    def line(self, points: Sequence[Point], fill: Paint, width: float) -> None:
        """A line through the points."""
        self._draw.line(self._points(points), fill=fill, width=self._width(width), joint="curve")

    def polygon(self, points: Sequence[Point], fill: Paint) -> None:
        """A filled polygon."""
        self._draw.polygon(self._points(points), fill=fill)

    def box(
        self,
        left_top: Point,
        right_bottom: Point,
        fill: Paint,
        *,
        radius: float = 0,
        outline: Paint | None = None,
        width: float = 0,
    ) -> None:
        """A rectangle, with round corners where `radius` says so."""
        corners = self._points([left_top, right_bottom])
        self._draw.rounded_rectangle(
            corners, radius * self._scale, fill=fill, outline=outline, width=self._width(width)
        )


def scale_size(width: float, height: float, scale: float) -> tuple[int, int]:
    """Design units as whole pixels, at least one each way."""
    return max(1, round(width * scale)), max(1, round(height * scale))


def draw_sprite(width: float, height: float, scale: float, draw: Callable[[Pencil], None]) -> Picture:
    """A transparent picture of width x height units with smooth edges."""
    fine = scale * SUPERSAMPLING
    picture = Image.new("RGBA", scale_size(width, height, fine), (0, 0, 0, 0))
    draw(Pencil(picture, fine))
    # Premultiplied while it shrinks, or the transparent black would darken the edges.
    small = picture.convert("RGBa").resize(scale_size(width, height, scale), Image.Resampling.BOX)
    return small.convert("RGBA")


def draw_layer(scale: float, background: Paint, draw: Callable[[Pencil], None]) -> Picture:
    """A whole canvas with smooth edges, RGB or RGBA as `background` is."""
    fine = scale * (2 if scale > 0.5 else 3)  # small films need finer averaging, and can afford it
    mode = "RGBA" if len(background) == 4 else "RGB"
    picture = Image.new(mode, scale_size(CANVAS_WIDTH, CANVAS_HEIGHT, fine), background)
    draw(Pencil(picture, fine))
    size = scale_size(CANVAS_WIDTH, CANVAS_HEIGHT, scale)
    if mode == "RGB":
        return picture.resize(size, Image.Resampling.LANCZOS)
    return picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")


def draw_glow(width: float, height: float, scale: float, colour: Colour, strength: int) -> Picture:
    """A soft patch that fades outwards; `strength` is its opacity in the middle, 0 to 255."""
    columns, rows = scale_size(width, height, scale)
    x, y = np.linspace(-1, 1, columns)[None, :], np.linspace(-1, 1, rows)[:, None]
    pixels = np.zeros((rows, columns, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = np.clip(1 - np.hypot(x, y), 0, 1) ** 1.6 * strength
    return Image.fromarray(pixels)


def paste(canvas: Picture, sprite: Picture, left: float, top: float, scale: float) -> None:
    """Lay an RGBA sprite on the canvas, its corner given in design units."""
    canvas.paste(sprite, (round(left * scale), round(top * scale)), sprite)


def to_mask(alpha: npt.NDArray[np.floating]) -> Picture:
    """An 8-bit mask from opacities of 0 to 1."""
    return Image.fromarray((np.clip(alpha, 0, 1) * 255).astype(np.uint8))
