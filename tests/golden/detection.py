"""Runs Ultralytics on a page and keeps each stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from ultralytics import YOLO

from firmness import CONFIDENCE, IOU


@dataclass(frozen=True)
class Detection:
    """`letterbox` [H, W, 3] RGB bytes; `output0` [4 + classes, anchors]; `boxes` [n, 6]: x1 y1 x2 y2 score class."""

    letterbox: NDArray[np.uint8]
    output0: NDArray[np.float32]
    boxes: NDArray[np.float32]


def detect(model: YOLO, page: Image.Image, channel_swap: bool) -> Detection:
    """Default `predict`. With `channel_swap`, an RGB array is handed over as the original does, and taken for BGR."""
    source = np.ascontiguousarray(np.asarray(page)) if channel_swap else page
    result = model.predict(source, device="cpu", verbose=False, save=False)[0]
    predictor = model.predictor
    assert (predictor.args.conf, predictor.args.iou, predictor.args.max_det) == (CONFIDENCE, IOU, 300)
    bgr = np.ascontiguousarray(np.asarray(page)[..., :: 1 if channel_swap else -1])
    with torch.no_grad():
        raw = predictor.model(predictor.preprocess([bgr]))
    raw = raw[0] if isinstance(raw, (list, tuple)) else raw
    return Detection(
        letterbox=np.ascontiguousarray(predictor.pre_transform([bgr])[0][..., ::-1]),
        output0=np.ascontiguousarray(raw[0].numpy() if raw.ndim == 3 else raw.numpy()),
        boxes=np.ascontiguousarray(result.boxes.data.numpy()),
    )
