"""Detectors with random weights: built from Ultralytics' own recipes, made narrow, calibrated, saved by Ultralytics.

Depth is left as published, so that every module and shortcut of the real sizes appears; only widths shrink.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn
from ultralytics.nn import tasks
from ultralytics.nn.modules import Detect
from ultralytics.utils import DEFAULT_CFG_DICT

from firmness import CONFIDENCE, LOGIT_AT_CONFIDENCE, MARGIN, judge

SHEET_LABELS = ("RegisterNumber", "SubjectCode")


class NotFirm(Exception):
    """Another seed may do better."""


@dataclass(frozen=True)
class DetectorSpec:
    """`edits` replaces a layer's published channel count: (part, row) -> channels before the width is applied."""

    name: str
    recipe: str
    width: float
    labels: tuple[str, ...]
    saved: str  # "stripped", "full", "trainer" or "old_names"; see saving.py
    edits: dict[tuple[str, int], int] = field(default_factory=dict)
    half: bool = True  # the file stores float16
    cases: tuple[str, ...] = ("a4", "small", "landscape")  # pages that are pinned; "a4:swap" has its channels swapped
    seed: int = 1  # where the search for firm outcomes starts


def _attention(channels: int) -> dict[tuple[str, int], int]:
    """Keeps the attention block of YOLO11 wide enough: a head per 128 channels, and the published size n has two."""
    return {("backbone", 9): channels, ("backbone", 10): channels}


_FIVE = ("Name", "RegisterNumber", "Stamp", "SubjectCode", "Date")

DETECTORS = (
    DetectorSpec(
        "yolov8n", "yolov8n.yaml", 0.1, SHEET_LABELS, "stripped", cases=("a4", "small", "landscape", "a4:swap"), seed=2
    ),
    DetectorSpec("yolov8s", "yolov8s.yaml", 0.09, _FIVE, "stripped"),
    DetectorSpec("yolo11n", "yolo11n.yaml", 0.125, SHEET_LABELS, "stripped", _attention(2048)),
    DetectorSpec("yolov5nu", "yolov5n.yaml", 0.0625, SHEET_LABELS, "full", half=False),
    DetectorSpec("yolo11n_trainer", "yolo11n.yaml", 0.05, SHEET_LABELS, "trainer", _attention(2560), cases=("small",)),
    DetectorSpec("yolov8n_old", "yolov8n.yaml", 0.03125, SHEET_LABELS, "old_names", cases=("small",)),
)


def recipe(name: str, width: float, edits: dict[tuple[str, int], int]) -> dict[str, Any]:
    """The package's architecture table with another width."""
    table = tasks.yaml_model_load(name)
    scale = table["scale"]
    depth, _, most_channels = table["scales"][scale]
    table["scales"] = {scale: [depth, width, max([most_channels, *edits.values()])]}
    for (part, row), channels in edits.items():
        table[part][row][3][0] = channels
    return table


def build(spec: DetectorSpec, seed: int, samples: dict[str, torch.Tensor]) -> tasks.DetectionModel:
    """A network whose activations stay near unit size on `samples` and whose numbers look trained.

    `samples` are [1, 3, H, W] in 0..1 under the names of cases. What the file will store is already
    rounded in: float16 when spec.half.
    """
    torch.manual_seed(seed)
    model = tasks.DetectionModel(recipe(spec.recipe, spec.width, spec.edits), nc=len(spec.labels), verbose=False)
    model.names = dict(enumerate(spec.labels))
    model.nc = len(spec.labels)
    model.task = "detect"
    model.args = {**DEFAULT_CFG_DICT, "model": spec.recipe, "imgsz": 640, "task": "detect"}
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            # Mostly on the rising side of SiLU. Around zero a random network of this depth is chaotic: it would turn
            # float32's own noise into 1e-4 of a score.
            nn.init.uniform_(norm.weight, 0.4, 0.8)
            nn.init.normal_(norm.bias, 0.8, 0.2)
            norm.momentum = None  # a plain average over the calibration passes
        model.train()
        for sample in samples.values():
            model(sample)
        for norm in norms:
            norm.momentum = 0.03
            norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
            norm.running_var *= torch.exp(0.15 * torch.randn_like(norm.running_var))
            norm.num_batches_tracked.fill_(4096)
    model.eval()
    round_to_storage(model, spec.half)
    shape_head(model, spec.half, [samples[case] for case in spec.cases])
    return model


def round_to_storage(model: nn.Module, half: bool) -> None:
    if half:
        model.half().float()


