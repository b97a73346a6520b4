"""Handwriting: one line of glyphs from a pen, each one slightly different from its twin."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

import fonts
import strokes

Colour = tuple[int, int, int]

INKS: tuple[Colour, ...] = (
    (24, 38, 132), (32, 56, 160), (16, 24, 84), (44, 70, 150), (22, 22, 26), (40, 40, 44), (12, 12, 16), (60, 60, 66),
    (28, 44, 118), (70, 78, 110),
)


@dataclass(frozen=True)
class Pen:
    """How one candidate writes on one sheet. Lengths are shares of the digit height."""

    face: str  # a font of fonts.py, or "strokes:N" for hand N of strokes.py
    colour: Colour
    strength: float  # 1 covers the paper fully
    boldness: float  # extra stroke width in mm
    slant: float
    wobble: float
    spacing: float


def pick_pen(rng: random.Random, split: str) -> Pen:
    if split == "train" and rng.random() < strokes.SHARE:
        face = f"strokes:{rng.randrange(1 << 30)}"
    else:
        face = rng.choice(fonts.pens(split))
    colour = rng.choice(INKS)
    if rng.random() < 0.04:
        colour = (150, 28, 34)
    return Pen(face, tuple(min(255, max(0, c + rng.randint(-12, 12))) for c in colour), rng.uniform(0.72, 1.0),
               rng.choice((0.0, 0.0, 0.0, 0.08, 0.14, 0.2)), rng.gauss(0.0, 0.08), rng.uniform(0.01, 0.05),
               rng.uniform(0.02, 0.2))


def glyph(rng: random.Random, pen: Pen, symbol: str, height: float, scale: float) -> Image.Image:
    """Coverage of one symbol about `height` pixels tall, trimmed to its ink."""
    if pen.face.startswith("strokes:"):
        mask = strokes.draw(int(pen.face[8:]), symbol, height, rng, max(1.0, (0.35 + pen.boldness) * scale))
    else:
        size = max(6, round(height / fonts.capital_ratio(pen.face)))
        font = fonts.load(pen.face, size)
        # A whole extra pixel is too much on small pages, so the bold pens only thicken where it is thin in millimetres.
        width = round(pen.boldness * scale / 2)
        left, top, right, bottom = font.getbbox(symbol, stroke_width=width)
        mask = Image.new("L", (max(1, right - left) + 4, max(1, bottom - top) + 4), 0)
        ImageDraw.Draw(mask).text((2 - left, 2 - top), symbol, font=font, fill=255, stroke_width=width, stroke_fill=255)
    wide, tall = mask.size
    extra = round(tall * 0.25) + 2
    out_wide, out_tall = wide + 2 * extra, tall + 4

    def jitter(amount: float) -> float:
        return rng.gauss(0, amount * tall)

    lean = (pen.slant + rng.gauss(0, 0.03)) * tall
    grow_x, grow_y = rng.gauss(0, 0.05) * wide, rng.gauss(0, 0.03) * tall
    w = pen.wobble
    # Source corners for the output's corners: north-west, south-west, south-east, north-east.
    quad = (-extra + lean / 2 - grow_x + jitter(w), -2 - grow_y + jitter(w), -extra - lean / 2 - grow_x + jitter(w), tall + 2 + grow_y + jitter(w),
            wide + extra - lean / 2 + grow_x + jitter(w), tall + 2 + grow_y + jitter(w), wide + extra + lean / 2 + grow_x + jitter(w), -2 - grow_y + jitter(w))
    mask = mask.transform((out_wide, out_tall), Image.QUAD, quad, Image.BILINEAR)
    box = mask.getbbox()
    return mask.crop(box) if box else mask


def write(image: Image.Image, rng: random.Random, pen: Pen, text: str, box: tuple[float, float, float, float], *,
          scale: float, cells: int = 0, fill: float = 0.62, align: str = "left", spread: bool = True) -> None:
    """Writes `text` into `box` (pixels) of `image`, one symbol a cell when `cells` is set.

    `scale` is pixels per millimetre, `fill` the height of a digit as a share of the box; `spread` uses the width there is.
    """
    left, top, right, bottom = box
    wide, tall = right - left, bottom - top
    height = tall * fill
    glyphs = [(glyph(rng, pen, symbol, height * rng.uniform(0.92, 1.08), scale) if symbol != " " else None) for symbol in text]
    if cells:
        cell = wide / cells
        glyphs = [_narrow(glyph, cell * 0.95) for glyph in glyphs]
        starts = [left + cell * (i + 0.5) - (g.width / 2 if g else 0) + rng.gauss(0, 0.07 * cell) for i, g in enumerate(glyphs)]
    else:
        inked = sum(g.width if g else height * 0.4 for g in glyphs)
        wanted = (rng.uniform(0.5, 0.95) * wide - inked) / max(1, len(glyphs)) if spread else 0.0
        gap = min(max(wanted, pen.spacing * height), 0.65 * height)
        advance = inked + gap * len(glyphs)
        squeeze = min(1.0, wide * 0.96 / max(advance, 1))
        glyphs = [_narrow(glyph, glyph.width * squeeze) if glyph else None for glyph in glyphs]
        free = max(0.0, wide - advance * squeeze)
        x = left + {"left": min(free, rng.uniform(0.01, 0.09) * wide), "centre": free * rng.uniform(0.35, 0.65)}[align]
        starts = []
        for g in glyphs:
            starts.append(x + rng.gauss(0, 0.01 * height))
            x += ((g.width if g else height * 0.4) + gap) * squeeze
    middle = (top + bottom) / 2 + rng.gauss(0, 0.05) * tall
    climb = rng.gauss(0, 0.006)
    x0, y0, x1, y1 = int(left - tall * 0.5), int(top - tall * 0.5), int(right + tall * 0.5), int(bottom + tall * 0.5)
    layer = Image.new("L", (max(1, x1 - x0), max(1, y1 - y0)), 0)
    for symbol, g, x in zip(text, glyphs, starts):
        if g is None:
            continue
        y = middle + climb * (x - left) - g.height / 2 + rng.gauss(0, 0.03) * height
        if symbol in ".,":
            y += 0.45 * height
        place = (round(x - x0), round(y - y0))
        under = layer.crop((place[0], place[1], place[0] + g.width, place[1] + g.height))
        layer.paste(ImageChops.lighter(under, g), place)
    lay(image, layer, (x0, y0), pen, rng)


def lay(image: Image.Image, coverage: Image.Image, at: tuple[int, int], pen: Pen, rng: random.Random) -> None:
    """Puts ink where `coverage` says, uneven as a ball pen leaves it."""
    x0, y0 = at
    coverage = coverage.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.55)))
    cover = np.asarray(coverage, dtype=np.float32) / 255
    coarse = np.random.default_rng(rng.randrange(1 << 30)).uniform(0.75, 1.0, (cover.shape[0] // 6 + 2, cover.shape[1] // 6 + 2))
    uneven = np.asarray(Image.fromarray((coarse * 255).astype(np.uint8)).resize((cover.shape[1], cover.shape[0]), Image.BILINEAR), np.float32) / 255
    alpha = Image.fromarray((cover * uneven * pen.strength * 255).clip(0, 255).astype(np.uint8))
    image.paste(Image.new("RGB", coverage.size, pen.colour), (x0, y0), alpha)


def _narrow(glyph: Image.Image | None, width: float) -> Image.Image | None:
    if glyph is None or glyph.width <= width:
        return glyph
    return glyph.resize((max(2, int(width)), glyph.height), Image.BILINEAR)
