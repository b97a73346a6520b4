#!/usr/bin/env python3
"""Writes the three files of models/demo from trained weights, in the formats their readers know.

Needs the ultralytics package, which only lends its classes: every tensor is ours.

    python3 train/export_ultralytics.py --weights CKPT --out models/demo
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

import torch
from ultralytics import __version__
from ultralytics.nn.tasks import DetectionModel

from detector import LABELS, STRIDES, Detector
from reader import REGISTER_ALPHABET, SUBJECT_ALPHABET, Crnn

DETECTOR_FILE = "improved_weights.pt"
REGISTER_FILE = "best_crnn_model(git).pth"
SUBJECT_FILE = "best_subject_model_final.pth"


def detector_checkpoint(weights: dict[str, torch.Tensor]) -> dict[str, object]:
    """A stripped checkpoint: fp16 model, no optimizer, no averaged copy."""
    Detector().load_state_dict(weights)  # refuses anything but our own architecture
    model = DetectionModel("yolov8n.yaml", ch=3, nc=len(LABELS), verbose=False)
    model.load_state_dict(weights)
    model.names = dict(enumerate(LABELS))
    model.stride = torch.tensor([float(s) for s in STRIDES])
    model.args = {"task": "detect", "imgsz": 640, "single_cls": False, "model": "yolov8n.yaml"}
    model.task = "detect"
    for parameter in model.parameters():
        parameter.requires_grad = False
    return {
        "epoch": -1, "best_fitness": None, "model": model.half().eval(), "ema": None, "updates": None, "optimizer": None,
        "train_args": dict(model.args), "train_metrics": {}, "train_results": {}, "date": date.today().isoformat(), "version": __version__,
        "license": "MIT",
    }


def reader_state(weights: dict[str, torch.Tensor], alphabet: str) -> dict[str, torch.Tensor]:
    Crnn(len(alphabet) + 1).load_state_dict(weights)
    return {name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous() for name, tensor in weights.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the three files of models/demo from trained weights.")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    def trained(name: str) -> dict[str, torch.Tensor]:
        return torch.load(options.weights / f"{name}.pt", map_location="cpu")

    torch.save(detector_checkpoint(trained("detector")), options.out / DETECTOR_FILE)
    torch.save(reader_state(trained("register"), REGISTER_ALPHABET), options.out / REGISTER_FILE)
    torch.save({"model_state_dict": reader_state(trained("subject"), SUBJECT_ALPHABET)}, options.out / SUBJECT_FILE)
    for name in (DETECTOR_FILE, REGISTER_FILE, SUBJECT_FILE):
        print(f"{name} {(options.out / name).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
