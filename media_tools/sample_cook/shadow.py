"""Soft shadows, resized once for each size that is asked for."""

from PIL import Image

from media_tools.sample_cook.pencil import Picture, draw_glow, paste, scale_size


class Shadows:
    """Lays a soft dark patch under a thing."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._largest = draw_glow(420, 360, scale, (0, 0, 0), 150)
        self._sized: dict[tuple[int, int], Picture] = {}

    def lay(self, canvas: Picture, left: float, top: float, *, width: int, height: int) -> None:
        """A shadow within the box, in design units."""
        size = scale_size(width, height, self._scale)
        if size not in self._sized:
            self._sized[size] = self._largest.resize(size, Image.Resampling.BILINEAR)
        paste(canvas, self._sized[size], left, top, self._scale)
