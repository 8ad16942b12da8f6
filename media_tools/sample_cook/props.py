"""The things that move: bowls and the arm that carries them, oil bottle, spatula, knife, a hand at the lens."""

import math
from functools import partial
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

from media_tools.sample_cook.kitchen import Palette
from media_tools.sample_cook.pencil import (
    CANVAS_WIDTH,
    Colour,
    Pencil,
    Picture,
    Point,
    draw_sprite,
    mix,
    scale_size,
    shade,
)

Content = Literal["liquid", "rice", "greens"]

BOWL_SIZE = 150
# Where the working end is, from the sprite's corner.
SPATULA_HEAD: Point = (130, 62)
ARM_HAND: Point = (390, 90)
BOTTLE_MOUTH: Point = (50, 388)
GRAIN_TONES: list[Colour] = [(252, 250, 240), (246, 226, 172), (206, 158, 92), (112, 76, 46)]  # raw to burnt
GRAIN_SHADES = (1.0, 0.95, 0.89)
GRAIN_ANGLES = 12
EGG_YELLOW: Colour = (250, 190, 40)
GREEN: Colour = (98, 184, 80)
WHITE_RICE: Colour = (250, 247, 236)


def draw_bowl(scale: float, colour: Colour, content: Content | None) -> Picture:
    """A bowl seen from above, BOWL_SIZE units wide."""
    return draw_sprite(BOWL_SIZE, BOWL_SIZE, scale, partial(_draw_bowl, colour=colour, content=content))


def _draw_bowl(pencil: Pencil, *, colour: Colour, content: Content | None) -> None:
    pencil.ellipse((75, 75), 75, 75, shade(colour, 0.82))
    pencil.ellipse((74.5, 72.5), 72.5, 72.5, colour)
    pencil.ellipse((74.5, 72.5), 61.5, 61.5, shade(colour, 0.88))
    if content is None:
        pencil.arc((74.5, 72.5), 46, 46, degrees=(20, 75), fill=shade(colour, 0.97), width=5)
        return
    fill = {"liquid": EGG_YELLOW, "rice": (248, 246, 238), "greens": (110, 180, 84)}[content]
    pencil.ellipse((74.5, 73.5), 54.5, 54.5, fill)
    random = np.random.default_rng(3)
    if content == "liquid":
        pencil.arc((74.5, 73), 42, 42, degrees=(190, 260), fill=(255, 236, 150), width=6)
        pencil.ellipse((94.5, 88), 4.5, 4, (255, 232, 140))
        return
    for _ in range(230 if content == "rice" else 70):
        angle, distance = random.uniform(0, 6.28), 46 * math.sqrt(random.uniform())
        x, y = 75 + distance * math.cos(angle), 73 + distance * math.sin(angle)
        if content == "rice":
            lean, light = random.uniform(0, 3.14), int(random.integers(228, 256))
            end = (x + 8 * math.cos(lean), y + 8 * math.sin(lean))
            pencil.line([(x, y), end], (light, light, light - 10), 4)
        else:
            pencil.ellipse((x, y), 5, 5, (86, 168, 72))
            pencil.ellipse((x, y), 2, 2, (206, 232, 170))


def draw_arm(scale: float, palette: Palette) -> Picture:
    """An arm from the lower left whose hand, at ARM_HAND, goes under what it carries."""
    return draw_sprite(470, 820, scale, partial(_draw_arm, palette=palette))


def _draw_arm(pencil: Pencil, *, palette: Palette) -> None:
    def place(along: float, across: float) -> Point:
        """From the hand down the arm, and across it."""
        return ARM_HAND[0] - 0.44 * along + 0.90 * across, ARM_HAND[1] + 0.90 * along + 0.44 * across

    edge = shade(palette.skin, 0.86)
    pencil.polygon([place(96, -56), place(96, 56), place(900, 118), place(900, -118)], shade(palette.sleeve, 0.9))
    pencil.polygon([place(96, -56), place(96, 34), place(900, 80), place(900, -118)], palette.sleeve)
    pencil.polygon([place(90, -58), place(90, 58), place(112, 60), place(112, -60)], (232, 236, 228))
    pencil.polygon([place(0, -42), place(0, 42), place(92, 44), place(92, -44)], palette.skin)
    pencil.ellipse(place(6, 0), 48, 44, palette.skin)
    for finger in range(4):
        x, y = place(-32 + 6 * abs(finger - 1.5), -36 + 24 * finger)
        pencil.ellipse((x, y), 17, 24, palette.skin, outline=edge, width=2)


def draw_thumb(scale: float, palette: Palette) -> Picture:
    """The thumb that lies over the rim of a carried bowl."""

    def draw(pencil: Pencil) -> None:
        pencil.line([(12, 48), (40, 22)], shade(palette.skin, 0.86), 26)
        pencil.ellipse((42, 20), 14, 14, shade(palette.skin, 0.86))
        pencil.line([(10, 50), (41, 21)], palette.skin, 22)
        pencil.ellipse((41, 21), 11.5, 11.5, palette.skin)
        pencil.ellipse((45, 17), 5, 5, mix(palette.skin, (255, 236, 228), 0.6))

    return draw_sprite(60, 60, scale, draw)


def draw_spatula(scale: float, palette: Palette) -> Picture:
    """A wooden turner with hand and sleeve; its head is at SPATULA_HEAD."""
    return draw_sprite(340, 680, scale, partial(_draw_spatula, palette=palette))


