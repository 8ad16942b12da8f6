"""Stamps hundreds of tiny sprites at once: rice, greens, bubbles.

Pasting 900 grains one by one costs more than everything else in a drawing; numpy lays them all in a few gathers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from media_tools.sample_cook.pencil import Picture

BATCHES = 5  # within one, a soft edge blends with what lay there before the batch


class StampSheet:
    """Sprites of one size, kept as their visible pixels only.

    `offsets` are pixels from the sprite's middle as (dy, dx), `colours` are premultiplied, `alphas` run to 256.
    """

    def __init__(self, sprites: Sequence[Picture]) -> None:
        pixels = np.stack([np.asarray(sprite, dtype=np.uint16) for sprite in sprites])
        height, width = pixels.shape[1:3]
        seen = pixels[..., 3] > 12
        longest = max(1, int(seen.sum(axis=(1, 2)).max()))
        self._rows = np.zeros((len(sprites), longest), np.int32)
        self._columns = np.zeros((len(sprites), longest), np.int32)
        self._alphas = np.zeros((len(sprites), longest, 1), np.uint16)
        self._colours = np.zeros((len(sprites), longest, 3), np.uint16)
        for index in range(len(sprites)):
            rows, columns = np.nonzero(seen[index])
            # Sheets are rectangular: a smaller sprite repeats its first pixel, which changes nothing.
            filled = np.pad(np.arange(len(rows)), (0, longest - len(rows)))
            rows, columns = rows[filled], columns[filled]
            alpha = pixels[index, rows, columns, 3:] * 257 // 255
            self._rows[index] = rows - height // 2
            self._columns[index] = columns - width // 2
            self._alphas[index] = alpha
            self._colours[index] = pixels[index, rows, columns, :3] * alpha // 256
        self._reach = max(height, width) // 2 + 1

    def lay(
        self,
        canvas: npt.NDArray[np.uint8],
        x_px: npt.NDArray[np.floating],
        y_px: npt.NDArray[np.floating],
        which: npt.NDArray[np.integer],
    ) -> None:
        """Stamp sprite `which[i]` centred at (x_px[i], y_px[i]) onto an (height, width, 3) canvas, in order.

        Centres are kept far enough inside the canvas for the whole stamp to fit.
        """
        height, width = canvas.shape[:2]
        if min(height, width) <= 2 * self._reach or not len(x_px):
            return
        x = np.clip(x_px.astype(np.int32), self._reach, width - 1 - self._reach)
        y = np.clip(y_px.astype(np.int32), self._reach, height - 1 - self._reach)
        flat = canvas.reshape(-1, 3)
        # numpy assigns repeated indices in order, so a later stamp covers an earlier one.
        for part in np.array_split(np.arange(len(x)), min(BATCHES, len(x))):
            chosen = which[part]
            pixels = ((y[part, None] + self._rows[chosen]) * width + x[part, None] + self._columns[chosen]).ravel()
            kept = flat[pixels] * (256 - self._alphas[chosen].reshape(-1, 1))
            flat[pixels] = ((kept >> 8) + self._colours[chosen].reshape(-1, 3)).astype(np.uint8)


def to_pixels(picture: Picture) -> npt.NDArray[np.uint8]:
    """A writable copy of an RGB picture's pixels."""
    return np.array(picture, dtype=np.uint8)


def to_picture(pixels: npt.NDArray[np.uint8]) -> Picture:
    """The picture of an (height, width, 3) array."""
    return Image.fromarray(pixels)
