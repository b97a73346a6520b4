"""What the detector is trained on: task-aligned assignment, complete IoU, distribution and score losses."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from detector import BINS, anchors, decode, flatten

CANDIDATES = 10  # anchors a box may claim
BOX_WEIGHT, SCORE_WEIGHT, DISTRIBUTION_WEIGHT = 7.5, 0.5, 1.5


def overlap(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Plain IoU of boxes whose shapes broadcast."""
    size = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    common = size[..., 0] * size[..., 1]
    area = [(t[..., 2] - t[..., 0]).clamp(min=0) * (t[..., 3] - t[..., 1]).clamp(min=0) for t in (a, b)]
    return common / (area[0] + area[1] - common + 1e-7)


def complete_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """IoU less the distance of the centres and the difference of the aspect ratios (Zheng et al., 2020)."""
    iou = overlap(a, b)
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) ** 2).sum(-1) / 4
    wa, ha = (a[..., 2:] - a[..., :2]).clamp(min=1e-3).unbind(-1)
    wb, hb = (b[..., 2:] - b[..., :2]).clamp(min=1e-3).unbind(-1)
    shape = (4 / math.pi**2) * (torch.atan(wb / hb) - torch.atan(wa / ha)) ** 2
    with torch.no_grad():
        weight = shape / (1 - iou + shape + 1e-7)
    return iou - apart / ((hull**2).sum(-1) + 1e-7) - weight * shape


@torch.no_grad()
def assign(scores: torch.Tensor, boxes: torch.Tensor, points: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One image: which anchors answer for which row of `truth` [G, 5], and how well they should score.

    Returns anchor indices [P], truth rows [P] and target scores [P].
    """
    inside = ((points[None] > truth[:, None, 1:3]) & (points[None] < truth[:, None, 3:5])).all(-1)
    iou = overlap(truth[:, None, 1:], boxes[None])
    fit = scores[:, truth[:, 0].long()].T.sqrt() * iou**6
    fit = torch.where(inside, fit, torch.full_like(fit, -1.0))
    best, which = fit.topk(min(CANDIDATES, fit.shape[1]), dim=1)
    chosen = torch.zeros_like(inside)
    chosen.scatter_(1, which, best > -0.5)
    owner = torch.where(chosen, iou, torch.full_like(iou, -1.0)).max(0)
    positive = (owner.values > -0.5).nonzero().squeeze(1)
    rows = owner.indices[positive]
    mine = fit[rows, positive]
    top_fit, top_iou = torch.zeros(len(truth)), torch.zeros(len(truth))
    top_fit.scatter_reduce_(0, rows, mine, "amax")
    top_iou.scatter_reduce_(0, rows, iou[rows, positive], "amax")
    return positive, rows, mine / (top_fit[rows] + 1e-9) * top_iou[rows]


def detection_loss(maps: list[torch.Tensor], truths: list[torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    """`truths` holds, image by image, rows of class, left, top, right, bottom in input pixels."""
    points, strides = anchors(maps)
    distances, logits = flatten(maps)
    boxes = decode(distances, points, strides)
    target = torch.zeros_like(logits)
    predicted, wanted, weights, spread, centres, scales = [], [], [], [], [], []
    for i, truth in enumerate(truths):
        if not len(truth):
            continue
        positive, rows, aim = assign(logits[i].detach().sigmoid(), boxes[i].detach(), points, truth)
        target[i, positive, truth[rows, 0].long()] = aim
        predicted.append(boxes[i, positive])
        wanted.append(truth[rows, 1:])
        weights.append(aim)
        spread.append(distances[i, positive])
        centres.append(points[positive])
        scales.append(strides[positive])
    total = target.sum().clamp(min=1.0)
    score_loss = F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / total
    box_loss = distribution_loss = logits.sum() * 0
    if predicted:
        weight, goal = torch.cat(weights), torch.cat(wanted)
        box_loss = ((1 - complete_iou(torch.cat(predicted), goal)) * weight).sum() / total
        point, scale = torch.cat(centres), torch.cat(scales)
        distance = (torch.cat((point - goal[:, :2], goal[:, 2:] - point), 1) / scale).clamp(0, BINS - 1.01)
        low = distance.floor().long()
        share = low + 1 - distance
        log = torch.cat(spread).log_softmax(-1)
        both = -(log.gather(2, low[..., None]).squeeze(2) * share + log.gather(2, low[..., None] + 1).squeeze(2) * (1 - share))
        distribution_loss = (both.mean(1) * weight).sum() / total
    loss = BOX_WEIGHT * box_loss + SCORE_WEIGHT * score_loss + DISTRIBUTION_WEIGHT * distribution_loss
    return loss, {"box": box_loss.item(), "score": score_loss.item(), "spread": distribution_loss.item()}
