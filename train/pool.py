#!/usr/bin/env python3
"""Fills a folder with training material, shard by shard, while the trainers read what is there.

    python3 train/pool.py register --out POOL --shards 40 --seed 1
    python3 train/pool.py subject  --out POOL --shards 40 --seed 1
    python3 train/pool.py pages    --out POOL --shards 40 --seed 1
"""

from __future__ import annotations

import argparse
import pickle
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import ink
import looks
import sheet
import values
from form import OTHER, REGISTER, SUBJECT, Form, Spot

CROP_PADDING = 10  # pixels, as the contract crops
READER_WIDTHS = {REGISTER: 256, SUBJECT: 128}
READER_HEIGHT = 32
LOOK_WEIGHTS = (28, 34, 38)


def pick_look(rng: random.Random) -> str:
    return rng.choices(looks.LOOKS, LOOK_WEIGHTS)[0]


def cut(image: Image.Image, box: sheet.Box, width: int) -> np.ndarray:
    """The reader's input for a box, as the contract makes it: padded, clamped, grey, resized."""
    left, top, right, bottom = box
    corners = (max(0, int(left) - CROP_PADDING), max(0, int(top) - CROP_PADDING),
               min(image.width, int(right) + CROP_PADDING), min(image.height, int(bottom) + CROP_PADDING))
    return np.asarray(image.crop(corners).convert("L").resize((width, READER_HEIGHT), Image.BILINEAR))


def _value(rng: random.Random, spot: Spot) -> str:
    if rng.random() < 0.03:
        return ""
    while True:
        text = values.register_number(rng) if spot.kind == REGISTER else values.subject_code(rng)
        if not spot.cells or len(text) <= spot.cells:
            return text


def _shaken(rng: random.Random, box: sheet.Box) -> sheet.Box:
    """A detector's box is never quite the true one."""
    left, top, right, bottom = box
    w, h = right - left, bottom - top
    return (left + rng.gauss(0, 0.012) * w, top + rng.gauss(0, 0.06) * h, right + rng.gauss(0, 0.012) * w, bottom + rng.gauss(0, 0.06) * h)


def field_picture(rng: random.Random, form: Form, spot: Spot, text: str, pen: Callable[[], ink.Pen], look: Callable[[], str]) -> np.ndarray:
    """The reader's input for one field of a printed form, filled in with `text` and scanned. The form stays as it is."""
    scale = form.scale
    left, top, right, bottom = sheet.pixels(spot, scale)
    margin = 30 + 0.5 * (bottom - top)
    x, y = int(max(0, left - margin)), int(max(0, top - margin))
    region = form.image.crop((x, y, int(min(form.image.width, right + margin)), int(min(form.image.height, bottom + margin))))
    if text:
        sheet.fill_in(region, rng, pen(), spot, text, scale, (x, y))
    if rng.random() < 0.06:
        sheet.stamp(region, rng, scale, (rng.uniform(0, region.width), rng.choice((-0.3, 1.3)) * region.height))
    picture, matrix = looks.degrade(region, rng, look(), whole=False)
    box = looks.carry(matrix, (left - x, top - y, right - x, bottom - y))
    return cut(picture, _shaken(rng, box), READER_WIDTHS[spot.kind])


def crops(rng: random.Random, kind: str, count: int) -> list[tuple[np.ndarray, str]]:
    """`count` reader inputs with their text. A form is printed once and written on several times."""
    made: list[tuple[np.ndarray, str]] = []
    while len(made) < count:
        register, subject = values.register_number(rng), values.subject_code(rng)
        form, _ = sheet.print_form(rng, "train", rng.uniform(90, 175), register, subject)
        scale = form.scale
        pen = ink.pick_pen(rng, "train")
        spots = [spot for spot in form.spots if spot.kind == kind]
        for spot in form.spots:
            if spot.kind == OTHER and spot.text and abs(spot.top - spots[0].top) < 25:
                sheet.fill_in(form.image, rng, pen, spot, spot.text, scale)
        for spot in spots * 12:
            text = _value(rng, spot)
            made.append((field_picture(rng, form, spot, text, lambda: ink.pick_pen(rng, "train"), lambda: pick_look(rng)), text))
    return made[:count]


def point_resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Bilinear without smoothing when shrinking, as the detector's letterbox does it."""
    fx, fy = image.width / size[0], image.height / size[1]
    return image.transform(size, Image.AFFINE, (fx, 0, 0, 0, fy, 0), Image.BILINEAR)


def page(rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """A page near the detector's scale and rows of (class, left, top, right, bottom)."""
    roll = rng.random()
    blank = frozenset({rng.choice((REGISTER, SUBJECT))}) if roll < 0.05 else frozenset()
    omit = frozenset({rng.choice((REGISTER, SUBJECT))}) if 0.05 < roll < 0.1 else frozenset({REGISTER, SUBJECT}) if 0.1 < roll < 0.12 else frozenset()
    made = sheet.make_sheet(rng, "train", pick_look(rng), dots_per_inch=rng.choice((100, 120, 150, 200)), blank=blank, omit=omit)
    image, boxes = made.image, made.boxes
    if rng.random() < 0.06:
        image, boxes = image.rotate(rng.choice((90, 180, 180, 270)), expand=True), {}
    factor = 640 / max(image.size) * rng.uniform(0.85, 1.12)
    size = (round(image.width * factor), round(image.height * factor))
    rows = [[(REGISTER, SUBJECT).index(kind), *(v * factor for v in box)] for kind, box in boxes.items()]
    return np.asarray(point_resize(image, size)), np.array(rows, dtype=np.float32).reshape(-1, 5)


def main() -> int:
    parser = argparse.ArgumentParser(description="Fills a folder with training material.")
    parser.add_argument("what", choices=("register", "subject", "pages"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=10)
    parser.add_argument("--size", type=int, default=0, help="items a shard")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    size = options.size or (60 if options.what == "pages" else 1000)
    for shard in range(options.shards):
        path = options.out / f"{options.what}-{options.seed}-{shard:04d}.pkl"
        if path.exists():
            continue
        rng = random.Random(f"{options.what}/{options.seed}/{shard}")
        items = [page(rng) for _ in range(size)] if options.what == "pages" else crops(rng, REGISTER if options.what == "register" else SUBJECT, size)
        path.with_suffix(".part").write_bytes(pickle.dumps(items))
        path.with_suffix(".part").rename(path)
        print(path.name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
