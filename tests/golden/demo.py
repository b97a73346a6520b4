"""Reads samples/sheets with models/demo by the originals' own packages and writes demo.json.

That Ultralytics and PyTorch open our weights, and what they make of the sheets, is thereby on record for the C++ tests.
Only still pictures are read here: PDF rendering belongs to no package of the originals that is pinned.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.mkdtemp())
os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402
from PIL import Image, ImageOps  # noqa: E402
from ultralytics import YOLO  # noqa: E402

import crnn  # noqa: E402
import crops  # noqa: E402
import detection  # noqa: E402
import firmness  # noqa: E402
from pictures import on_white  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODELS = ROOT / "models" / "demo"
SHEETS = ROOT / "samples" / "sheets"
FILES = {
    "detector": "improved_weights.pt",
    "register": "best_crnn_model(git).pth",
    "subject": "best_subject_model_final.pth",
}
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tiff", ".webp"}
FIELD_OF_LABEL = {"RegisterNumber": "register", "SubjectCode": "subject"}
CONVOLUTIONS = (0, 4, 9, 12, 16, 19, 24)

torch.set_num_threads(1)


def upright(path: Path) -> Image.Image:
    """First page, EXIF obeyed, alpha on white, 8-bit RGB."""
    image = ImageOps.exif_transpose(Image.open(path))
    if "A" in image.getbands() or "transparency" in image.info:
        return Image.fromarray(on_white(image))
    return image.convert("RGB")


def load_reader(path: Path) -> crnn.Crnn:
    """The widths come from the shapes; every name has to fit."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = {
        name.removeprefix("module."): tensor.float() for name, tensor in state.get("model_state_dict", state).items()
    }
    shape = crnn.CrnnShape(
        channels=tuple(state[f"cnn.{index}.weight"].shape[0] for index in CONVOLUTIONS),
        hidden=state["rnn.weight_hh_l0"].shape[1],
        classes=state["fc.weight"].shape[0],
        layers=sum(name.startswith("rnn.weight_hh_l") and not name.endswith("_reverse") for name in state),
        conv_bias="cnn.0.bias" in state,
    )
    model = crnn.Crnn(shape)
    model.load_state_dict(state)
    return model.eval()


def read_box(model: crnn.Crnn, page: Image.Image, field: str, box: list[float]) -> crnn.Reading:
    spec = crops.CropSpec("", "", field, (box[0], box[1], box[2], box[3]))
    image = torch.from_numpy(crops.crop_tensor(page, spec))[None]
    with torch.no_grad():
        logits = model(image)[:, 0]
    return crnn.read_greedy(logits, crnn.DIGITS if field == "register" else crnn.DIGITS_AND_LETTERS)


def whole_pixels_firm(box: list[float], page: Image.Image) -> bool:
    """No edge so near a whole pixel that rounding could cut the crop elsewhere; edges held by the page are exact."""
    limits = (0, 0, page.width, page.height)
    return all(value == limit or abs(value - round(value)) >= 5e-3 for value, limit in zip(box, limits))


def read_sheet(detector: YOLO, readers: dict[str, crnn.Crnn], path: Path) -> dict[str, Any]:
    page = upright(path)
    seen = detection.detect(detector, page, channel_swap=False)
    found: dict[str, Any] = {
        "file": f"samples/sheets/{path.name}",
        "width": page.width,
        "height": page.height,
        "boxes": [],
    }
    for *box, confidence, label in seen.boxes.tolist():
        name = detector.names[int(label)]
        reading = read_box(readers[FIELD_OF_LABEL[name]], page, FIELD_OF_LABEL[name], box)
        found["boxes"].append(
            {
                "label": name,
                "box": [round(value, 3) for value in box],
                "detection_confidence": round(confidence, 6),
                "text": reading.text,
                "confidence": round(reading.confidence, 6),
                "margin": round(reading.margin, 4),
            }
        )
    for label, field in FIELD_OF_LABEL.items():
        read = [box for box in found["boxes"] if box["label"] == label and box["text"]]
        # Best of the field, as the Space reports it.
        found[field] = max(read, key=lambda box: box["confidence"])["text"] if read else None
    found["firm"] = (
        firmness.judge(seen.output0).decided()
        and all(box["margin"] >= 1e-2 for box in found["boxes"])
        and all(whole_pixels_firm(box["box"], page) for box in found["boxes"])
    )
    return found


def main() -> None:
    logging.getLogger("ultralytics").setLevel(logging.ERROR)
    os.chdir(tempfile.mkdtemp())
    models = Path(shutil.copytree(MODELS, "models"))  # what is read is what is digested, whoever writes there meanwhile
    detector = YOLO(models / FILES["detector"])
    readers = {field: load_reader(models / FILES[field]) for field in ("register", "subject")}
    sheets = [read_sheet(detector, readers, path) for path in sorted(SHEETS.iterdir()) if path.suffix in SUFFIXES]
    digests = {name: hashlib.sha256((models / name).read_bytes()).hexdigest() for name in FILES.values()}
    document = {"weights_sha256": digests, "tolerances": {"box_px": 0.5, "confidence": 1e-3}, "sheets": sheets}
    (HERE / "demo.json").write_text(json.dumps(document, indent=1) + "\n")
    for sheet in sheets:
        name, count = Path(sheet["file"]).name, len(sheet["boxes"])
        print(f"{name:24} {count} boxes  {sheet['register'] or '-':14} {sheet['subject'] or '-'}")


if __name__ == "__main__":
    main()