def shape_head(model: tasks.DetectionModel, half: bool, samples: list[torch.Tensor]) -> None:
    """Scales the head's last layers and picks class biases for which every sample's outcome is firm."""
    head: Detect = model.model[-1]
    boxes = [head.cv2[level][-1] for level in range(head.nl)]
    scores = [head.cv3[level][-1] for level in range(head.nl)]
    with torch.no_grad():
        for branch in (*boxes, *scores):
            nn.init.zeros_(branch.bias)
        outputs = last_layers(model, samples)
        bins = torch.arange(head.reg_max)
        for level in range(head.nl):
            boxes[level].weight *= 0.9 / torch.cat([out[0][level].flatten() for out in outputs]).std()
            # Boxes some ten strides wide, so that neighbours overlap enough to suppress each other.
            boxes[level].bias.copy_((1.0 - 0.12 * bins).repeat(4) + 0.2 * torch.randn(4 * head.reg_max))
            spread = torch.cat([out[1][level].flatten(2) for out in outputs], 2).std(dim=2)[0]
            scores[level].weight *= (2.5 / spread)[:, None, None, None]
        round_to_storage(model, half)
        logits = [torch.cat([part.flatten(2)[0] for part in out[1]], 1) for out in last_layers(model, samples)]
        places = [model(sample)[0][0, :4] for sample in samples]
        for level, biases in enumerate(firm_biases(logits, places, [sample.shape[2:] for sample in samples], half)):
            scores[level].bias.copy_(biases)


def last_layers(
    model: tasks.DetectionModel, samples: list[torch.Tensor]
) -> list[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """Per sample what the last box and class convolutions give, level by level."""
    head: Detect = model.model[-1]
    seen: list[torch.Tensor] = []
    layers = [head.cv2[level][-1] for level in range(head.nl)] + [head.cv3[level][-1] for level in range(head.nl)]
    hooks = [layer.register_forward_hook(lambda _module, _inputs, out: seen.append(out.clone())) for layer in layers]
    found = []
    for sample in samples:
        seen.clear()
        model(sample)
        found.append((seen[0::2], seen[1::2]))  # box and class alternate by level
    for hook in hooks:
        hook.remove()
    return found


def firm_biases(
    logits: list[torch.Tensor], places: list[torch.Tensor], sizes: list[torch.Size], half: bool
) -> list[torch.Tensor]:
    """Per level the class biases, tried at random among those that leave a gap around the threshold."""
    labels = logits[0].shape[0]
    cells = [[(height // stride) * (width // stride) for stride in (8, 16, 32)] for height, width in sizes]
    by_level = [[part for part in logit.split(cell, 1)] for logit, cell in zip(logits, cells)]
    choices = [
        [
            bias_choices(
                [parts[level][label] for parts in by_level], (24.0, 14.0, 8.0)[level] * 2 / math.sqrt(2 * labels), half
            )
            for label in range(labels)
        ]
        for level in range(3)
    ]
    rng = np.random.default_rng(0)
    for _ in range(1500):
        biases = [torch.tensor([options[rng.integers(len(options))] for options in level]) for level in choices]
        if all(
            judge(
                torch.cat(
                    [place, torch.cat([part + bias[:, None] for part, bias in zip(parts, biases)], 1).sigmoid()]
                ).numpy()
            ).firm()
            for place, parts in zip(places, by_level)
        ):
            return biases
    raise NotFirm("no biases give a firm outcome")


def bias_choices(logits: list[torch.Tensor], wanted: float, half: bool) -> list[float]:
    """Biases that let about `wanted` anchors per sample pass and none come near the threshold."""
    every = torch.cat(logits)
    ranked = every.sort(descending=True).values
    needed = 1.2 * MARGIN / (CONFIDENCE * (1 - CONFIDENCE))
    found = []
    for rank in range(int(0.4 * wanted * len(logits)), int(1.7 * wanted * len(logits))):
        bias = LOGIT_AT_CONFIDENCE - float(ranked[rank] + ranked[rank + 1]) / 2
        bias = float(torch.tensor(bias).half()) if half else bias
        if float((every + bias - LOGIT_AT_CONFIDENCE).abs().min()) > needed:
            found.append(bias)
    if not found:
        raise NotFirm("no gap around the threshold")
    return found


def disturbed(model: tasks.DetectionModel) -> tasks.DetectionModel:
    """A copy that finds nothing: what a checkpoint holds under `model` while `ema` is the one to use."""
    other = copy.deepcopy(model)
    head: Detect = other.model[-1]
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(1 + 0.05 * torch.randn_like(parameter))
        for branch in head.cv3:
            branch[-1].bias.fill_(-20.0)
    return other
