"""Three made-up answer sheets, drawn so that no two places look alike.

A detector with random weights answers equal patches with equal scores, and equal scores make the order of
suppression a matter of luck. Hence the mosaic of tints under everything; large flat tiles keep the PNG small.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont


@dataclass(frozen=True)
class PageSpec:
    """What is drawn: `width` and `height` in pixels, the seed of its tints, the two texts written on it."""

    name: str
    width: int
    height: int
    seed: int
    register: str
    subject: str
    relation: str  # "shrink" or "enlarge": what letterboxing to 640 does to it


PAGES = (
    PageSpec("a4", 720, 1018, 11, "212222040072", "CS8391", "shrink"),
    PageSpec("small", 300, 420, 12, "9517", "MA3", "enlarge"),
    PageSpec("landscape", 960, 620, 13, "310619104058", "EE6501", "shrink"),
)


def draw(spec: PageSpec) -> Image.Image:
    """The page as 8-bit RGB."""
    rng = np.random.default_rng(spec.seed)
    tile = 8
    rows, columns = -(-spec.height // tile), -(-spec.width // tile)
    tints = 200 + rng.integers(-34, 35, (rows, columns, 1)) + rng.integers(-18, 19, (rows, columns, 3))
    pixels = np.kron(tints, np.ones((tile, tile, 1), dtype=np.int64))[: spec.height, : spec.width]
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")
    pen = ImageDraw.Draw(image)
    unit = spec.width / 100

    for index in range(14):
        y = spec.height * (0.30 + 0.048 * index)
        pen.line((6 * unit, y, 94 * unit, y + unit * (index % 3 - 1)), fill=(60, 90, 150), width=max(1, int(unit / 5)))
    for text, box in (
        (spec.register, (10, 0.06, 74, 0.13)),
        (spec.subject, (10, 0.17, 50, 0.235)),
    ):
        left, top, right, bottom = box[0] * unit, box[1] * spec.height, box[2] * unit, box[3] * spec.height
        pen.rectangle((left, top, right, bottom), outline=(20, 20, 25), width=max(1, int(unit / 4)))
        step = (right - left) / len(text)
        font = ImageFont.load_default(size=0.62 * min(bottom - top, 1.7 * step))
        for position, letter in enumerate(text):
            lift = float(rng.uniform(-0.05, 0.05)) * (bottom - top)
            at = (left + step * (position + 0.28), top + 0.14 * (bottom - top) + lift)
            pen.text(at, letter, fill=(25, 30, 110 + 10 * (position % 4)), font=font)
            if position:
                pen.line((left + step * position, top, left + step * position, bottom), fill=(90, 90, 95))
    for _ in range(26):
        x, y = rng.uniform(0, spec.width), rng.uniform(0.28, 0.98) * spec.height
        radius = rng.uniform(1.0, 6.0) * unit
        colour = tuple(int(value) for value in rng.integers(20, 235, 3))
        kind = int(rng.integers(3))
        around = (x - radius, y - 0.6 * radius, x + radius, y + 0.6 * radius)
        if kind == 0:
            pen.ellipse(around, outline=colour, width=max(1, int(unit / 3)))
        elif kind == 1:
            pen.rectangle(around, fill=colour)
        else:
            pen.arc(around, 20, 290, fill=colour, width=max(1, int(unit / 2)))
    return image


def write_pages(folder: Path) -> dict[str, Image.Image]:
    """Draws every page, stores it as PNG, and returns what the PNG holds when read again."""
    folder.mkdir(parents=True, exist_ok=True)
    for spec in PAGES:
        draw(spec).save(folder / f"{spec.name}.png", optimize=True)
    return {spec.name: Image.open(folder / f"{spec.name}.png").convert("RGB") for spec in PAGES}
