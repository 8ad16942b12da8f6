"""The phone that films: a hand at the lens at both ends, exposure, steam on the lens, dim light, an unsteady hand."""

import math

import numpy as np
from PIL import Image, ImageFilter

from media_tools.sample_cook.conditions import Conditions
from media_tools.sample_cook.kitchen import Palette
from media_tools.sample_cook.pencil import CANVAS_HEIGHT, CANVAS_WIDTH, Picture, ease, ease_between, paste, scale_size
from media_tools.sample_cook.props import draw_lens_hand

HAND_LEAVES_SECONDS = 0.75
HAND_ENTERS_SECONDS = 1.0  # before the end
LENS_STEAM_OPACITY = 0.62
METERED_BRIGHTNESS = 105.0  # what automatic exposure aims at, of 255
EXPOSURE_LAG_SECONDS = 1.2
# One slow and one quicker sway and a tremor, as (Hz, share of the amplitude).
SWAYS_X = ((0.31, 1.4), (0.83, 0.8), (2.7, 0.35))
SWAYS_Y = ((0.27, 1.2), (0.97, 0.7), (3.1, 0.35))


class Camera:
    """Turns the scene's canvas into what the phone sees. Seconds must rise from call to call."""

    def __init__(
        self, conditions: Conditions, *, duration_seconds: float, seed: int, palette: Palette, scale: float
    ) -> None:
        self._conditions = conditions
        self._duration_seconds = duration_seconds
        self._scale = scale
        self._hand = draw_lens_hand(scale, palette) if conditions.hand_at_lens else None
        self._lens_steam = _make_lens_steam(seed, scale) if conditions.lens_steam_windows else None
        self._exposure: float | None = None
        self._now = 0.0

    def shoot(self, canvas: Picture, now: float) -> Picture:
        """The canvas as the phone records it; `canvas` may be drawn over."""
        elapsed_seconds, self._now = max(0.0, now - self._now), now
        if self._lens_steam is not None:
            canvas = self._steam_up(canvas, self._lens_steam, now)
        if self._hand is not None:
            canvas = self._cover(canvas, self._hand, now)
        brightness = self._conditions.light
        if self._conditions.automatic_exposure:
            brightness *= self._expose(canvas, elapsed_seconds)
        return canvas if brightness == 1 else _brighten(canvas, brightness)

    def _steam_up(self, canvas: Picture, steam: Picture, now: float) -> Picture:
        windows = self._conditions.lens_steam_windows
        strength = max(ease_between(now, start, end, 1.5) for start, end in windows)
        if strength <= 0.01:
            return canvas
        blurred = canvas.filter(ImageFilter.BoxBlur(max(1, round(5 * self._scale))))
        canvas.paste(blurred, (0, 0), steam.point([round(min(255, 1.3 * strength * v)) for v in range(256)]))
        opacity = LENS_STEAM_OPACITY * strength
        canvas.paste((222, 226, 228), (0, 0, *canvas.size), steam.point([round(opacity * v) for v in range(256)]))
        return canvas

    def _cover(self, canvas: Picture, hand: Picture, now: float) -> Picture:
        leaving = 1 - ease((now - 0.15) / (HAND_LEAVES_SECONDS - 0.15))
        entering = ease((now - self._duration_seconds + HAND_ENTERS_SECONDS) / 0.7)
        covered = max(leaving, entering)
        if covered <= 0.01:
            return canvas
        paste(canvas, hand, 0, CANVAS_HEIGHT - covered * (CANVAS_HEIGHT + 260), self._scale)
        if covered > 0.75:  # pressed to the lens it lets hardly any light through
            dark = Image.new("RGB", canvas.size, (38, 20, 16))
            canvas = Image.blend(canvas, dark, 3.4 * (covered - 0.75))
        return canvas

    def _expose(self, canvas: Picture, elapsed_seconds: float) -> float:
        """The gain of a phone that follows the middle of the picture with a lag."""
        step = max(1, round(16 * self._scale))
        measured = self._conditions.light * float(np.asarray(canvas)[::step, ::step].mean())
        wanted = min(1.8, max(0.6, METERED_BRIGHTNESS / max(measured, 1.0)))
        if self._exposure is None:
            self._exposure = wanted
        self._exposure += (wanted - self._exposure) * (1 - math.exp(-elapsed_seconds / EXPOSURE_LAG_SECONDS))
        return self._exposure


def _brighten(canvas: Picture, factor: float) -> Picture:
    return canvas.point([min(255, round(value * factor)) for value in range(256)] * 3)


def _make_lens_steam(seed: int, scale: float) -> Picture:
    """A blotchy mask: thick in one place of the lens, thin elsewhere."""
    random = np.random.default_rng([seed, 17])
    x, y = np.linspace(0, 1, 64)[None, :], np.linspace(0, 1, 36)[:, None]
    mask = np.full((36, 64), 0.25)
    for _ in range(7):
        centre_x, centre_y, width = random.uniform(0.1, 0.9), random.uniform(0.1, 0.9), random.uniform(0.12, 0.3)
        mask += 0.5 * np.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / width**2)
    coarse = Image.fromarray((255 * np.clip(mask, 0, 1)).astype(np.uint8))
    return coarse.resize(scale_size(CANVAS_WIDTH, CANVAS_HEIGHT, scale), Image.Resampling.BICUBIC)


def write_sway(seed: int, amplitude_px: float, margin_px: int) -> tuple[str, str]:
    """Two expressions for FFmpeg's crop filter: where the view lies in the canvas at second `t`."""
    random = np.random.default_rng([seed, 99])

    def write(sways: tuple[tuple[float, float], ...]) -> str:
        terms = [
            f"{amplitude_px * share:.4f}*sin({2 * math.pi * hz:.5f}*t+{random.uniform(0, 6.28):.4f})"
            for hz, share in sways
        ]
        return f"clip(round({margin_px}+{'+'.join(terms)}),0,{2 * margin_px})"

    return write(SWAYS_X), write(SWAYS_Y)
