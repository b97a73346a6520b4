"""Weights to measure with: networks of the originals' sizes that answer as the demo's do.

A detector or reader of the wanted size is filled with seeded random numbers; then the demo's network is laid into its first channels,
which take nothing from the others. So it costs what a network of its size costs, and still every answer can be checked: a random
network finds no box, and then no crop is cut and no line read. YOLOv8n is the demo's own size and stays as it is.

    python weights.py DEMO OUT n|m
"""

import copy
import json
import shutil
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from ultralytics import YOLO
from ultralytics.nn.modules import SPPF, C2f, Concat, Conv, Detect
from ultralytics.nn.tasks import DetectionModel

from reader import CONVOLUTIONS, ORIGINAL_CHANNELS, ORIGINAL_HIDDEN, LineReader, load_reader

SEED = 5
READERS = ("best_crnn_model(git).pth", "best_subject_model_final.pth")

Places = list[int]  # where each channel of the small network lies among those of the large one


def first(count: int) -> Places:
    return list(range(count))


def lay(large: torch.Tensor, small: torch.Tensor, rows: Places, columns: Places) -> None:
    """`small` into those rows and columns; the rest of these rows becomes nothing."""
    large[rows] = 0
    large[torch.tensor(rows)[:, None], torch.tensor(columns)] = small.to(large.dtype)


def lay_convolution(large: nn.Conv2d, small: nn.Conv2d, inputs: Places) -> Places:
    places = first(small.out_channels)
    lay(large.weight.data, small.weight.data, places, inputs)
    if small.bias is not None:
        large.bias.data[places] = small.bias.data.to(large.bias.dtype)
    return places


def lay_norm(large: nn.BatchNorm2d, small: nn.BatchNorm2d, places: Places) -> None:
    large.eps = small.eps
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(large, name).data[places] = getattr(small, name).data.to(torch.float32)


def lay_conv(large: Conv, small: Conv, inputs: Places) -> Places:
    places = lay_convolution(large.conv, small.conv, inputs)
    lay_norm(large.bn, small.bn, places)
    return places


def lay_halves(large: C2f, small: C2f, inputs: Places) -> Places:
    """cv1 of a C2f: two halves, each with the small one's channels in front."""
    places = first(small.c) + [large.c + place for place in first(small.c)]
    lay(large.cv1.conv.weight.data, small.cv1.conv.weight.data, places, inputs)
    lay_norm(large.cv1.bn, small.cv1.bn, places)
    return places


def lay_c2f(large: C2f, small: C2f, inputs: Places) -> Places:
    places = lay_halves(large, small, inputs)
    for index, bottleneck in enumerate(small.m):  # the large one may have more; what they give is not looked at
        lay_conv(large.m[index].cv2, bottleneck.cv2, lay_conv(large.m[index].cv1, bottleneck.cv1, first(small.c)))
        places += [(2 + index) * large.c + place for place in first(small.c)]
    return lay_conv(large.cv2, small.cv2, places)


def lay_sppf(large: SPPF, small: SPPF, inputs: Places) -> Places:
    places = lay_conv(large.cv1, small.cv1, inputs)
    width = large.cv1.conv.out_channels
    return lay_conv(large.cv2, small.cv2, [width * part + place for part in range(4) for place in places])


def lay_head(large: Detect, small: Detect, inputs: list[Places]) -> None:
    for level, places in enumerate(inputs):
        for wide, narrow in ((large.cv2[level], small.cv2[level]), (large.cv3[level], small.cv3[level])):
            lay_convolution(wide[2], narrow[2], lay_conv(wide[1], narrow[1], lay_conv(wide[0], narrow[0], places)))


def lay_detector(large: DetectionModel, small: DetectionModel) -> None:
    """Walks both networks side by side; `widths` and `places` are of each layer's output."""
    widths: list[int] = []
    places: list[Places] = []
    for wide, narrow in zip(large.model, small.model):
        sources = [index if index >= 0 else len(places) + index for index in ([wide.f] if isinstance(wide.f, int) else wide.f)]
        inputs = [places[index] if places else first(3) for index in sources]
        if isinstance(wide, Detect):
            return lay_head(wide, narrow, inputs)
        if isinstance(wide, Concat):
            before = [sum(widths[index] for index in sources[:part]) for part in range(len(sources))]
            places.append([offset + place for offset, part in zip(before, inputs) for place in part])
            widths.append(sum(widths[index] for index in sources))
            continue
        if isinstance(wide, nn.Upsample):
            places.append(inputs[0])
            widths.append(widths[sources[0]])
            continue
        laid = {Conv: lay_conv, C2f: lay_c2f, SPPF: lay_sppf}[type(wide)](wide, narrow, inputs[0])
        places.append(laid)
        widths.append((wide.conv if isinstance(wide, Conv) else wide.cv2.conv).out_channels)


def make_detector(demo: Path, out: Path, scale: str) -> None:
    small = YOLO(demo)
    if scale == "n":
        shutil.copy(demo, out)
        return
    large = YOLO(f"yolov8{scale}.yaml")
    large.model = DetectionModel(f"yolov8{scale}.yaml", nc=len(small.names), verbose=False)
    large.model.names = small.names
    lay_detector(large.model, small.model.float())
    large.model.args = small.model.args
    large.ckpt = {"model": copy.deepcopy(large.model).half(), "train_args": dict(small.ckpt.get("train_args", {}))}
    torch.save(large.ckpt, out)


def lay_gates(large: torch.Tensor, small: torch.Tensor, columns: Places | None) -> None:
    """Rows of an LSTM's matrices and biases: four gates, the small one's units first in each."""
    units, wide = small.shape[0] // 4, large.shape[0] // 4
    for gate in range(4):
        rows = [gate * wide + unit for unit in range(units)]
        part = small[gate * units : (gate + 1) * units]
        if columns is None:
            large[rows] = part
        else:
            lay(large, part, rows, columns)


def make_reader(demo: Path, out: Path) -> None:
    small = load_reader(demo)
    large = LineReader(ORIGINAL_CHANNELS, ORIGINAL_HIDDEN, small.fc.out_features).eval()
    places = first(1)
    for index in CONVOLUTIONS:
        places = lay_convolution(large.cnn[index], small.cnn[index], places)
        lay_norm(large.cnn[index + 1], small.cnn[index + 1], places)
    hidden = small.rnn.hidden_size
    both_ways = first(hidden) + [ORIGINAL_HIDDEN + unit for unit in first(hidden)]
    for name, tensor in small.rnn.named_parameters():
        columns = None if "bias" in name else first(hidden) if "_hh_" in name else places if "_l0" in name else both_ways
        lay_gates(getattr(large.rnn, name).data, tensor.data, columns)
    lay(large.fc.weight.data, small.fc.weight.data, first(large.fc.out_features), both_ways)
    large.fc.bias.data.copy_(small.fc.bias.data)
    torch.save({"model_state_dict": large.state_dict()}, out)


def gflop_of(detector: Path) -> float:
    """Of one page of A4 in one run, a multiplication and an addition counted as two."""
    network = YOLO(detector).model.float().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 640, 480))
    return counter.get_total_flops() / 1e9


def main() -> None:
    demo, out, scale = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    torch.manual_seed(SEED)
    out.mkdir(parents=True, exist_ok=True)
    make_detector(demo / "improved_weights.pt", out / "improved_weights.pt", scale)
    for name in READERS:
        make_reader(demo / name, out / name)
    (out / "facts.json").write_text(json.dumps({"detector_gflop": gflop_of(out / "improved_weights.pt")}))


if __name__ == "__main__":
    main()
