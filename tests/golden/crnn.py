"""The reader's network, written from the published description, with every width a parameter."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

DIGITS = "0123456789"
DIGITS_AND_LETTERS = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class CrnnShape:
    """`channels`: the seven convolutions, in order. `classes` counts the blank."""

    channels: tuple[int, int, int, int, int, int, int]
    hidden: int
    classes: int
    layers: int = 2
    conv_bias: bool = True


ORIGINAL = (64, 128, 256, 256, 512, 512, 512)


class Crnn(nn.Module):
    """[N, 1, 32, W] -> logits [W / 4, N, classes]; the blank is class 0."""

    def __init__(self, shape: CrnnShape) -> None:
        super().__init__()
        c1, c2, c3, c4, c5, c6, c7 = shape.channels

        def block(inputs: int, outputs: int, kernel: int | tuple[int, int] = 3, padding: int = 1) -> list[nn.Module]:
            return [
                nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=shape.conv_bias),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]

        self.cnn = nn.Sequential(
            *block(1, c1), nn.MaxPool2d(2, 2),  # 0 1
            *block(c1, c2), nn.MaxPool2d(2, 2), nn.Dropout2d(0.1),  # 4 5
            *block(c2, c3),  # 9 10
            *block(c3, c4), nn.MaxPool2d((2, 1)),  # 12 13
            *block(c4, c5),  # 16 17
            *block(c5, c6), nn.MaxPool2d((2, 1)), nn.Dropout2d(0.1),  # 19 20
            *block(c6, c7, (2, 1), 0),  # 24 25
        )  # fmt: skip
        self.rnn = nn.LSTM(c7, shape.hidden, num_layers=shape.layers, bidirectional=True)
        self.fc = nn.Linear(2 * shape.hidden, shape.classes)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """[N, 1, 32, W] -> [W / 4, N, 2 * hidden]: what the last layer sees."""
        return self.rnn(self.cnn(images).squeeze(2).permute(2, 0, 1))[0]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.fc(self.features(images))


@dataclass(frozen=True)
class Reading:
    """`confidence`: mean of the maxima of the steps that give a letter. `inflated`: the original's figure for subjects,
    where the first step of every run counts, blank runs included, also one at the very start."""

    text: str
    confidence: float
    inflated: float
    margin: float  # least lead of the best class over the second, in logits


def read_greedy(logits: torch.Tensor, alphabet: str) -> Reading:
    """`logits` [T, classes]. Class k stands for alphabet[k - 1]."""
    best, label = logits.double().softmax(1).max(1)
    text, kept, runs, before = "", [], [], None
    for value, k in zip(best.tolist(), label.tolist()):
        if k != before:
            runs.append(value)
            if k != 0:
                text += alphabet[k - 1]
                kept.append(value)
        before = k
    leaders = logits.topk(2, dim=1).values
    mean = lambda values: sum(values) / len(values) if values else 0.0  # noqa: E731
    return Reading(text, mean(kept), mean(runs), float((leaders[:, 0] - leaders[:, 1]).min()))
