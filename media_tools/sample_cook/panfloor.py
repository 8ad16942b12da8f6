"""The floor of the pan as a small raster: oil, egg and the bed of rice are soft fields laid on it in turn."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from media_tools.sample_cook.kitchen import FLOOR_X, FLOOR_Y, PAN
from media_tools.sample_cook.particles import Places
from media_tools.sample_cook.pencil import Colour, Picture, mix, scale_size, to_mask
from media_tools.sample_cook.stamps import StampSheet

HALF_WIDTH, HALF_HEIGHT = FLOOR_X + 18, FLOOR_Y + 18  # of the layer, in units
SHIMMER_LOOP = 24
PAD_UNITS = 120

Field = npt.NDArray[np.float32]


class PanFloor:
    """Fields over the pan's floor, at half the film's resolution (they are soft), full for small films."""

    def __init__(self, pan: Picture, scale: float) -> None:
        self.scale = scale
        self._field_scale = scale / 2 if scale > 0.5 else scale
        self.size_px = scale_size(2 * HALF_WIDTH, 2 * HALF_HEIGHT, scale)
        self._columns, self._rows = scale_size(2 * HALF_WIDTH, 2 * HALF_HEIGHT, self._field_scale)
        self.corner_px = round((PAN[0] - HALF_WIDTH) * scale), round((PAN[1] - HALF_HEIGHT) * scale)
        left, top = self.corner_px
        cut = pan.crop((left, top, left + self.size_px[0], top + self.size_px[1])).convert("RGB")
        self._bare = cut.resize((self._columns, self._rows), Image.Resampling.BOX)
        # Coordinates in half axes of the floor; kept one-dimensional, since most patterns are products of the two.
        self.x = np.linspace(-HALF_WIDTH / FLOOR_X, HALF_WIDTH / FLOOR_X, self._columns, dtype=np.float32)[None, :]
        self.y = np.linspace(-HALF_HEIGHT / FLOOR_Y, HALF_HEIGHT / FLOOR_Y, self._rows, dtype=np.float32)[:, None]
        self._distance = np.hypot(self.x, self.y)
        self._inside: Field = np.clip((1 - self._distance) * 30, 0, 1).astype(np.float32)
        self.mask = to_mask(self._inside).resize(self.size_px, Image.Resampling.BICUBIC)
        self._kernels: dict[int, Field] = {}
        self._shimmers: list[Picture] = []
        self._full_oil: Picture | None = None

    def start(self) -> Picture:
        """A fresh picture of the bare floor."""
        return self._bare.copy()

    def finish(self, floor: Picture) -> Picture:
        """The floor in the film's resolution."""
        return floor.resize(self.size_px, Image.Resampling.BILINEAR)

    def raise_field(self, places: Places, radii: npt.NDArray[np.floating]) -> Field:
        """Sum of one soft bump a place; `radii` are in units."""
        pad = round(PAD_UNITS * self._field_scale)
        field = np.zeros((self._rows + 2 * pad, self._columns + 2 * pad), np.float32)
        columns = ((places[:, 0] * FLOOR_X + HALF_WIDTH) * self._field_scale + pad).astype(np.intp)
        rows = ((places[:, 1] * FLOOR_Y + HALF_HEIGHT) * self._field_scale + pad).astype(np.intp)
        reaches = np.clip(np.rint(radii * self._field_scale), 2, pad - 1).astype(np.intp)
        columns = np.clip(columns, reaches, field.shape[1] - 1 - reaches)
        rows = np.clip(rows, reaches, field.shape[0] - 1 - reaches)
        for column, row, reach in zip(columns.tolist(), rows.tolist(), reaches.tolist(), strict=True):
            field[row - reach : row + reach + 1, column - reach : column + reach + 1] += self._kernel(reach)
        return field[pad:-pad, pad:-pad]

    def lay_puffy(
        self, floor: Picture, field: Field, edges: tuple[float, float], tones: tuple[Colour, Colour, Colour]
    ) -> None:
        """Soft-edged matter with a simple relief. `tones`: shadow, colour, light; `edges`: field at rim and full."""
        low, high = edges
        step = max(1, round(4 * self._field_scale))
        relief = np.zeros_like(field)
        relief[step:, step:] = field[step:, step:] - field[:-step, :-step]
        relief = np.clip(1.6 * relief, -1, 1)
        rim = 0.5 * np.clip(1 - (field - low) / (3 * (high - low)), 0, 1)
        light = np.clip(127.5 * (1 + relief - rim * (1 + relief)), 0, 255).astype(np.uint8)
        ramp = np.stack([np.interp(np.arange(256), [0, 127.5, 255], channel) for channel in zip(*tones, strict=True)])
        coloured = Image.fromarray(ramp.T.astype(np.uint8)[light])
        floor.paste(coloured, (0, 0), to_mask((field - low) / (high - low) * self._inside))

    def stamp(
        self, sheet: StampSheet, pixels: npt.NDArray[np.uint8], places: Places, which: npt.NDArray[np.integer]
    ) -> None:
        """Stamp onto the finished floor's pixels."""
        x_px = (places[:, 0] * FLOOR_X + HALF_WIDTH) * self.scale
        y_px = (places[:, 1] * FLOOR_Y + HALF_HEIGHT) * self.scale
        sheet.lay(pixels, x_px, y_px, which)

    def lay_flat(self, floor: Picture, alpha: npt.NDArray[np.floating], colour: Colour) -> None:
        """One colour under a field of opacities."""
        floor.paste(colour, (0, 0, *floor.size), to_mask(alpha * self._inside))

    def lay_oil(self, floor: Picture, age_seconds: float, drawing: int, heat: float) -> None:
        """Oil that has been in the pan for so long; it shimmers more the hotter it is (0 to 1)."""
        oil = self._spread_oil(age_seconds)
        floor.paste((206, 158, 60), (0, 0, *floor.size), oil.point([round(0.30 * value) for value in range(256)]))
        if not self._shimmers:
            self._shimmers = [self._draw_shimmer(phase) for phase in range(SHIMMER_LOOP)]
        threshold, slope = 0.90 - 0.14 * heat, 2.6 * (0.35 + 0.65 * heat)
        glint = [round(255 * min(0.5, max(0.0, value / 255 - threshold) * slope)) for value in range(256)]
        shimmer = self._shimmers[drawing % SHIMMER_LOOP].point(glint)
        floor.paste((255, 240, 190), (0, 0, *floor.size), ImageChops.multiply(shimmer, oil))

    def _spread_oil(self, age_seconds: float) -> Picture:
        share = 0.25 + age_seconds / 2.2
        if share >= 1 and self._full_oil is not None:
            return self._full_oil
        angle = np.arctan2(self.y, self.x)
        wavy = 0.022 * np.sin(3 * angle + 1) + 0.010 * np.sin(7 * angle)
        oil = to_mask(np.clip((0.93 * min(1.0, share) - self._distance + wavy) * 14, 0, 1) * self._inside)
        if share >= 1:
            self._full_oil = oil
        return oil

    def _draw_shimmer(self, phase: int) -> Picture:
        turn = 2 * np.pi * phase / SHIMMER_LOOP
        streaks = np.sin(9 * self.x + 1.6 * np.sin(7 * self.y + turn) + turn)
        return to_mask(streaks * np.sin(10 * self.y + 1.3 * np.sin(6 * self.x - turn)))

    def _kernel(self, reach: int) -> Field:
        if reach not in self._kernels:
            span = np.linspace(-2, 2, 2 * reach + 1, dtype=np.float32)
            self._kernels[reach] = np.exp(-(span[:, None] ** 2) - span[None, :] ** 2)
        return self._kernels[reach]


def find_egg_colour(egg_set: float, browning: float) -> Colour:
    """From raw yolk over set egg to burnt."""
    stops: list[tuple[float, Colour]] = [
        (0.0, (250, 184, 28)),
        (1.0, (252, 216, 92)),
        (1.35, (226, 164, 62)),
        (1.8, (150, 88, 36)),
        (2.3, (62, 38, 24)),
    ]
    doneness = min(egg_set + browning, 2.3)
    for (low, first), (high, second) in pairwise(stops):
        if doneness <= high:
            return mix(first, second, (doneness - low) / (high - low))
    return stops[-1][1]
