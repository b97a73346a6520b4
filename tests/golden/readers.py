"""Readers with random weights that read something definite, and the ways their checkpoints are written.

The convolutions and the LSTM are random; the last layer is solved for, so that the pages' crops give chosen texts with
every step's choice clear of rounding.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from crops import CROPS, CropSpec
from crnn import DIGITS, DIGITS_AND_LETTERS, ORIGINAL, Crnn, CrnnShape
from legacy import save_legacy


@dataclass(frozen=True)
class ReaderSpec:
    """`saved`: the way the file is written; see `save`."""

    name: str
    suffix: str
    field: str
    shape: CrnnShape
    alphabet: str
    saved: str
    seed: int
    half: bool = False
    crops: tuple[str, ...] = ()  # those pinned; empty: every crop of the field

    def pinned(self) -> list[CropSpec]:
        return [crop for crop in CROPS if crop.field == self.field and crop.name in (self.crops or [crop.name])]


_MAIN = tuple(f"{page}_{field}" for page in ("a4", "small", "landscape") for field in ("register", "subject"))
_NARROW = (8, 16, 24, 24, 32, 32, 40)
_FOURTEEN = DIGITS_AND_LETTERS[:13]

READERS = (
    ReaderSpec("register_original_width", ".pth", "register", CrnnShape(ORIGINAL, 256, 11), DIGITS, "views", 1),
    ReaderSpec(
        "register_narrow", ".pth", "register", CrnnShape((12, 24, 36, 36, 48, 48, 48), 48, 11), DIGITS, "plain", 2
    ),
    ReaderSpec(
        "subject_narrow",
        ".pth",
        "subject",
        CrnnShape((12, 24, 36, 36, 48, 48, 48), 40, 37),
        DIGITS_AND_LETTERS,
        "plain",
        3,
    ),
    ReaderSpec(
        "register_module_prefix", ".pth", "register", CrnnShape(_NARROW, 24, 11), DIGITS, "module", 4, crops=_MAIN
    ),
    ReaderSpec(
        "subject_checkpoint",
        ".pth",
        "subject",
        CrnnShape(_NARROW, 24, 37),
        DIGITS_AND_LETTERS,
        "checkpoint",
        5,
        crops=_MAIN,
    ),
    ReaderSpec(
        "register_half", ".pt", "register", CrnnShape(_NARROW, 24, 11), DIGITS, "plain", 6, half=True, crops=_MAIN
    ),
    ReaderSpec(
        "subject_legacy", ".pth", "subject", CrnnShape(_NARROW, 24, 37), DIGITS_AND_LETTERS, "legacy", 7, crops=_MAIN
    ),
    ReaderSpec(
        "subject_safetensors",
        ".safetensors",
        "subject",
        CrnnShape(_NARROW, 24, 37),
        DIGITS_AND_LETTERS,
        "safetensors",
        8,
        crops=_MAIN,
    ),
    ReaderSpec(
        "register_one_layer",
        ".pth",
        "register",
        CrnnShape((8, 12, 20, 16, 24, 40, 28), 20, 14, layers=1, conv_bias=False),
        _FOURTEEN,
        "plain",
        9,
        crops=_MAIN,
    ),
    ReaderSpec(
        "subject_three_layers",
        ".pth",
        "subject",
        CrnnShape((6, 10, 14, 18, 22, 26, 30), 16, 37, layers=3),
        DIGITS_AND_LETTERS,
        "module_checkpoint",
        10,
        crops=_MAIN,
    ),
)


def build(spec: ReaderSpec, seed: int, crops: list[torch.Tensor], texts: list[str]) -> Crnn:
    """A reader of `crops` ([1, 1, 32, W]) whose texts are `texts`, as far as random features tell steps apart."""
    torch.manual_seed(seed)
    model = Crnn(spec.shape)
    with torch.no_grad():
        if spec.saved == "views":
            view_into_one_storage(model)
        else:
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    nn.init.uniform_(module.weight, 0.6, 1.4)
                    nn.init.normal_(module.bias, 0.0, 0.3)
            for name, parameter in model.rnn.named_parameters():
                nn.init.normal_(parameter, 0.0, 0.9 / spec.shape.hidden**0.5 if "weight" in name else 0.3)
        calibrate(model, crops)
        if spec.half:
            model.half().float()
        solve_last_layer(model, crops, texts, spec.alphabet)
        if spec.half:
            model.half().float()
    return model.eval()


def calibrate(model: Crnn, crops: list[torch.Tensor]) -> None:
    """Fills the running statistics from the crops, then shifts them a little, as another data set would."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    batch = torch.cat(crops)
    for module in model.modules():
        if isinstance(module, nn.Dropout2d):
            module.p = 0.0
    for norm in norms:
        norm.momentum = 1.0
        norm.running_mean.zero_()
    model.train()
    model.cnn(batch)
    for norm in norms:
        norm.momentum = 0.1
        norm.running_mean += 0.05 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
        norm.running_var *= torch.exp(0.1 * torch.randn_like(norm.running_var))
        norm.num_batches_tracked.fill_(2000)
    for module in model.modules():
        if isinstance(module, nn.Dropout2d):
            module.p = 0.1
    model.eval()


