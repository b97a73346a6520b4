"""A pen of our own: symbols as strokes through a few points, bent differently by every hand.

Used for training only. Points lie on a grid whose height is 10; a doubled point is a sharp corner.
"""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

SHARE = 0.4  # of training pens

# Symbol → ways to write it → strokes.
SHAPES: dict[str, tuple[str, ...]] = {
    "0": ("3,0 1,1 0,5 1,9 3,10 5,9 6,5 5,1 3,0", "4,0 1,2 0,6 2,10 5,9 6,4 4,0 2,1", "3,1 0,4 1,9 4,10 6,6 5,1 2,0"),
    "1": ("3,0 3,10", "1,2 1,2 3,0 3,0 3,10", "3,0 3,0 2,10", "1,2 1,2 3,0 3,0 3,10|1,10 5,10"),
    "2": ("0,2 2,0 5,1 5,4 0,10 0,10 6,10", "0,2 3,0 6,2 4,6 1,9 0,10 2,9 6,10", "0,1 3,0 5,2 4,5 0,10 0,10 5,9"),
    "3": ("0,1 3,0 5,2 4,4 2,5 2,5 5,6 6,8 3,10 0,9", "0,0 0,0 5,0 5,0 2,4 2,4 5,5 6,8 3,10 0,9", "1,0 4,1 4,4 1,5 1,5 5,7 4,10 0,10"),
    "4": ("4,0 4,0 0,7 0,7 6,7|4.5,3 4.5,10", "1,0 1,0 0,6 0,6 6,6|5,0 5,10", "4,10 4,10 4,0 4,0 0,7 0,7 6,7", "1,0 1,0 1,5 1,5 5,5|5,2 4,10"),
    "5": ("5,0 5,0 1,0 1,0 1,4 1,4 4,4 6,7 4,10 0,9", "1,0 1,0 1,4 1,4 4,4 6,7 3,10 0,9|1,0 6,0", "6,0 6,0 1,1 1,1 1,5 5,5 5,9 2,10 0,9"),
    "6": ("5,0 2,3 0,7 2,10 5,9 5,6 3,5 0,7", "4,0 1,4 0,8 3,10 5,8 4,6 1,7", "3,0 0,5 0,9 3,10 5,8 3,6 0,8"),
    "7": ("0,0 0,0 6,0 6,0 2,10", "0,0 0,0 6,0 6,0 2,10|1,5 5,5", "0,2 0,2 0,0 0,0 6,0 6,0 3,5 2,10"),
    "8": ("5,1 3,0 1,1 1,3 3,5 5,7 5,9 3,10 1,9 1,7 3,5 5,3 5,1", "5,1 2,0 1,3 5,7 4,10 1,9 1,7 5,3 5,1", "3,0 1,2 3,4 5,2 3,0|3,4 0,7 3,10 6,7 3,4"),
    "9": ("5,2 3,0 1,1 0,3 2,5 5,4 5,2 5,2 5,6 4,10", "5,2 3,0 0,2 1,5 4,5 5,2 5,0 5,0 5,10", "5,3 3,0 0,2 1,5 4,4 5,1 5,6 3,10 1,9"),
    "A": ("0,10 0,10 3,0 3,0 6,10|1,6 5,6", "0,10 1,3 3,0 5,3 6,10|0,6 6,6", "0,10 0,10 4,0 4,0 6,10|2,6 6,6"),
    "B": ("0,0 0,10|0,0 4,0 5,2 4,4 0,5 0,5 5,6 6,8 4,10 0,10", "0,10 0,10 0,0 0,0 5,1 5,4 1,5 1,5 6,7 4,10 0,10"),
    "C": ("6,1 3,0 0,4 1,9 4,10 6,9", "6,2 4,0 1,2 0,7 3,10 6,8", "5,0 1,1 0,5 1,9 5,10"),
    "D": ("0,0 0,10|0,0 4,1 6,5 4,9 0,10", "1,0 1,0 1,10 1,10 6,8 6,3 3,0 0,0", "0,0 0,10|-1,0 4,0 7,5 3,10 -1,10"),
    "E": ("5,0 5,0 0,0 0,0 0,10 0,10 5,10|0,5 4,5", "0,0 0,10|0,0 5,0|0,5 4,5|0,10 5,10", "5,1 2,0 1,3 3,5 3,5 0,7 2,10 5,9"),
    "F": ("5,0 5,0 0,0 0,0 0,10|0,5 4,5", "0,0 0,10|0,0 6,0|0,4 5,4"),
    "G": ("6,1 3,0 0,4 1,9 4,10 6,8 6,6 6,6 3,6", "6,2 3,0 0,3 0,8 3,10 6,9 6,5 6,5 4,5|6,5 6,11", "6,1 2,0 0,5 2,10 5,9 5,6|3,6 7,6"),
    "H": ("0,0 0,10|6,0 6,10|0,5 6,5", "0,0 0,10|5,0 5,10|0,6 5,4"),
    "I": ("3,0 3,10|1,0 5,0|1,10 5,10", "3,0 3,10|1,0 5,0|1,10 5,10", "3,0 3,10"),
    "J": ("5,0 5,8 3,10 0,8", "5,0 5,8 3,10 0,8|2,0 7,0", "4,0 4,9 2,10 0,9|1,0 6,0"),
    "K": ("0,0 0,10|5,0 5,0 0,6 0,6 6,10", "0,0 0,10|6,0 0,5|1,5 6,10", "0,0 0,10|5,1 1,5 1,5 5,10 7,10"),
    "L": ("0,0 0,0 0,10 0,10 5,10", "1,0 0,8 1,10 6,10"),
    "M": ("0,10 0,10 1,0 1,0 4,7 4,7 7,0 7,0 8,10", "0,10 0,10 0,0 0,0 4,6 4,6 8,0 8,0 8,10", "0,10 1,2 2,0 4,5 4,5 6,0 7,2 8,10"),
    "N": ("0,10 0,10 0,0 0,0 6,10 6,10 6,0", "0,10 1,2 1,0 3,5 5,10 6,5 6,0", "0,0 0,10|0,0 6,10|6,0 6,10"),
    "O": ("4,0 1,1 0,5 1,9 4,10 7,9 8,5 7,1 4,0", "4,0 0,3 1,9 5,10 8,6 6,1 3,0"),
    "P": ("0,0 0,10|0,0 5,0 6,3 4,5 0,5", "1,10 1,10 1,0 0,0 5,0 6,3 3,6 1,5"),
    "Q": ("4,0 1,1 0,5 1,9 4,10 7,9 8,5 7,1 4,0|5,7 8,11", "4,0 0,3 1,9 5,10 8,6 6,1 3,0|5,8 9,10"),
    "R": ("0,0 0,10|0,0 5,0 6,3 4,5 0,5 0,5 6,10", "1,10 1,10 1,0 0,0 5,0 6,3 3,5 1,5|3,5 6,10"),
    "S": ("6,1 3,0 1,2 3,5 5,7 4,10 0,9", "5,0 1,1 1,4 4,5 6,8 3,10 0,10", "6,1 3,0 0,2 5,6 5,9 2,10 0,8"),
    "T": ("3,0 3,10|0,0 6,0", "4,0 3,10|0,1 7,0"),
    "U": ("0,0 0,7 2,10 5,9 6,6 6,0", "0,0 0,8 3,10 5,8 5,0 5,0 6,10", "0,0 1,8 3,10 5,8 6,0"),
    "V": ("0,0 0,0 3,10 3,10 6,0", "0,0 2,8 3,10 4,8 6,0"),
    "W": ("0,0 0,0 2,10 2,10 4,3 4,3 6,10 6,10 8,0", "0,0 1,8 2,10 4,5 4,5 6,10 7,8 8,0"),
    "X": ("0,0 6,10|6,0 0,10", "0,0 5,10|6,0 0,9"),
    "Y": ("0,0 3,5|6,0 3,5 3,5 3,10", "0,0 1,4 4,5 6,0 6,0 5,8 2,10", "0,0 3,5|6,0 1,10"),
    "Z": ("0,0 0,0 6,0 6,0 0,10 0,10 6,10", "0,0 0,0 6,0 6,0 0,10 0,10 6,10|1,5 5,5", "0,1 6,0 6,0 0,10 0,10 3,9 6,10"),
}


