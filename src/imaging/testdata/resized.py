"""Prints the rows of the tables in resize_test.cpp: python resized.py (opencv-python, Pillow 13, numpy).

Of each resized picture the first 16 digits of its sha256; the pictures are noise that both languages can make.
"""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
from PIL import Image

# width, height, channels -> width, height
SIZES = (
    (1654, 2339, 3, 453, 640), (2339, 1654, 3, 640, 453), (1000, 700, 1, 333, 699), (640, 480, 3, 320, 240),
    (641, 481, 3, 320, 240), (640, 480, 1, 320, 120), (97, 83, 3, 31, 83), (97, 83, 1, 97, 29), (300, 200, 3, 640, 427),
    (33, 11, 1, 128, 32), (57, 64, 3, 114, 128), (40, 300, 1, 90, 32), (500, 20, 3, 256, 32), (1, 1, 3, 5, 7),
    (9, 1, 1, 4, 6), (50, 41, 3, 1, 1),
)


def noise(width: int, height: int, channels: int) -> np.ndarray:
    i = np.arange(width * height * channels, dtype=np.uint64)
    mixed = (i * 2654435761) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 2246822519) & 0xFFFFFFFF
    shape = (height, width, channels) if channels == 3 else (height, width)
    return (mixed >> 24).astype(np.uint8).reshape(shape)


def digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:16]


for width, height, channels, to_width, to_height in SIZES:
    source = noise(width, height, channels)
    linear = cv2.resize(source, (to_width, to_height), interpolation=cv2.INTER_LINEAR)
    pillow = np.asarray(Image.fromarray(source).resize((to_width, to_height), Image.Resampling.BILINEAR))
    print(f'    {{{width}, {height}, {channels}, {to_width}, {to_height}, "{digest(linear)}", "{digest(pillow)}"}},')
