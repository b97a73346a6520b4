"""Checkpoints and safetensors of every element type, with views, and the values they hold."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from legacy import save_legacy


def some_tensors() -> dict[str, torch.Tensor]:
    """Contiguous, one per type that safetensors and torch share."""
    generator = torch.Generator().manual_seed(3)
    real = torch.randn(3, 4, generator=generator)
    return {
        "f64": real.double() * 3,
        "f32": real,
        "f16": real.half(),
        "bf16": real.bfloat16(),
        "i64": torch.tensor([[-(2**40), -1, 0], [1, 7, 2**40]]),
        "i32": torch.tensor([-(2**30), -1, 0, 5], dtype=torch.int32),
        "i16": torch.tensor([-32768, 32767], dtype=torch.int16),
        "i8": torch.tensor([[-128], [127]], dtype=torch.int8),
        "u8": torch.arange(250, 256, dtype=torch.uint8).view(2, 3),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
    }


def views() -> dict[str, torch.Tensor]:
    """Everything a strided tensor can be; all but the last three share one storage of 120 floats."""
    base = torch.arange(120, dtype=torch.float32).sin()
    grid = base.view(4, 5, 6)
    return {
        "base": base,
        "transposed": grid.transpose(0, 2),
        "sliced": grid[1:3, :, 2:5],
        "stepped": base[3::7],
        "expanded": base[10:14].view(4, 1).expand(4, 3),
        "overlapping": torch.as_strided(base, (6, 8), (3, 1), 5),
        "last_element": base[119:],
        "row_of_zero_stride": torch.as_strided(base, (2, 3), (0, 2), 9),
        "half_transposed": grid.half().permute(2, 0, 1),
        "bool_sliced": (base > 0)[::2],
        "integers_transposed": torch.arange(12).view(3, 4).t(),
    }


def expected(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The values as contiguous float32, which is how the tests ask for them."""
    return {name: tensor.detach().float().contiguous().clone() for name, tensor in tensors.items()}


def write_tensors(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    plain, strided = some_tensors(), views()
    save_file(plain, folder / "types.safetensors", metadata={"note": "every type"})
    save_file(expected(plain), folder / "types_expected.safetensors")
    assert all(torch.equal(tensor, plain[name]) for name, tensor in load_file(folder / "types.safetensors").items())

    torch.save(plain, folder / "types.pth")
    save_legacy(plain, folder / "types_legacy.pth")
    torch.save(OrderedDict(strided), folder / "views.pth")
    save_legacy(OrderedDict(strided), folder / "views_legacy.pth")
    save_file(expected(strided), folder / "views_expected.safetensors")
    for name in ("views.pth", "views_legacy.pth"):
        again = torch.load(folder / name, weights_only=True)
        assert all(torch.equal(again[key], tensor) for key, tensor in strided.items())

    parameter = nn.Parameter(torch.linspace(-1, 1, 6).view(2, 3))
    frozen = nn.Parameter(torch.linspace(0, 1, 4), requires_grad=False)
    odd = {
        "state": OrderedDict(weight=parameter, frozen=frozen, buffer=torch.ones(2, dtype=torch.bfloat16)),
        "size": torch.Size([2, 3]),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "numpy_double": np.float64(0.875),
        "numpy_single": np.float32(0.5),
        "numpy_integer": np.int64(-3),
        "nothing": None,
        "flags": (True, False),
        "numbers": [0, -1, 255, 65536, 2**31, -(2**31), 2**40, -(2**63), 2**70],
        "floats": [0.0, -2.5, 1e300, float("inf")],
        "words": ["", "plain", "é ü 中", "x" * 300],
        "bytes": b"\x00\xff",
        "set": {1},
        "nested": {"a": {"b": [{"c": 1}]}},
        "shared_list": (shared := ["once"]),
        "shared_again": shared,
        7: "integer key",
    }
    for name, save in (("metadata.pth", torch.save), ("metadata_legacy.pth", save_legacy)):
        save(odd, folder / name)
        again = torch.load(folder / name, weights_only=False)
        assert torch.equal(again["state"]["weight"], parameter) and again["shared_list"] is again["shared_again"]
    save_file(expected(dict(odd["state"])), folder / "metadata_expected.safetensors")
