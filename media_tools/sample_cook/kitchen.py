"""The kitchen that stands still: counter, board, stove and pan, and the flames that run in a loop."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from media_tools.sample_cook.pencil import (
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    MARGIN,
    Colour,
    Paint,
    Pencil,
    Picture,
    Point,
    draw_glow,
    draw_layer,
    mix,
    paste,
)

PAN: Point = (838, 372)  # the middle of the pan's floor
FLOOR_X, FLOOR_Y = 250, 206  # its half axes
COUNTER_EDGE = 470
BOARD: Point = (44, 400)
FLAMES = 46
FLAME_LOOP = 8  # drawings until the flames repeat


@dataclass(frozen=True, slots=True)
class Palette:
    """What differs from kitchen to kitchen. None of it is the yellow of egg or the white of rice."""

    wood: Colour
    towel: Colour
    sleeve: Colour
    rice_bowl: Colour
    greens_bowl: Colour
    skin: Colour


def choose_palette(seed: int) -> Palette:
    """The kitchen and the cook of this seed."""
    random = np.random.default_rng([seed, 5])
    woods: list[Colour] = [(214, 172, 124), (196, 158, 122), (206, 160, 108)]
    towels: list[Colour] = [(206, 82, 70), (70, 112, 172), (92, 142, 96)]
    sleeves: list[Colour] = [(44, 126, 132), (164, 74, 84), (84, 92, 152), (96, 120, 78)]
    bowls: list[tuple[Colour, Colour]] = [
        ((78, 130, 170), (226, 120, 90)),
        ((122, 110, 164), (94, 142, 160)),
        ((92, 132, 120), (196, 104, 112)),
    ]
    skins: list[Colour] = [(240, 190, 152), (232, 180, 140), (214, 160, 120)]
    rice_bowl, greens_bowl = bowls[random.integers(len(bowls))]
    return Palette(
        wood=woods[random.integers(len(woods))],
        towel=towels[random.integers(len(towels))],
        sleeve=sleeves[random.integers(len(sleeves))],
        rice_bowl=rice_bowl,
        greens_bowl=greens_bowl,
        skin=skins[random.integers(len(skins))],
    )


def draw_kitchen(scale: float, palette: Palette) -> Picture:
    """Counter, board and stove, without the pan, under a soft light from the upper left."""
    picture = draw_layer(scale, (238, 224, 200), lambda pencil: _draw_furniture(pencil, palette))
    board = draw_layer(scale, (0, 0, 0, 0), _draw_board)
    picture.paste(board, (0, 0), board)
    return _light_from_window(picture)


def _draw_furniture(pencil: Pencil, palette: Palette) -> None:
    random = np.random.default_rng(5)
    for plank in range(7):
        top = plank * 112
        wood = mix(palette.wood, (255, 255, 255), random.uniform(-0.03, 0.05))
        pencil.box((0, top), (COUNTER_EDGE, top + 112), wood)
        for _ in range(5):
            x, y = random.uniform(-50, 300), top + random.uniform(12, 100)
            end = (x + random.uniform(80, 240), y + random.uniform(-3, 3))
            pencil.line([(x, y), end], mix(wood, (120, 70, 30), 0.14), 1.5)
        pencil.line([(0, top), (COUNTER_EDGE, top)], mix(wood, (110, 62, 28), 0.45), 2)
    pencil.box((COUNTER_EDGE, 0), (CANVAS_WIDTH, CANVAS_HEIGHT), (66, 78, 88))
    pencil.box((COUNTER_EDGE, 0), (COUNTER_EDGE + 14, CANVAS_HEIGHT), (176, 186, 190))
    pencil.box((COUNTER_EDGE + 14, 0), (COUNTER_EDGE + 20, CANVAS_HEIGHT), (40, 48, 56))
    pencil.box((510, 20), (CANVAS_WIDTH - 14, CANVAS_HEIGHT - 18), (52, 62, 72), radius=40)
    for spoke in range(8):  # the grate
        angle = spoke * math.pi / 4 + 0.39
        inner, outer = _on_ellipse(angle, 150, 124), _on_ellipse(angle, 371, 320)
        pencil.line([inner, outer], (26, 30, 36), 18)
        pencil.line([(inner[0], inner[1] - 3), (outer[0], outer[1] - 4)], (44, 50, 58), 7)
    for stripe in range(9):  # a tea towel
        left = 18 + stripe * 16
        pencil.box((left, -6), (left + 16, 74), (230, 230, 226) if stripe % 2 else palette.towel)
    for x, y in ((405, 62), (362, 84)):  # eggshells
        pencil.ellipse((x + 5, y + 8), 24, 19, mix(palette.wood, (0, 0, 0), 0.25))
        pencil.ellipse((x, y + 1), 24, 19, (240, 208, 176))
        pencil.ellipse((x, y + 3), 18, 13, (248, 228, 206))


def _draw_board(pencil: Pencil) -> None:
    left, top = BOARD
    pencil.box((left + 8, top + 11), (left + 378, top + 328), (90, 56, 30, 110), radius=25)
    pencil.box((left + 4, top + 3), (left + 371, top + 318), (222, 184, 134, 255), radius=25)
    pencil.box((left + 4, top + 3), (left + 371, top + 311), (244, 214, 168, 255), radius=25)
    pencil.ellipse((left + 344, top + 29), 9, 9, (186, 140, 92, 255))
    for grain in range(6):
        y = top + 55 + 44 * grain
        pencil.line([(left + 30, y), (left + 330, y - 5)], (234, 199, 149, 255), 2)


def _light_from_window(picture: Picture) -> Picture:
    """Brighter towards the upper left, darker towards the lower right."""
    width, height = picture.size
    x, y = np.linspace(0, 1, width)[None, :], np.linspace(0, 1, height)[:, None]
    light = 1.06 - 0.13 * (0.6 * x + 0.4 * y)
    lit = np.asarray(picture, dtype=np.float32) * light[..., None].astype(np.float32)
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def draw_pan(scale: float) -> Picture:
    """The pan with its handle on a transparent canvas."""
    return draw_layer(scale, (0, 0, 0, 0), _draw_pan)


def _draw_pan(pencil: Pencil) -> None:
    x, y = PAN

    def draw_ring(radius_x: float, radius_y: float, drop: float, fill: Paint) -> None:
        pencil.ellipse((x, y + drop), radius_x, radius_y, (*fill, 255))

    handle_end = (x + 560, y - 270)
    pencil.line([(x + 250, y - 120), handle_end], (30, 32, 36, 255), 64)
    pencil.line([(x + 250, y - 126), (x + 560, y - 276)], (58, 60, 66, 255), 46)
    pencil.line([(x + 280, y - 150), (x + 560, y - 286)], (92, 94, 102, 255), 8)
    draw_ring(318, 272, 16, (18, 20, 24))
    draw_ring(316, 268, 6, (40, 43, 48))
    draw_ring(316, 266, 0, (122, 128, 136))
    draw_ring(308, 258, 1, (50, 53, 59))
    draw_ring(300, 250, 4, (60, 63, 70))
    draw_ring(FLOOR_X + 12, FLOOR_Y + 10, 4, (44, 46, 52))
    draw_ring(FLOOR_X, FLOOR_Y, 0, (72, 75, 82))
    pencil.arc((x, y + 3), 296, 247, degrees=(190, 262), fill=(96, 100, 108, 255), width=9)
    pencil.arc((x, y), 215, 172, degrees=(20, 80), fill=(82, 85, 93, 255), width=6)


def _on_ellipse(angle: float, radius_x: float, radius_y: float) -> Point:
    return PAN[0] + radius_x * math.cos(angle), PAN[1] + radius_y * math.sin(angle)


class Stove:
    """The kitchen with the pan on it, cold or over a loop of flames; each picture is drawn once."""

    def __init__(self, scale: float, palette: Palette, *, flame_height: float, vessel: Picture | None = None) -> None:
        self._scale = scale
        self._flame_height = flame_height
        self._vessel = vessel or draw_pan(scale)
        self.kitchen = draw_kitchen(scale, palette)
        self._glow = draw_glow(760, 660, scale, (70, 140, 255), 150)
        self._cold: Picture | None = None
        self._lit: dict[int, Picture] = {}

    def draw(self, drawing: int, flame: float) -> Picture:
        """A fresh picture of the stove; `flame` runs from 0, off, to 1."""
        if self._cold is None:
            self._cold = self.kitchen.copy()
            self._cold.paste(self._vessel, (0, 0), self._vessel)
        if flame <= 0.02:
            return self._cold.copy()
        phase = drawing % FLAME_LOOP
        if phase not in self._lit:
            self._lit[phase] = self._draw_lit(phase)
        if flame >= 0.98:
            return self._lit[phase].copy()
        return Image.blend(self._cold, self._lit[phase], flame)

    def _draw_lit(self, phase: int) -> Picture:
        picture = self.kitchen.copy()
        paste(picture, self._glow, PAN[0] - 380, PAN[1] - 322, self._scale)
        flames = draw_layer(self._scale, (0, 0, 0, 0), lambda pencil: self._draw_flames(pencil, phase))
        picture.paste(flames, (0, 0), flames)
        picture.paste(self._vessel, (0, 0), self._vessel)
        return picture

    def _draw_flames(self, pencil: Pencil, phase: int) -> None:
        turn = 2 * math.pi * phase / FLAME_LOOP
        for tongue in range(FLAMES):
            angle = tongue * 2 * math.pi / FLAMES
            flicker = 9 * math.sin(2 * turn + tongue * 2.4) + 6 * math.sin(3 * turn + tongue)
            length = (26 + flicker) * self._flame_height
            x, y = _on_ellipse(angle, 306, 258)
            along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
            for width, reach, colour in (
                (11, length + 12, (64, 128, 240, 255)),
                (7, 0.8 * length + 10, (128, 196, 255, 255)),
                (4, 0.35 * length + 10, (255, 206, 120, 255)),
            ):
                foot = y + MARGIN / 2 - 2
                pencil.polygon(
                    [
                        (x + across[0] * width, foot + across[1] * width),
                        (x + along[0] * reach, foot + along[1] * reach),
                        (x - across[0] * width, foot - across[1] * width),
                    ],
                    colour,
                )
