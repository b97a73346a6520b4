"""From a page and a box to the reader's input, step by step as the original does it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PADDING = 10
HEIGHT = 32
WIDTH = {"register": 256, "subject": 128}


@dataclass(frozen=True)
class CropSpec:
    """`box` is x1, y1, x2, y2 in page pixels, as a detector gives it."""

    name: str
    page: str
    field: str
    box: tuple[float, float, float, float]


CROPS = (
    CropSpec("a4_register", "a4", "register", (72.4, 61.9, 532.6, 132.2)),
    CropSpec("a4_subject", "a4", "subject", (72.99, 173.5, 360.01, 239.7)),
    CropSpec("a4_left_top", "a4", "register", (0.0, 3.2, 301.7, 60.4)),
    CropSpec("a4_right_bottom", "a4", "subject", (604.3, 960.9, 720.0, 1018.0)),
    CropSpec("small_register", "small", "register", (30.5, 25.49, 221.51, 55.2)),
    CropSpec("small_subject", "small", "subject", (30.1, 71.3, 149.8, 98.6)),
    CropSpec("small_corner", "small", "register", (291.2, 411.3, 299.9, 419.95)),
    CropSpec("small_tall", "small", "subject", (100.7, 40.2, 118.3, 400.8)),
    CropSpec("landscape_register", "landscape", "register", (96.0, 37.0, 710.0, 80.0)),
    CropSpec("landscape_subject", "landscape", "subject", (95.7, 105.2, 480.3, 145.9)),
    CropSpec("landscape_wide", "landscape", "register", (0.4, 300.6, 959.6, 318.2)),
    CropSpec("landscape_whole", "landscape", "subject", (0.0, 0.0, 960.0, 620.0)),
)


def padded(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """Fractions are dropped first, then the padding is added, then the page's edge holds."""
    x1, y1, x2, y2 = (int(value) for value in box)
    return max(0, x1 - PADDING), max(0, y1 - PADDING), min(width, x2 + PADDING), min(height, y2 + PADDING)


def crop_tensor(page: Image.Image, spec: CropSpec, channel_swap: bool = False) -> NDArray[np.float32]:
    """[1, 32, W] in -1..1."""
    piece = page.crop(padded(spec.box, page.width, page.height))
    if channel_swap:
        piece = Image.fromarray(np.ascontiguousarray(np.asarray(piece)[..., ::-1]))
    grey = piece.convert("L").resize((WIDTH[spec.field], HEIGHT), Image.Resampling.BILINEAR)
    return ((np.asarray(grey, dtype=np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5))[None]