def wanted_steps(text: str, steps: int, alphabet: str) -> list[int]:
    """A class per step: letters two to four steps wide with blanks between, blanks before and after."""
    slots = len(text) + 1
    labels = [0] * steps
    for position, letter in enumerate(text):
        start = round((position + 0.7) * steps / slots)
        for step in range(start, max(start + 1, start + steps // (2 * slots))):
            labels[step] = alphabet.index(letter) + 1
    return labels


def solve_last_layer(model: Crnn, crops: list[torch.Tensor], texts: list[str], alphabet: str) -> None:
    """Ridge regression to logits of five for the wanted class; its size keeps confidences away from 1."""
    features = [model.features(crop)[:, 0].double() for crop in crops]
    labels = [wanted_steps(text, len(part), alphabet) for text, part in zip(texts, features)]
    inputs = torch.cat(features)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1, dtype=torch.float64)], 1)
    targets = 5.0 * nn.functional.one_hot(torch.tensor(sum(labels, [])), model.fc.out_features).double()
    ridge = 0.1 * torch.eye(inputs.shape[1], dtype=torch.float64)
    weighted = inputs * torch.where(torch.tensor(sum(labels, [])) == 0, 1.0, 5.0)[:, None]  # blanks are many
    solved = torch.linalg.solve(weighted.T @ inputs + ridge, weighted.T @ targets)
    model.fc.weight.copy_(solved[:-1].T)
    model.fc.bias.copy_(solved[-1])


def view_into_one_storage(model: Crnn) -> None:
    """Makes every tensor a view into one storage of 500,000 floats, most of them strided and overlapping.

    So a file of the original's shapes stays small, and meets offsets, strides and sharing in one go. What
    calibration or the solver writes to gets a stretch of its own at the end.
    """
    own = [
        (name, tensor)
        for name, tensor in list(model.named_parameters()) + list(model.named_buffers())
        if written_later(name)
    ]
    reserved = sum(tensor.numel() for _, tensor in own)
    shared = 500_000 - reserved
    storage = torch.cat([0.05 * torch.randn(shared), torch.ones(reserved)])
    offset = shared
    for name, tensor in own:
        view = storage[offset : offset + tensor.numel()].view(tensor.shape)
        offset += tensor.numel()
        replace(model, name, view)
    for number, (name, tensor) in enumerate(list(model.named_parameters())):
        if written_later(name):
            continue
        strides = overlapping_strides(tuple(tensor.shape), shared)
        reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, strides))
        start = (number * 7919) % (shared - reach)
        replace(model, name, torch.as_strided(storage, tensor.shape, strides, start))


def written_later(name: str) -> bool:
    return (
        "running" in name
        or name.startswith("fc")
        or (
            name.startswith("cnn")
            and name.split(".")[1] in {"1", "5", "10", "13", "17", "20", "25"}
            and "num" not in name
        )
    )


def overlapping_strides(shape: tuple[int, ...], room: int) -> tuple[int, ...]:
    """Strides that keep the view inside `room` elements."""
    if len(shape) == 1:
        return (3,)
    if len(shape) == 2:
        return (room // (2 * shape[0]) | 1, 5) if shape[0] > 11 else (1021, 3)
    return (room // (2 * shape[0]) | 1, room // (4 * shape[1]) | 1, 97, 31)


def replace(model: nn.Module, name: str, value: torch.Tensor) -> None:
    """Puts `value` itself, storage and strides, where the parameter or buffer `name` was."""
    owner: Any = model
    *path, leaf = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    if leaf in owner._buffers:
        owner._buffers[leaf] = value
    else:
        owner._parameters[leaf].data = value


def save(spec: ReaderSpec, model: Crnn, path: Path) -> None:
    state = OrderedDict(
        (name, tensor.half() if spec.half and tensor.is_floating_point() else tensor)
        for name, tensor in model.state_dict().items()
    )
    if spec.saved.startswith("module"):
        state = OrderedDict((f"module.{name}", tensor) for name, tensor in state.items())
    if spec.saved.endswith("checkpoint"):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.0)
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        if spec.saved == "module_checkpoint":  # the state of a run that has begun
            optimizer.step()
        torch.save(
            {"epoch": 42, "model_state_dict": state, "optimizer_state_dict": optimizer.state_dict(), "loss": 0.125},
            path,
        )
    elif spec.saved == "safetensors":
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, metadata={"format": "pt"})
    elif spec.saved == "legacy":
        save_legacy(state, path)
    else:
        torch.save(state, path)


def load(spec: ReaderSpec, path: Path) -> Crnn:
    """As the original loads it, into a fresh network, in float32."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("model_state_dict", state)
    model = Crnn(spec.shape)
    model.load_state_dict({name.removeprefix("module."): tensor for name, tensor in state.items()})
    return model.eval()