def _points(text: str) -> np.ndarray:
    return np.array([[float(v) for v in pair.split(",")] for pair in text.split()], dtype=np.float64)


@lru_cache(maxsize=4096)
def _shape(hand: int, symbol: str) -> tuple[np.ndarray, ...]:
    """The strokes of one symbol as one hand always writes them; small letters are written as capitals."""
    own = random.Random(f"{hand}/{symbol}")
    noise = np.random.default_rng(own.randrange(1 << 30))
    general = random.Random(hand)
    width, curl = general.uniform(0.75, 1.25), general.uniform(0.1, 0.55)
    ways = SHAPES.get(symbol.upper(), ("2,9 3,10",))
    strokes = []
    for stroke in own.choice(ways).split("|"):
        points = _points(stroke)
        bend = noise.normal(0, curl, points.shape)
        for i in range(1, len(points)):  # a corner stays one
            if (points[i] == points[i - 1]).all():
                bend[i] = bend[i - 1]
        points = (points + bend) * (width, 1.0)
        strokes.append(points)
    return tuple(strokes)


def _curve(points: np.ndarray, steps: int = 8) -> np.ndarray:
    """Catmull-Rom spline through the points."""
    if len(points) < 3:
        return points
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for i in range(len(points) - 1):
        a, b, c, d = padded[i : i + 4]
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack([*pieces, points[-1:]])


def draw(hand: int, symbol: str, height: float, rng: random.Random, width: float) -> Image.Image:
    """Coverage of one symbol `height` pixels tall, drawn with a pen `width` pixels thick."""
    noise = np.random.default_rng(rng.randrange(1 << 30))
    strokes = []
    for points in _shape(hand, symbol):
        shake = noise.normal(0, 0.15, points.shape)
        for i in range(1, len(points)):
            if (points[i] == points[i - 1]).all():
                shake[i] = shake[i - 1]
        strokes.append(_curve(points + shake))
    every = np.vstack(strokes)
    low = every.min(axis=0)
    factor = 2 * height / 10
    margin = 2 * width + 2
    size = ((every.max(axis=0) - low) * factor + 2 * margin).astype(int) + 1
    canvas = Image.new("L", (int(size[0]), int(size[1])), 0)
    pencil = ImageDraw.Draw(canvas)
    thick = max(1, round(2 * width))
    for stroke in strokes:
        path = [tuple(p) for p in (stroke - low) * factor + margin]
        pencil.line(path, fill=255, width=thick, joint="curve")
        for x, y in (path[0], path[-1]):
            pencil.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)
    small = canvas.resize((max(1, canvas.width // 2), max(1, canvas.height // 2)), Image.BILINEAR)
    box = small.getbbox()
    return small.crop(box) if box else small
