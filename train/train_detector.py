#!/usr/bin/env python3
"""Trains the detector on the pool and keeps its averaged weights in CKPT/detector.pt.

Most of the time goes to windows 320 pixels wide cut at the true scale, the last share to whole pages.

    python3 train/train_detector.py --pool POOL --out CKPT --minutes 50
"""

from __future__ import annotations

import argparse
import math
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from average import Average
from detector import Detector
from detector_loss import detection_loss

PAD = 114
# Boxes are taught a little loose, in pixels: a reader minds a margin less than half a digit.
LOOSE = np.array([0, -2.5, -1.0, 2.5, 1.0], np.float32)
Example = tuple[np.ndarray, np.ndarray]


def window(example: Example, generator: np.random.Generator, side: int, tall: int) -> Example:
    """A cut-out `side` wide with its boxes; a field that is cut through is painted over."""
    page, boxes = example
    h, w = page.shape[:2]
    if len(boxes) and (tall < side or generator.random() < 0.6):
        left, top, right, bottom = boxes[generator.integers(len(boxes)), 1:]
        x = generator.uniform(min(right - side, left), max(right - side, left))
        y = generator.uniform(min(bottom - tall, top), max(bottom - tall, top))
    else:
        x, y = generator.uniform(0, max(1, w - side)), generator.uniform(0, max(1, h - tall))
    x, y = int(np.clip(x, -24, max(0, w - side + 24))), int(np.clip(y, -24, max(0, h - tall + 24)))
    out = np.full((tall, side, 3), PAD, np.uint8)
    sx, sy = max(x, 0), max(y, 0)
    part = page[sy : y + tall, sx : x + side]
    out[sy - y : sy - y + part.shape[0], sx - x : sx - x + part.shape[1]] = part
    kept = []
    for row in boxes:
        moved = row - np.array([0, x, y, x, y], np.float32)
        clipped = np.clip(moved[1:], 0, (side, tall, side, tall))
        area = (clipped[2] - clipped[0]) * (clipped[3] - clipped[1])
        seen = area / max(1e-6, (moved[3] - moved[1]) * (moved[4] - moved[2]))
        if seen > 0.75:
            kept.append([row[0], *clipped])
        elif seen > 0:
            a, b, c, d = clipped.astype(int)
            out[b : d + 1, a : c + 1] = PAD
    return out, np.array(kept, np.float32).reshape(-1, 5)


def whole(example: Example, generator: np.random.Generator) -> Example:
    """A page as inference sees it: long side about 640, padded to 672 x 544 or turned."""
    page, boxes = example
    h, w = page.shape[:2]
    tall, wide = (672, 544) if h >= w else (544, 672)
    h, w = min(h, tall), min(w, wide)
    y, x = int(generator.integers(0, tall - h + 1)), int(generator.integers(0, wide - w + 1))
    out = np.full((tall, wide, 3), PAD, np.uint8)
    out[y : y + h, x : x + w] = page[:h, :w]
    moved = boxes + np.array([0, x, y, x, y], np.float32)
    return out, moved[moved[:, 4] <= y + h]


def batch_of(examples: list[Example], generator: np.random.Generator) -> tuple[torch.Tensor, list[torch.Tensor]]:
    images = torch.from_numpy(np.stack([image for image, _ in examples])).permute(0, 3, 1, 2).float() / 255
    n = len(examples)
    gain = torch.from_numpy(generator.uniform(0.7, 1.15, (n, 1, 1, 1)) * generator.uniform(0.94, 1.06, (n, 3, 1, 1))).float()
    lift = torch.from_numpy(generator.normal(0, 0.04, (n, 1, 1, 1))).float()
    images = (images * gain + lift).clamp(0, 1).contiguous(memory_format=torch.channels_last)
    return images, [torch.from_numpy(boxes) for _, boxes in examples]


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains the detector on the pool.")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--whole-from", type=float, default=0.8, help="share of the time after which whole pages are used")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    generator = np.random.default_rng(options.seed)
    model = Detector().to(memory_format=torch.channels_last)
    if options.start:
        model.load_state_dict(torch.load(options.start))
    average = Average(model, slowest=0.997)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=options.rate, weight_decay=5e-4)
    pages: list[Example] = []
    seen: set[Path] = set()
    worked, last, saved = 0.0, time.time(), time.time()
    step, notes = 0, []
    while (share := worked / (60 * options.minutes)) < 1:
        worked, last = worked + min(10.0, time.time() - last), time.time()  # a paused process loses nothing
        if step % 50 == 0:
            for path in sorted(options.pool.glob("pages-*.pkl")):
                if path not in seen:
                    seen.add(path)
                    pages += [(page, boxes + LOOSE) for page, boxes in pickle.loads(path.read_bytes())]
        rate = options.rate * min(1, (step + 1) / 60) * (0.5 * (1 + math.cos(math.pi * share)) * 0.98 + 0.02)
        for group in optimiser.param_groups:
            group["lr"] = rate
        if share < options.whole_from:
            # Low windows around a field teach most for their price; square ones keep the rest of the page in mind.
            tall, count = (160, 2 * options.batch) if generator.random() < 0.7 else (320, options.batch)
            examples = [window(pages[i], generator, 320, tall) for i in generator.integers(0, len(pages), count)]
        else:
            upright = [pages[i] for i in generator.integers(0, len(pages), 12) if pages[i][0].shape[0] >= pages[i][0].shape[1]]
            examples = [whole(example, generator) for example in upright[: max(2, options.batch // 2 - 1)]]
        images, truths = batch_of(examples, generator)
        loss, parts = detection_loss(model(images), truths)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        average.follow(model)
        notes.append(parts)
        step += 1
        if step % 25 == 0:
            means = {key: round(float(np.mean([note[key] for note in notes])), 3) for key in parts}
            print(f"detector step {step} {share:.0%} pages {len(pages)} {means} {worked / step:.2f} s/step", flush=True)
            notes = []
        if time.time() - saved > 60:
            saved = time.time()
            average.save(options.out, "detector")
    average.save(options.out, "detector")
    return 0


if __name__ == "__main__":
    sys.exit(main())
