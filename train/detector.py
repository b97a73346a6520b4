"""The detector: the published YOLOv8n layout in our own code, its parameters named as that family names them."""

from __future__ import annotations

import math

import torch
from torch import nn

LABELS = ("RegisterNumber", "SubjectCode")
STRIDES = (8, 16, 32)
BINS = 16  # of the distribution that each side's distance is read from


class Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, width: int, shortcut: bool) -> None:
        super().__init__()
        self.cv1, self.cv2, self.shortcut = Conv(width, width, 3), Conv(width, width, 3), shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C2f(nn.Module):
    def __init__(self, inputs: int, outputs: int, depth: int, shortcut: bool) -> None:
        super().__init__()
        half = outputs // 2
        self.cv1, self.cv2 = Conv(inputs, 2 * half), Conv((2 + depth) * half, outputs)
        self.m = nn.ModuleList(Bottleneck(half, shortcut) for _ in range(depth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = list(self.cv1(x).chunk(2, 1))
        for block in self.m:
            parts.append(block(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class Sppf(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.cv1, self.cv2 = Conv(inputs, inputs // 2), Conv(2 * inputs, outputs)
        self.m = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.cv1(x)
        b = self.m(a)
        c = self.m(b)
        return self.cv2(torch.cat((a, b, c, self.m(c)), 1))


class Dfl(nn.Module):
    """Holds the fixed weights that turn a distribution into its mean, as the family stores them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(BINS, 1, 1, bias=False).requires_grad_(False)
        self.conv.weight.data[:] = torch.arange(BINS, dtype=torch.float32).view(1, BINS, 1, 1)


class Head(nn.Module):
    """Three scales to raw rows: 4 x BINS distances, then one score a label."""

    def __init__(self, classes: int, channels: tuple[int, int, int]) -> None:
        super().__init__()
        box, score = max(16, channels[0] // 4, BINS * 4), max(channels[0], min(classes, 100))
        self.cv2 = nn.ModuleList(nn.Sequential(Conv(c, box, 3), Conv(box, box, 3), nn.Conv2d(box, 4 * BINS, 1)) for c in channels)
        self.cv3 = nn.ModuleList(nn.Sequential(Conv(c, score, 3), Conv(score, score, 3), nn.Conv2d(score, classes, 1)) for c in channels)
        self.dfl = Dfl()
        for boxes, scores, stride in zip(self.cv2, self.cv3, STRIDES):
            boxes[-1].bias.data[:] = 1.0
            scores[-1].bias.data[:] = math.log(2 / classes / (640 / stride) ** 2)

    def forward(self, scales: list[torch.Tensor]) -> list[torch.Tensor]:
        return [torch.cat((b(x), s(x)), 1) for x, b, s in zip(scales, self.cv2, self.cv3)]


class Detector(nn.Module):
    """RGB [N, 3, H, W] in 0..1, sides multiples of 32, to one raw map a stride."""

    def __init__(self, classes: int = len(LABELS)) -> None:
        super().__init__()
        up, cat = nn.Upsample(scale_factor=2), nn.Identity()
        self.model = nn.ModuleList((
            Conv(3, 16, 3, 2), Conv(16, 32, 3, 2), C2f(32, 32, 1, True), Conv(32, 64, 3, 2), C2f(64, 64, 2, True),  # 0-4
            Conv(64, 128, 3, 2), C2f(128, 128, 2, True), Conv(128, 256, 3, 2), C2f(256, 256, 1, True), Sppf(256, 256),  # 5-9
            up, cat, C2f(384, 128, 1, False), up, cat, C2f(192, 64, 1, False),  # 10-15
            Conv(64, 64, 3, 2), cat, C2f(192, 128, 1, False), Conv(128, 128, 3, 2), cat, C2f(384, 256, 1, False),  # 16-21
            Head(classes, (64, 128, 256)),  # 22
        ))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        m = self.model
        x = m[2](m[1](m[0](x)))
        p3 = m[4](m[3](x))
        p4 = m[6](m[5](p3))
        p5 = m[9](m[8](m[7](p4)))
        n4 = m[12](torch.cat((m[10](p5), p4), 1))
        n3 = m[15](torch.cat((m[13](n4), p3), 1))
        n4 = m[18](torch.cat((m[16](n3), n4), 1))
        n5 = m[21](torch.cat((m[19](n4), p5), 1))
        return m[22]([n3, n4, n5])


def anchors(maps: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Cell centres in input pixels [A, 2] and their strides [A, 1]."""
    points, strides = [], []
    for raw, stride in zip(maps, STRIDES):
        h, w = raw.shape[2:]
        y, x = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
        points.append(torch.stack((x, y), -1).view(-1, 2) * stride)
        strides.append(torch.full((h * w, 1), float(stride)))
    return torch.cat(points), torch.cat(strides)


def flatten(maps: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Distance logits [N, A, 4, BINS] and score logits [N, A, classes]."""
    rows = torch.cat([raw.flatten(2) for raw in maps], 2).transpose(1, 2)
    return rows[..., : 4 * BINS].reshape(*rows.shape[:2], 4, BINS), rows[..., 4 * BINS :]


def decode(distances: torch.Tensor, points: torch.Tensor, strides: torch.Tensor) -> torch.Tensor:
    """Boxes [N, A, 4] as left, top, right, bottom in input pixels."""
    mean = (distances.softmax(-1) * torch.arange(BINS, dtype=distances.dtype)).sum(-1) * strides
    return torch.cat((points - mean[..., :2], points + mean[..., 2:]), -1)
