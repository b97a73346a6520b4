"""Whether an outcome is firm enough to pin: nothing decisive may lie so near a threshold that rounding decides it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.25  # Ultralytics' defaults, which the original keeps
IOU = 0.7
MARGIN = 2e-3
LOGIT_AT_CONFIDENCE = math.log(CONFIDENCE / (1 - CONFIDENCE))


@dataclass(frozen=True)
class Firmness:
    """How far the outcome is from being another one."""

    confidence: float  # least distance of an anchor's best score from the threshold
    label: float  # least lead of the best class over the second, among candidates
    iou: float  # least distance of an overlap that decides something from the threshold
    order: float  # least lead in score between two candidates that could suppress each other
    suppressed: int  # candidates that did not survive
    boxes: int

    def decided(self) -> bool:
        return min(self.confidence, self.label, self.iou) >= MARGIN and self.order >= 1e-4

    def firm(self) -> bool:
        """Decided, and enough boxes on both sides of each decision to mean something."""
        return self.decided() and 20 <= self.boxes <= 250 and self.suppressed >= 3


def judge(output0: NDArray[np.float32]) -> Firmness:
    """Suppresses as Ultralytics does, in double precision, and notes how near each decision was."""
    scores = output0[4:].astype(np.float64)
    best = scores.max(0)
    passed = np.flatnonzero(best > CONFIDENCE)
    passed = passed[np.argsort(-best[passed], kind="stable")]
    label = scores.argmax(0)[passed]
    second = np.sort(scores, axis=0)[-2][passed] if len(scores) > 1 else np.zeros(len(passed))
    x, y, width, height = output0[:4, passed].astype(np.float64)
    x1, y1, x2, y2 = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    overlap = np.maximum(0, np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1)) * np.maximum(
        0, np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1)
    )
    iou = overlap / ((width * height)[:, None] + width * height - overlap)
    iou[label[:, None] != label] = 0
    alive = np.ones(len(passed), dtype=bool)
    nearest, lead = 1.0, 1.0
    for i in range(len(passed)):
        if not alive[i] or i + 1 == len(passed):
            continue
        later = iou[i, i + 1 :]
        nearest = min(nearest, float(np.abs(later - IOU).min()))
        alive[i + 1 :] &= later <= IOU
        rivals = np.flatnonzero(later > IOU - 0.05) + i + 1
        if len(rivals):
            lead = min(lead, float((best[passed[i]] - best[passed[rivals]]).min()))
    return Firmness(
        confidence=float(np.abs(best - CONFIDENCE).min()),
        label=float((best[passed] - second).min(initial=1.0)),
        iou=nearest,
        order=lead,
        suppressed=int((~alive).sum()),
        boxes=int(alive.sum()),
    )
