#!/usr/bin/env python3
"""Counts how many fresh sheets are read exactly right, by look.

    python3 train/evaluate.py --weights CKPT --count 100 --split heldout --seed 99
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from pathlib import Path

import torch

import looks
from detector_loss import overlap
from form import REGISTER, SUBJECT
from pipeline import Pipeline
from sheet import make_sheet


def main() -> int:
    parser = argparse.ArgumentParser(description="Counts how many fresh sheets are read exactly right, by look.")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--split", choices=("heldout", "train"), default="heldout")
    parser.add_argument("--looks", nargs="+", default=list(looks.LOOKS))
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--dpi", type=float, default=200)
    parser.add_argument("--show", action="store_true", help="print every wrong sheet")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pipeline = Pipeline.from_training(options.weights)
    for look in options.looks:
        tally, pens, layouts = Counter(), Counter(), Counter()
        for number in range(options.count):
            made = make_sheet(random.Random(f"{options.seed}/{options.split}/{look}/{number}"), options.split, look, dots_per_inch=options.dpi)
            reading = pipeline.read(made.image)
            right = {REGISTER: reading.values[REGISTER] == made.register_number, SUBJECT: reading.values[SUBJECT] == made.subject_code}
            tally["both"] += all(right.values())
            for kind, ok in right.items():
                tally[kind] += ok
                hit = max((overlap(torch.tensor(box[:4]), torch.tensor(made.boxes[kind])).item() for box in reading.boxes[kind]), default=0.0)
                tally[f"{kind} found"] += hit > 0.5
                tally[f"{kind} IoU"] += hit
                tally[f"{kind} spare boxes"] += max(0, len(reading.boxes[kind]) - 1)
            if not all(right.values()):
                pens[made.pen] += 1
                layouts[made.layout] += 1
                if options.show:
                    print(look, number, made.layout, made.pen, made.register_number, reading.values[REGISTER], made.subject_code, reading.values[SUBJECT])
        print(look, options.split, json.dumps({key: round(value / options.count, 3) for key, value in tally.items()}), "wrong:", dict(layouts), dict(pens), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
