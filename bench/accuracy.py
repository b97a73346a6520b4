#!/usr/bin/env python3
"""How many sheets are read exactly right, by what was done to them, before and after turning, straightening and looking for the cover.

Sheets are drawn now, with pens, printed faces and layouts held out from training (train/), and read by the real program: once as they
stand (`--as-is`, the original's way), once by default. Each condition stands alone, because a mean over them would say nothing about
any. Needs Pillow, numpy and the fonts of train/fonts.txt (script/bootstrap --test).
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "train"))

from PIL import Image, ImageFilter  # noqa: E402

from make_samples import inner_page  # noqa: E402
from make_sheets import save  # noqa: E402
from sheet import Sheet, make_sheet  # noqa: E402

PROGRAM = Path(os.environ.get("ALCOVE_BINARY", ROOT / "build/release/alcove"))
FIELDS = ("register_number", "subject_code")
WAYS = {"before": ["--as-is"], "after": []}

Pages = list[Image.Image]


def drawn(rng: random.Random, look: str, dots_per_inch: float = 200) -> Sheet:
    return make_sheet(rng, "heldout", look, dots_per_inch=dots_per_inch)


def plain(look: str) -> Callable[[random.Random], tuple[Sheet, Pages]]:
    def make(rng: random.Random) -> tuple[Sheet, Pages]:
        sheet = drawn(rng, look)
        return sheet, [sheet.image]

    return make


def turned(rng: random.Random) -> tuple[Sheet, Pages]:
    sheet = drawn(rng, rng.choice(("clean", "scan", "photo")))
    return sheet, [sheet.image.rotate(rng.choice((90, 180, 270)), expand=True)]


def skewed(rng: random.Random) -> tuple[Sheet, Pages]:
    sheet = drawn(rng, "clean")
    angle = rng.choice((-1, 1)) * rng.uniform(3, 10)
    return sheet, [sheet.image.rotate(angle, Image.BICUBIC, expand=True, fillcolor=rng.choice(((255, 255, 255), (236, 236, 234), (40, 40, 42))))]


def blurred(rng: random.Random) -> tuple[Sheet, Pages]:
    sheet = drawn(rng, "clean")
    return sheet, [sheet.image.filter(ImageFilter.GaussianBlur(rng.uniform(2, 5)))]


def low_resolution(rng: random.Random) -> tuple[Sheet, Pages]:
    sheet = drawn(rng, "clean", rng.uniform(60, 90))
    return sheet, [sheet.image]


def multi_page(rng: random.Random) -> tuple[Sheet, Pages]:
    """A PDF whose cover may come late, as when a booklet is scanned from the wrong side."""
    sheet = drawn(rng, "scan", 150)
    pages = [inner_page(rng, 150) for _ in range(3)]
    pages.insert(rng.randrange(4), sheet.image)
    return sheet, pages


CONDITIONS: dict[str, Callable[[random.Random], tuple[Sheet, Pages]]] = {
    "clean": plain("clean"), "scan": plain("scan"), "photo": plain("photo"), "turned": turned, "skewed": skewed, "blurred": blurred,
    "low resolution": low_resolution, "multi-page": multi_page,
}


def draw(condition: str, count: int, seed: int, folder: Path) -> dict[str, dict[str, str | None]]:
    truth = {}
    for number in range(count):
        sheet, pages = CONDITIONS[condition](random.Random(f"{seed}/accuracy/{condition}/{number}"))
        if len(pages) > 1:
            name = f"{number:04d}.pdf"
            pages[0].save(folder / name, "PDF", resolution=150, quality=85, save_all=True, append_images=pages[1:])
        else:
            name = f"{number:04d}.jpg"
            save(pages[0], folder / name)
        truth[name] = {"register_number": sheet.register_number, "subject_code": sheet.subject_code, "layout": sheet.layout, "pen": sheet.pen}
    return truth


def read(folder: Path, models: Path, way: list[str]) -> dict[str, dict]:
    done = subprocess.run([PROGRAM, "read", folder, "--models", models, "--format", "json", *way], capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    return {Path(sheet["file"]).name: sheet for sheet in json.loads(done.stdout)}


def judge(readings: dict[str, dict], truth: dict[str, dict]) -> dict[str, float]:
    right = {name: [readings[name].get(field) == expected[field] for field in FIELDS] for name, expected in truth.items()}
    notes = {"turned", "straightened", "later_page"}
    silent = sum(not all(right[name]) and not set(readings[name].get("reasons", ["error"])) - notes for name in truth)
    return {
        "sheets": sum(map(all, right.values())), "register": sum(each[0] for each in right.values()), "subject": sum(each[1] for each in right.values()),
        "silent": silent, "ms": statistics.median(reading.get("timings_ms", {}).get("total", float("nan")) for reading in readings.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100, help="sheets of each condition")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--models", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--precision", default="auto", help="with int8, after `alcove model quantize` of the models")
    parser.add_argument("--only", nargs="+", choices=list(CONDITIONS), default=list(CONDITIONS), metavar="CONDITION")
    parser.add_argument("--json", type=Path, help="write every reading beside its truth there")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {time.strftime('%Y-%m-%d')}; {arguments.count} sheets of each condition, seed {arguments.seed}, {arguments.models}, {arguments.precision}")
    print("exactly right of 100, before → after; wrong unsaid: wrong, and no reason given to look; ms: median for a sheet\n")
    print("| condition        |  both fields |     register |      subject | wrong unsaid |           ms |")
    print("| ---------------- | " + " | ".join(["-----------:"] * 5) + " |")
    report = {}
    for condition in arguments.only:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            truth = draw(condition, arguments.count, arguments.seed, folder)
            readings = {way: read(folder, arguments.models, [*flags, "--precision", arguments.precision]) for way, flags in WAYS.items()}
        judged = {way: judge(readings[way], truth) for way in WAYS}
        share = {way: {key: value if key == "ms" else 100 * value / arguments.count for key, value in judged[way].items()} for way in WAYS}
        columns = (f"{share['before'][key]:.0f} → {share['after'][key]:.0f}" for key in ("sheets", "register", "subject", "silent", "ms"))
        print(f"| {condition:16} | " + " | ".join(f"{column:>12}" for column in columns) + " |", flush=True)
        report[condition] = {"percent": share, "truth": truth, "readings": readings}
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
