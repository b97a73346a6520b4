#!/usr/bin/env python3
"""Writes synthetic answer sheets and truth.json.

    python3 train/make_sheets.py --out DIR --count 50 --seed 7 --split heldout --look photo --format jpg
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

from PIL import Image

import looks
from sheet import Sheet, make_sheet

FORMATS = ("png", "jpg", "bmp", "tiff", "webp", "pdf")


def save(image: Image.Image, path: Path, quality: int = 88) -> None:
    """Writes in the format that the suffix names, at 200 dots per inch where the format can say so."""
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg"):
        image.save(path, "JPEG", quality=quality, dpi=(200, 200))
    elif suffix == ".png":
        image.save(path, "PNG", compress_level=1, dpi=(200, 200))
    elif suffix in (".tif", ".tiff"):
        image.save(path, "TIFF", compression="jpeg", quality=quality, dpi=(200, 200))
    elif suffix == ".webp":
        image.save(path, "WEBP", quality=quality, method=2)
    elif suffix == ".pdf":
        image.save(path, "PDF", resolution=200.0, quality=quality)
    else:
        image.save(path)


def truth_of(sheet: Sheet, look: str) -> dict[str, object]:
    return {
        "register_number": sheet.register_number, "subject_code": sheet.subject_code, "kind": look, "layout": sheet.layout, "pen": sheet.pen,
        "boxes": {kind: [round(v, 1) for v in box] for kind, box in sheet.boxes.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes synthetic answer sheets and truth.json.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", choices=("heldout", "train"), default="heldout")
    parser.add_argument("--look", choices=looks.LOOKS, default="clean")
    parser.add_argument("--format", choices=FORMATS, default="jpg")
    parser.add_argument("--dpi", type=float, default=200)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    truth: dict[str, dict[str, object]] = {}
    for number in range(options.count):
        rng = random.Random(f"{options.seed}/{options.split}/{options.look}/{number}")
        sheet = make_sheet(rng, options.split, options.look, dots_per_inch=options.dpi)
        name = f"sheet-{number:03d}.{options.format}"
        save(sheet.image, options.out / name)
        truth[name] = truth_of(sheet, options.look)
    (options.out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    print(f"{options.count} sheets in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
