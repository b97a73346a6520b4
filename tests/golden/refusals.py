"""Checkpoints that are sound and still not for us: each has to be refused by a sentence that says what it is."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from ultralytics.nn import tasks
from ultralytics.utils import DEFAULT_CFG_DICT


@dataclass(frozen=True)
class RefusalSpec:
    """`why` names what the sentence has to mention, in lower case."""

    name: str
    recipe: str
    kind: str
    why: str


REFUSALS = (
    RefusalSpec("segment.pt", "yolov8n-seg.yaml", "SegmentationModel", "segment"),
    RefusalSpec("pose.pt", "yolov8n-pose.yaml", "PoseModel", "pose"),
    RefusalSpec("obb.pt", "yolo11n-obb.yaml", "OBBModel", "obb"),
    RefusalSpec("classify.pt", "yolov8n-cls.yaml", "ClassificationModel", "classif"),
    RefusalSpec("end_to_end.pt", "yolov10n.yaml", "DetectionModel", "end-to-end"),
)


def hollow(model: nn.Module) -> None:
    """Every tensor becomes one element seen through zero strides: the shapes stay, the bytes go."""
    for module in model.modules():
        for parameter in module._parameters.values():
            if parameter is not None:
                parameter.data = torch.zeros(1, dtype=torch.float16).expand(parameter.shape)
        for name, buffer in module._buffers.items():
            if buffer is not None and buffer.numel() > 1:
                module._buffers[name] = torch.zeros(1, dtype=buffer.dtype).expand(buffer.shape)


def write_refusals(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for spec in REFUSALS:
        torch.manual_seed(0)
        table = tasks.yaml_model_load(spec.recipe)
        for scale, numbers in table.get("scales", {}).items():
            table["scales"][scale] = [numbers[0], 0.125, *numbers[2:]]
        kind = getattr(tasks, spec.kind)
        model = kind(table, **({"data_kpt_shape": [5, 3]} if spec.kind == "PoseModel" else {}), nc=2, verbose=False)
        model.names = {0: "RegisterNumber", 1: "SubjectCode"}
        model.args = {**DEFAULT_CFG_DICT, "model": spec.recipe}
        if getattr(model, "criterion", None) is not None:
            model.criterion = None
        hollow(model)
        torch.save({"epoch": -1, "model": model, "ema": None, "train_args": {}}, folder / spec.name)
        again = torch.load(folder / spec.name, weights_only=False)["model"]
        assert type(again) is kind
    write_first_yolov5(folder / "yolov5_repository.pt")


def write_first_yolov5(path: Path) -> None:
    """What the older YOLOv5 repository leaves: classes of a package `models`, which Ultralytics refuses too."""
    package, module = types.ModuleType("models"), types.ModuleType("models.yolo")
    package.__path__ = []
    kinds = {}
    for name in ("DetectionModel", "Detect"):
        kinds[name] = type(name, (nn.Module,), {"__module__": "models.yolo"})
        setattr(module, name, kinds[name])
    sys.modules.update({"models": package, "models.yolo": module})
    try:
        model = kinds["DetectionModel"]()
        model.model = nn.Sequential(nn.Conv2d(3, 4, 1), kinds["Detect"]())
        model.names = ["RegisterNumber", "SubjectCode"]
        hollow(model)
        torch.save({"epoch": -1, "model": model, "ema": None}, path)
    finally:
        for name in ("models", "models.yolo"):
            del sys.modules[name]
