"""The whole contract in PyTorch: a picture in, both fields out. What the native program must agree with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from detector import LABELS, Detector, anchors, decode, flatten
from detector_loss import overlap
from pool import READER_WIDTHS, cut, point_resize
from reader import REGISTER_ALPHABET, SUBJECT_ALPHABET, Crnn, greedy, normalised

SIDE, STRIDE, PAD = 640, 32, 114
CONFIDENCE, OVERLAP, MOST = 0.25, 0.7, 300
ALPHABETS = dict(zip(LABELS, (REGISTER_ALPHABET, SUBJECT_ALPHABET)))


@dataclass
class Reading:
    """Best value and all boxes (left, top, right, bottom, confidence) of each label; an absent value is None."""

    values: dict[str, str | None] = field(default_factory=dict)
    confidences: dict[str, float] = field(default_factory=dict)
    boxes: dict[str, list[list[float]]] = field(default_factory=dict)


class Pipeline:
    """Reads upright RGB pictures with three sets of trained weights."""

    def __init__(self, detector: dict[str, torch.Tensor], register: dict[str, torch.Tensor], subject: dict[str, torch.Tensor]) -> None:
        self.detector = Detector().eval()
        self.detector.load_state_dict(detector)
        self.readers: dict[str, Crnn] = {}
        for label, weights in zip(LABELS, (register, subject)):
            self.readers[label] = Crnn(len(ALPHABETS[label]) + 1).eval()
            self.readers[label].load_state_dict(weights)

    @classmethod
    def from_training(cls, folder: Path) -> Pipeline:
        return cls(*(torch.load(folder / f"{name}.pt", map_location="cpu") for name in ("detector", "register", "subject")))

    @torch.no_grad()
    def detect(self, picture: Image.Image) -> dict[str, list[list[float]]]:
        factor = min(SIDE / picture.height, SIDE / picture.width)
        wide, tall = round(picture.width * factor), round(picture.height * factor)
        pad_x, pad_y = ((-side) % STRIDE / 2 for side in (wide, tall))
        left, top = round(pad_x - 0.1), round(pad_y - 0.1)
        canvas = np.full((tall + round(2 * pad_y), wide + round(2 * pad_x), 3), PAD, np.uint8)
        canvas[top : top + tall, left : left + wide] = np.asarray(point_resize(picture, (wide, tall)))
        maps = self.detector(torch.from_numpy(canvas).permute(2, 0, 1).float().unsqueeze(0) / 255)
        distances, logits = flatten(maps)
        boxes, scores = decode(distances, *anchors(maps))[0], logits[0].sigmoid()
        found: dict[str, list[list[float]]] = {}
        for number, label in enumerate(LABELS):
            chosen = ((scores[:, number] > CONFIDENCE) & (scores.argmax(1) == number)).nonzero().squeeze(1)
            order = chosen[scores[chosen, number].argsort(descending=True)]
            kept: list[int] = []
            for i in order.tolist():
                if all(overlap(boxes[i], boxes[j]).item() <= OVERLAP for j in kept):
                    kept.append(i)
            place = torch.tensor([left, top, left, top])
            limit = torch.tensor([picture.width, picture.height, picture.width, picture.height])
            found[label] = [[*torch.minimum(((boxes[i] - place) / factor).clamp(min=0), limit).tolist(), scores[i, number].item()] for i in kept[:MOST]]
        return found

    @torch.no_grad()
    def read(self, picture: Image.Image) -> Reading:
        reading = Reading(boxes=self.detect(picture))
        for label, boxes in reading.boxes.items():
            reading.values[label], reading.confidences[label] = None, 0.0
            if not boxes:
                continue
            crops = np.stack([cut(picture, tuple(box[:4]), READER_WIDTHS[label]) for box in boxes])
            for text, confidence in greedy(self.readers[label](normalised(torch.from_numpy(crops))), ALPHABETS[label]):
                if text and confidence > reading.confidences[label]:
                    reading.values[label], reading.confidences[label] = text, confidence
        return reading
