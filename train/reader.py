"""The reader: a narrow CRNN whose parameter names and shapes follow the answer-sheet contract."""

from __future__ import annotations

import torch
from torch import nn

REGISTER_ALPHABET = "0123456789"
SUBJECT_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Alphabet size → convolution widths and LSTM width; a quarter of the original's and less.
WIDTHS = {len(REGISTER_ALPHABET): ((12, 24, 48, 64), 48), len(SUBJECT_ALPHABET): ((16, 32, 48, 96), 64)}


class Crnn(nn.Module):
    """Grey crop [N, 1, 32, W] to logits [W/4, N, classes]; class 0 is the blank."""

    def __init__(self, classes: int, dropout: float = 0.05) -> None:
        super().__init__()
        (a, b, c, d), hidden = WIDTHS[classes - 1]
        self.cnn = nn.Sequential(
            nn.Conv2d(1, a, 3, padding=1), nn.BatchNorm2d(a), nn.ReLU(inplace=True), nn.MaxPool2d(2, 2),  # 0-3
            nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(inplace=True), nn.MaxPool2d(2, 2), nn.Dropout2d(dropout),  # 4-8
            nn.Conv2d(b, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(inplace=True),  # 9-11
            nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(inplace=True), nn.MaxPool2d((2, 1), (2, 1)),  # 12-15
            nn.Conv2d(c, d, 3, padding=1), nn.BatchNorm2d(d), nn.ReLU(inplace=True),  # 16-18
            nn.Conv2d(d, d, 3, padding=1), nn.BatchNorm2d(d), nn.ReLU(inplace=True), nn.MaxPool2d((2, 1), (2, 1)), nn.Dropout2d(dropout),  # 19-23
            nn.Conv2d(d, d, (2, 1)), nn.BatchNorm2d(d), nn.ReLU(inplace=True),  # 24-26
        )
        self.rnn = nn.LSTM(d, hidden, num_layers=2, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        features = self.cnn(crops).squeeze(2).permute(2, 0, 1)
        return self.fc(self.rnn(features)[0])


def normalised(crops: torch.Tensor) -> torch.Tensor:
    """uint8 [N, 32, W] to the network's input."""
    return (crops.float().unsqueeze(1) / 255 - 0.5) / 0.5


def greedy(logits: torch.Tensor, alphabet: str) -> list[tuple[str, float]]:
    """Text and confidence per crop: the mean of the kept maxima, 0 for an empty reading."""
    best, which = logits.softmax(2).max(2)
    readings = []
    for values, classes in zip(best.T.tolist(), which.T.tolist()):
        kept = [(alphabet[k - 1], v) for k, v, before in zip(classes, values, [0, *classes]) if k != 0 and k != before]
        readings.append(("".join(s for s, _ in kept), sum(v for _, v in kept) / len(kept) if kept else 0.0))
    return readings
