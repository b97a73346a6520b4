"""What both trainers keep: the running average of the weights, saved so that a reader never meets half a file."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn


class Average:
    """A model whose weights follow another's; the longer the training, the slower, up to `slowest`."""

    def __init__(self, model: nn.Module, slowest: float) -> None:
        self.model = copy.deepcopy(model).eval()
        self.slowest = slowest
        self.steps = 0

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        keep = min(self.slowest, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        for slow, fast in zip(self.model.state_dict().values(), model.state_dict().values()):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)

    def save(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(self.model.state_dict(), folder / f"{name}.part")
        (folder / f"{name}.part").rename(folder / f"{name}.pt")
