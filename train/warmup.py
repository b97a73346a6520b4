"""Easy lines whose symbols' places are known, so that a reader finds its alignment in minutes.

CTC alone dwells for thousands of steps on answers that ignore the picture; a few hundred steps on these
lines with a target for every step of the sequence lead past that.
"""

from __future__ import annotations

import random

import numpy as np
import torch
from PIL import Image

import fonts
import ink

HEIGHT, STEP = 32, 4  # pixels, and pixels a sequence step
IGNORED = -100


class Warmup:
    """A bank of glyphs of every training pen, and lines composed of them."""

    def __init__(self, alphabet: str, width: int, seed: int, hands: int = 30) -> None:
        self.alphabet, self.width = alphabet, width
        self.generator = np.random.default_rng(seed)
        rng = random.Random(seed)
        faces = [*fonts.TRAINING_PENS, *(f"strokes:{rng.randrange(1 << 30)}" for _ in range(hands))]
        self.bank: list[list[Image.Image]] = []
        for face in faces:
            pen = ink.Pen(face, (0, 0, 0), 1.0, 0.0, rng.gauss(0, 0.08), 0.03, 0.1)
            self.bank.append([ink.glyph(rng, pen, symbol, 20, 4.0) for symbol in alphabet])

    def batch(self, count: int, shortest: int, longest: int) -> tuple[torch.Tensor, torch.Tensor]:
        """uint8 crops [N, 32, W] and a class for every step [N, W/4], IGNORED where either answer would do."""
        g = self.generator
        crops = np.zeros((count, HEIGHT, self.width), np.uint8)
        targets = np.full((count, self.width // STEP), IGNORED, np.int64)
        middle = np.arange(self.width // STEP) * STEP + STEP / 2
        for row in range(count):
            hand = self.bank[g.integers(len(self.bank))]
            length = int(g.integers(shortest, longest + 1))
            start, end = g.uniform(0.02, 0.2) * self.width, g.uniform(0.8, 0.98) * self.width
            pitch = (end - start) / length
            line = Image.new("L", (self.width, HEIGHT), 0)
            tall = g.uniform(12, 24)
            centres, classes = [], g.integers(0, len(self.alphabet), length)
            for i, symbol in enumerate(classes):
                shape = hand[symbol]
                wide = int(max(2, min(shape.width * tall / 20 * g.uniform(0.8, 1.2), pitch * 0.95)))
                shape = shape.resize((wide, max(4, int(shape.height * tall / 20))), Image.BILINEAR)
                centre = start + pitch * (i + 0.5) + g.normal(0, 0.04) * pitch
                place = (int(centre - wide / 2), int((HEIGHT - shape.height) / 2 + g.normal(0, 1.2)))
                line.paste(255, place, shape)
                centres.append(centre)
            apart = np.abs(middle[:, None] - np.array(centres)[None])
            nearest, near = apart.min(1), apart.argmin(1)
            targets[row] = np.where(nearest <= STEP / 2, classes[near] + 1, np.where(nearest > 0.36 * pitch, 0, IGNORED))
            paper, dark = g.uniform(150, 255), g.uniform(0.35, 0.95)
            picture = paper * (1 - dark * np.asarray(line, np.float32) / 255)
            if g.random() < 0.4:  # the walls of cells
                for wall in start + pitch * np.arange(length + 1):
                    picture[4:28, int(np.clip(wall, 0, self.width - 1))] *= g.uniform(0.2, 0.8)
            crops[row] = np.clip(picture + g.normal(0, g.uniform(0, 8), picture.shape), 0, 255)
        return torch.from_numpy(crops), torch.from_numpy(targets)
