"""Steam and smoke above the pan, drawn at a quarter of the design's size: they have no edges to lose."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from media_tools.sample_cook.kitchen import PAN
from media_tools.sample_cook.pencil import CANVAS_HEIGHT, CANVAS_WIDTH, Colour, Picture, scale_size
from media_tools.sample_cook.recipe import PanState

COARSE = 0.25  # of a design unit
LIFE_SECONDS = 3.0
RISE_UNITS = 210
STEAM_COLOUR: Colour = (246, 248, 250)
SMOKE_COLOUR: Colour = (156, 152, 149)
STEAM_RADII, SMOKE_RADII = (75, 105, 140), (85, 120, 165)


@dataclass(frozen=True, slots=True)
class Puff:
    """One cloud: born at (x, y), drifting sideways by `drift` units a second."""

    born_seconds: float
    x: float
    y: float
    drift: float
    is_smoke: bool
    size: int


class Air:
    """Keeps the puffs that are still in the air."""

    def __init__(self, random: np.random.Generator, scale: float) -> None:
        self._random = random
        self._canvas_px = scale_size(CANVAS_WIDTH, CANVAS_HEIGHT, scale)
        self._coarse_px = scale_size(CANVAS_WIDTH, CANVAS_HEIGHT, COARSE)
        self._haze = Image.new("RGB", self._canvas_px, SMOKE_COLOUR)
        self._puffs: list[Puff] = []
        self._clouds = {
            (is_smoke, size): _make_cloud(radius * COARSE, strength)
            for is_smoke, radii, strength in ((False, STEAM_RADII, 0.42), (True, SMOKE_RADII, 0.40))
            for size, radius in enumerate(radii)
        }

    def move(self, now: float, elapsed_seconds: float, state: PanState) -> None:
        """Let new puffs rise and old ones go."""
        self._puffs = [puff for puff in self._puffs if now - puff.born_seconds < LIFE_SECONDS]
        rate = 5 * state.steam + 9 * state.smoke
        for _ in range(self._random.poisson(rate * elapsed_seconds)):
            x, y = PAN[0] + self._random.uniform(-170, 170), PAN[1] + self._random.uniform(-120, 60)
            is_smoke = bool(self._random.random() < 1.2 * state.smoke)
            drift = self._random.uniform(-22, 22)
            self._puffs.append(Puff(now, x, y, drift, is_smoke, int(self._random.integers(3))))

    def draw(self, picture: Picture, now: float, state: PanState) -> Picture:
        """The picture with steam and smoke in it, and the haze that smoke leaves in the whole room."""
        self._lay(picture, STEAM_COLOUR, self._gather(now, is_smoke=False))
        self._lay(picture, SMOKE_COLOUR, self._gather(now, is_smoke=True))
        if state.smoke <= 0.02:
            return picture
        return Image.blend(picture, self._haze, min(0.42, 0.45 * state.smoke))

    def _gather(self, now: float, *, is_smoke: bool) -> npt.NDArray[np.float32] | None:
        """Opacity of all puffs of a kind together, or None where there are none."""
        puffs = [puff for puff in self._puffs if puff.is_smoke == is_smoke]
        if not puffs:
            return None
        clear = np.ones(self._coarse_px[::-1], np.float32)
        for puff in puffs:
            life = (now - puff.born_seconds) / LIFE_SECONDS
            strength = math.sin(math.pi * min(1.0, 1.05 * life)) ** 0.8
            x = (puff.x + puff.drift * (now - puff.born_seconds)) * COARSE
            y = (puff.y - RISE_UNITS * life) * COARSE
            _thin(clear, self._clouds[is_smoke, puff.size], round(x), round(y), strength)
        return 1 - clear

    def _lay(self, picture: Picture, colour: Colour, opacity: npt.NDArray[np.float32] | None) -> None:
        if opacity is None:
            return
        coarse = Image.fromarray((255 * opacity).astype(np.uint8))
        box = coarse.getbbox()
        if box is None:
            return
        ratio_x, ratio_y = self._canvas_px[0] / coarse.width, self._canvas_px[1] / coarse.height
        left, top = int(box[0] * ratio_x), int(box[1] * ratio_y)
        right, bottom = math.ceil(box[2] * ratio_x), math.ceil(box[3] * ratio_y)
        source = (left / ratio_x, top / ratio_y, right / ratio_x, bottom / ratio_y)
        mask = coarse.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=source)
        picture.paste(colour, (left, top, right, bottom), mask)


def _make_cloud(radius: float, strength: float) -> npt.NDArray[np.float32]:
    span = np.linspace(-1, 1, 2 * round(radius) + 1, dtype=np.float32)
    distance = np.hypot(span[:, None], span[None, :])
    return np.asarray(strength * np.clip(1 - distance, 0, 1) ** 1.6, np.float32)


def _thin(clear: npt.NDArray[np.float32], cloud: npt.NDArray[np.float32], x: int, y: int, strength: float) -> None:
    """Multiply what is still clear by what a cloud centred at (x, y) lets through."""
    reach = len(cloud) // 2
    top, bottom = max(0, y - reach), min(clear.shape[0], y + reach + 1)
    left, right = max(0, x - reach), min(clear.shape[1], x + reach + 1)
    if top < bottom and left < right:
        part = cloud[top - y + reach : bottom - y + reach, left - x + reach : right - x + reach]
        clear[top:bottom, left:right] *= 1 - np.float32(strength) * part
