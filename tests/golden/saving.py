"""The ways in which Ultralytics leaves a checkpoint on disk."""

from __future__ import annotations

import contextlib
import copy
import datetime as _datetime
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
import ultralytics
from torch import nn
from ultralytics.cfg import get_cfg
from ultralytics.engine import exporter, trainer
from ultralytics.nn import modules, tasks
from ultralytics.utils import DEFAULT_CFG_DICT, torch_utils

DATE = "2026-03-01T09:30:00"


class _FixedDate(_datetime.datetime):
    """Files must not change because the clock did."""

    @classmethod
    def now(cls, tz: _datetime.tzinfo | None = None) -> _FixedDate:
        return cls.fromisoformat(DATE)


@contextlib.contextmanager
def fixed_date() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for module in (torch_utils, trainer, exporter):
            stack.enter_context(mock.patch.object(module, "datetime", _FixedDate))
        yield


def train_args() -> dict[str, Any]:
    return {
        **DEFAULT_CFG_DICT,
        "task": "detect",
        "mode": "train",
        "model": "start.pt",
        "data": "sheets.yaml",
        "epochs": 40,
    }


def trained_optimizer(model: nn.Module, kind: type[torch.optim.Optimizer], **settings: Any) -> torch.optim.Optimizer:
    """One real step at a rate of zero fills the optimizer's state and leaves the weights alone."""
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    groups = [[p for p in model.parameters() if p.ndim > 1], [p for p in model.parameters() if p.ndim <= 1]]
    optimizer = kind([{"params": group} for group in groups], lr=0.0, **settings)
    for parameter in model.parameters():
        parameter.grad = 1e-3 * torch.randn_like(parameter)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return optimizer


def save_stripped(model: tasks.DetectionModel, path: Path) -> None:
    """What `best.pt` is at the end of a training: fp16, no optimizer, one copy."""
    torch.save(
        {"epoch": 39, "model": copy.deepcopy(model), "ema": None, "optimizer": None, "train_args": train_args()}, path
    )
    with fixed_date():
        torch_utils.strip_optimizer(path)


def save_full(model: tasks.DetectionModel, other: tasks.DetectionModel, path: Path) -> None:
    """A float32 checkpoint in the middle of a training: both copies, SGD momentum, numpy scalars among the metrics."""
    optimizer = trained_optimizer(other, torch.optim.SGD, momentum=0.9)
    other.train()
    torch.save(
        {
            "epoch": 17,
            "best_fitness": np.float64(0.4375),
            "model": other,
            "ema": model,
            "updates": 3600,
            "optimizer": optimizer.state_dict(),
            "scaler": torch.amp.GradScaler("cpu", enabled=False).state_dict(),
            "train_args": train_args(),
            "train_metrics": {"metrics/mAP50(B)": np.float32(0.5), "val/box_loss": 1.25, "fitness": np.float64(0.4375)},
            "train_results": {"epoch": [16, 17], "train/box_loss": [1.5, 1.375]},
            "date": DATE,
            "version": ultralytics.__version__,
            "git": {"root": "None", "branch": None, "commit": None, "origin": None},
            "license": "AGPL-3.0 (https://ultralytics.com/license)",
            "docs": "https://docs.ultralytics.com",
        },
        path,
    )


def save_by_trainer(model: tasks.DetectionModel, path: Path) -> None:
    """Ultralytics' own `save_model`, given the state it reads: `model` None, `ema` and optimizer state in fp16."""
    ema = torch_utils.ModelEMA(copy.deepcopy(model))
    ema.updates = 1200
    folder = path.parent
    state = SimpleNamespace(
        epoch=12,
        best_fitness=np.float64(0.25),
        fitness=np.float64(0.25),
        ema=ema,
        optimizer=trained_optimizer(copy.deepcopy(model), torch.optim.SGD, momentum=0.9),
        scaler=torch.amp.GradScaler("cpu", enabled=False),
        args=get_cfg(overrides={"task": "detect", "data": "sheets.yaml"}),
        metrics={"metrics/precision(B)": 0.75, "metrics/recall(B)": 0.5},
        read_results_csv=lambda: {"epoch": [1, 2]},
        wdir=folder,
        last=path,
        best=folder / "unused_best.pt",
        save_period=-1,
    )
    nowhere = SimpleNamespace(root=None, branch=None, commit=None, origin=None)
    with fixed_date(), mock.patch.object(trainer, "GIT", nowhere):
        trainer.BaseTrainer.save_model(state)
    state.best.unlink()


def save_old_names(model: tasks.DetectionModel, path: Path) -> None:
    """As the first releases did, when every module class was `ultralytics.nn.modules.NAME`."""
    classes = {
        type(module) for module in model.modules() if type(module).__module__.startswith("ultralytics.nn.modules.")
    }
    with contextlib.ExitStack() as stack:
        for kind in classes:
            assert getattr(modules, kind.__name__) is kind
            stack.enter_context(mock.patch.object(kind, "__module__", "ultralytics.nn.modules"))
        save_stripped(model, path)


def export_onnx(weights: Path, destination: Path) -> None:
    """Ultralytics' exporter with dynamic axes; opset 17, which every runtime in use reads."""
    with fixed_date():
        made = ultralytics.YOLO(weights).export(
            format="onnx", dynamic=True, simplify=True, opset=17, device="cpu", verbose=False
        )
    Path(made).replace(destination)