def _draw_spatula(pencil: Pencil, *, palette: Palette) -> None:
    edge = shade(palette.skin, 0.86)
    pencil.line([(130, 100), (196, 430)], (150, 98, 52), 20)
    pencil.line([(127, 100), (192, 430)], (190, 132, 78), 11)
    pencil.box((84, 22), (176, 112), (142, 92, 48), radius=18)
    pencil.box((84, 18), (174, 107), (200, 142, 86), radius=18)
    for slot in range(3):
        pencil.box((103 + slot * 20, 34), (110 + slot * 20, 86), (122, 78, 42), radius=3)
    pencil.polygon([(150, 470), (270, 430), (330, 680), (170, 680)], palette.sleeve)
    pencil.polygon([(150, 470), (270, 430), (276, 456), (152, 498)], (232, 236, 228))
    pencil.ellipse((207, 423), 61, 63, shade(palette.skin, 0.95))
    for finger in range(4):
        left, top = 140 + 5 * finger, 352 + 27 * finger
        pencil.box((left, top), (left + 74, top + 28), palette.skin, radius=13, outline=edge, width=2)
    pencil.box((204, 340), (232, 420), palette.skin, radius=14)


def draw_knife(scale: float, palette: Palette) -> Picture:
    """A knife with the hand that holds it; the edge is on the left."""
    return draw_sprite(110, 420, scale, partial(_draw_knife, palette=palette))


def _draw_knife(pencil: Pencil, *, palette: Palette) -> None:
    edge = shade(palette.skin, 0.86)
    pencil.polygon([(8, 0), (34, 0), (38, 150), (8, 170)], (196, 204, 210))
    pencil.polygon([(8, 0), (15, 0), (16, 165), (8, 170)], (228, 233, 236))
    pencil.box((10, 148), (38, 260), (58, 46, 42), radius=10)
    pencil.ellipse((32, 225), 44, 47, shade(palette.skin, 0.95))
    for finger in range(4):
        top = 180 + 21 * finger
        pencil.box((-6, top), (44, top + 22), palette.skin, radius=10, outline=edge, width=2)
    pencil.polygon([(6, 262), (74, 250), (110, 420), (10, 420)], palette.sleeve)


def draw_bottle(scale: float) -> Picture:
    """An oil bottle upside down; it pours from BOTTLE_MOUTH."""
    return draw_sprite(100, 400, scale, _draw_bottle)


def _draw_bottle(pencil: Pencil) -> None:
    pencil.box((6, -40), (94, 322), (204, 164, 66), radius=26)
    pencil.box((16, -40), (34, 310), (230, 200, 116), radius=9)
    pencil.polygon([(10, 318), (90, 318), (65, 360), (35, 360)], (204, 164, 66))
    pencil.box((35, 356), (65, 388), (60, 120, 70), radius=4)
    pencil.box((6, 150), (94, 240), (238, 232, 214))
    pencil.ellipse((50, 195), 24, 24, (118, 150, 84))


def draw_lens_hand(scale: float, palette: Palette) -> Picture:
    """A hand right before the lens, out of focus, larger than the picture."""
    coarse = scale / 4  # it is a blur
    skin = mix(palette.skin, (70, 24, 12), 0.5)

    def draw(pencil: Pencil) -> None:
        pencil.box((100, 220), (CANVAS_WIDTH - 40, 1300), shade(skin, 0.86), radius=160)
        for finger in range(4):
            left, top = 130 + 268 * finger, 90 + 42 * abs(finger - 1.4)
            pencil.box((left, top), (left + 262, 1300), skin, radius=112, outline=shade(skin, 0.66), width=14)

    small = draw_sprite(CANVAS_WIDTH, 1200, coarse, draw).convert("RGBa")
    blurred = small.filter(ImageFilter.GaussianBlur(12 * coarse))
    return blurred.resize(scale_size(CANVAS_WIDTH, 1200, scale), Image.Resampling.BILINEAR).convert("RGBA")


def draw_grains(scale: float) -> list[Picture]:
    """Rice grains, ordered by tone, shade and angle: index with `grain_index`."""
    return [
        draw_sprite(18, 18, scale, partial(_draw_grain, angle=step * math.pi / GRAIN_ANGLES, tone=tone, factor=factor))
        for tone in GRAIN_TONES
        for factor in GRAIN_SHADES
        for step in range(GRAIN_ANGLES)
    ]


def _draw_grain(pencil: Pencil, *, angle: float, tone: Colour, factor: float) -> None:
    x, y = 5.4 * math.cos(angle), 5.4 * math.sin(angle)
    for width, colour, drop in ((6.4, shade(tone, 0.72), 1.0), (5.6, shade(tone, factor), 0.0)):
        pencil.line([(9 - x, 9 - y + drop), (9 + x, 9 + y + drop)], colour, width)
        for end in (-1, 1):
            pencil.ellipse((9 + end * x, 9 + end * y + drop), width / 2, width / 2, colour)


def draw_ring(scale: float) -> Picture:
    """A ring of spring onion."""

    def draw(pencil: Pencil) -> None:
        pencil.ellipse((8, 8), 7, 7, (52, 128, 52))
        pencil.ellipse((8, 7), 6, 6, GREEN)
        pencil.ellipse((8, 7), 3, 3, (214, 238, 176))

    return draw_sprite(16, 16, scale, draw)


def draw_bubble(scale: float) -> Picture:
    """A bubble of steam in the oil."""

    def draw(pencil: Pencil) -> None:
        pencil.ellipse((6, 6), 5, 5, None, outline=(255, 250, 225, 200), width=1.4)
        pencil.ellipse((4, 4), 1, 1, (255, 255, 255, 230))

    return draw_sprite(12, 12, scale, draw)
