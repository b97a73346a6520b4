#!/usr/bin/env python3
"""Trains one reader on the pool and keeps its averaged weights in CKPT/NAME.pt.

    python3 train/train_reader.py register --pool POOL --out CKPT --minutes 45
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
from pool import READER_WIDTHS
from form import REGISTER, SUBJECT
from reader import REGISTER_ALPHABET, SUBJECT_ALPHABET, Crnn, greedy, normalised
from warmup import Warmup


class Pool:
    """Every shard read so far, as one array of crops and one list of texts."""

    def __init__(self, folder: Path, what: str) -> None:
        self.folder, self.what = folder, what
        self.seen: set[Path] = set()
        self.crops: list[np.ndarray] = []
        self.texts: list[str] = []

    def refresh(self) -> int:
        for path in sorted(self.folder.glob(f"{self.what}-*.pkl")):
            if path not in self.seen:
                self.seen.add(path)
                for crop, text in pickle.loads(path.read_bytes()):
                    self.crops.append(crop)
                    self.texts.append(text)
        return len(self.texts)


def vary(crops: torch.Tensor, generator: np.random.Generator) -> torch.Tensor:
    """Cheap fresh variation on normalised crops: place, size, bent strokes, their thickness, contrast, noise."""
    n, _, h, w = crops.shape
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = torch.from_numpy(1 + generator.normal(0, 0.03, n)).float()
    theta[:, 1, 1] = torch.from_numpy(1 + generator.normal(0, 0.08, n)).float()
    theta[:, 0, 1] = torch.from_numpy(generator.normal(0, 0.015, n)).float()
    theta[:, 1, 0] = torch.from_numpy(generator.normal(0, 0.05, n)).float()
    theta[:, 0, 2] = torch.from_numpy(generator.normal(0, 0.015, n)).float()
    theta[:, 1, 2] = torch.from_numpy(generator.normal(0, 0.07, n)).float()
    grid = nn.functional.affine_grid(theta, [n, 1, h, w], align_corners=False)
    # Knots 8 pixels apart, moved by up to a pixel or two: the same symbol from another hand.
    knots = torch.randn(n, 2, h // 8 + 1, w // 8 + 1) * torch.from_numpy(generator.uniform(0, 0.8, (n, 1, 1, 1))).float()
    bend = nn.functional.interpolate(knots, (h, w), mode="bicubic", align_corners=True)
    grid = grid + bend.permute(0, 2, 3, 1) * torch.tensor([2 / w, 2 / h])
    crops = nn.functional.grid_sample(crops, grid, padding_mode="border", align_corners=False)
    # Ink is dark: the darkest neighbour thickens a stroke, the brightest thins it.
    thick, thin = -nn.functional.max_pool2d(-crops, 3, 1, 1), nn.functional.max_pool2d(crops, 3, 1, 1)
    share = torch.from_numpy(np.clip(generator.normal(0, 0.3, (n, 1, 1, 1)), -0.45, 0.8)).float()
    crops = crops + share.clamp(min=0) * (thick - crops) + (-share).clamp(min=0) * (thin - crops)
    gain = torch.from_numpy(generator.uniform(0.6, 1.15, (n, 1, 1, 1))).float()
    lift = torch.from_numpy(generator.normal(0, 0.12, (n, 1, 1, 1))).float()
    crops = crops * gain + lift
    return crops + torch.randn_like(crops) * torch.from_numpy(np.abs(generator.normal(0, 0.04, (n, 1, 1, 1)))).float()


def warm_up(model: nn.Module, alphabet: str, width: int, steps: int, seed: int) -> None:
    """Finds the alignment on easy lines, with a target for every step."""
    lines = Warmup(alphabet, width, seed)
    shortest, longest = (8, 13) if len(alphabet) == 10 else (6, 9)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)
    for step in range(steps):
        crops, targets = lines.batch(20, shortest, longest)
        logits = model(normalised(crops).contiguous(memory_format=torch.channels_last))
        loss = nn.functional.cross_entropy(logits.permute(1, 2, 0), targets, ignore_index=-100)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        if step % 50 == 49:
            right = (logits.argmax(2).T == targets)[targets > 0].float().mean()
            print(f"warm-up step {step + 1} loss {loss.item():.3f} symbols right {right:.3f}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains one reader on the pool.")
    parser.add_argument("what", choices=("register", "subject"))
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warmup", type=int, default=350, help="steps on easy lines first; 0 with --start")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    generator = np.random.default_rng(options.seed)
    alphabet = REGISTER_ALPHABET if options.what == "register" else SUBJECT_ALPHABET
    model = Crnn(len(alphabet) + 1).to(memory_format=torch.channels_last)
    if options.start:
        model.load_state_dict(torch.load(options.start))
    elif options.warmup:
        warm_up(model, alphabet, READER_WIDTHS[REGISTER if options.what == "register" else SUBJECT], options.warmup, options.seed)
    average = Average(model, slowest=0.998)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=1e-3)
    ctc = nn.CTCLoss(blank=0, zero_infinity=True)
    pool = Pool(options.pool, options.what)
    pool.refresh()
    worked, last, saved = 0.0, time.time(), time.time()
    step, right, seen, total, losses = 0, 0, 0, 0, []
    while (share := worked / (60 * options.minutes)) < 1:
        worked, last = worked + min(10.0, time.time() - last), time.time()  # a paused process loses nothing
        if step % 200 == 0:
            total = pool.refresh()
        rate = options.rate * min(1, (step + 1) / 100) * (0.5 * (1 + math.cos(math.pi * share)) * 0.98 + 0.02)
        for group in optimiser.param_groups:
            group["lr"] = rate
        chosen = generator.integers(0, total, options.batch)
        crops = vary(normalised(torch.from_numpy(np.stack([pool.crops[i] for i in chosen]))), generator)
        texts = [pool.texts[i] for i in chosen]
        targets = torch.tensor([alphabet.index(c) + 1 for text in texts for c in text], dtype=torch.long)
        lengths = torch.tensor([len(text) for text in texts])
        logits = model(crops.contiguous(memory_format=torch.channels_last))
        loss = ctc(logits.log_softmax(2), targets, torch.full((len(texts),), logits.shape[0]), lengths)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        average.follow(model)
        losses.append(loss.item())
        if step % 5 == 0:
            right += sum(read == text for (read, _), text in zip(greedy(logits.detach(), alphabet), texts))
            seen += len(texts)
        step += 1
        if step % 100 == 0:
            print(f"{options.what} step {step} {share:.0%} pool {total} loss {np.mean(losses):.4f} right {right / max(seen, 1):.3f}", flush=True)
            losses, right, seen = [], 0, 0
        if time.time() - saved > 60:
            saved = time.time()
            average.save(options.out, options.what)
    average.save(options.out, options.what)
    return 0


if __name__ == "__main__":
    sys.exit(main())
