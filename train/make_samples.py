#!/usr/bin/env python3
"""Draws samples/sheets: one sheet of every kind the program has to cope with, and truth.json.

Fonts and layouts are those held out from training. The encrypted file needs the qpdf command.

    python3 train/make_samples.py --out samples/sheets
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

import ink
import layouts
from form import PAGE_HEIGHT, PAGE_WIDTH, REGISTER, SUBJECT, Form
from blocks import ruled
from make_sheets import save
from sheet import Sheet, fill_in, make_sheet

SEED = 20
PASSWORD = "alcove-sample"
EXIF_ORIENTATION, TURNED_LEFT = 0x0112, 6  # shown after a quarter turn clockwise


@dataclass(frozen=True)
class Sample:
    """One file: how its page is drawn, what is done to it, and what a reader should say."""

    name: str
    kind: str
    look: str
    layout: layouts.Layout
    dots_per_inch: float = 150
    blank: frozenset[str] = frozenset()
    omit: frozenset[str] = frozenset()
    reason: str | None = None
    change: Callable[[Image.Image], Image.Image] | None = None
    quality: int = 82
    more_pages: int = 0


def _grey(image: Image.Image) -> Image.Image:
    return image.convert("L")


def _palette(image: Image.Image) -> Image.Image:
    return image.quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _turned(degrees: int) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.rotate(degrees, expand=True)


def _skewed(image: Image.Image) -> Image.Image:
    return image.rotate(2.6, Image.BICUBIC, fillcolor=(236, 236, 234))


def _with_alpha(image: Image.Image) -> Image.Image:
    small = _palette(image).convert("RGBA")
    small.putalpha(255)
    return small


SAMPLES = (
    Sample("clean-band.jpg", "clean", "clean", layouts.band),
    Sample("clean-ledger.png", "clean", "clean", layouts.ledger, 120, change=_palette),
    Sample("clean-slip.pdf", "clean", "clean", layouts.slip),
    Sample("clean-plain.webp", "clean", "clean", layouts.plain),
    Sample("scan-grey.tiff", "scan", "scan", layouts.band, change=_grey),
    Sample("scan-grey.bmp", "scan", "scan", layouts.slip, 100, change=_grey),
    Sample("scan-folded.jpg", "scan", "scan", layouts.ledger),
    Sample("scan-cmyk.jpg", "scan", "scan", layouts.plain, change=lambda image: image.convert("CMYK")),
    Sample("scan-alpha.png", "scan", "clean", layouts.band, 110, change=_with_alpha),
    Sample("skewed.jpg", "skewed", "clean", layouts.slip, change=_skewed),
    Sample("photo-desk.jpg", "photo", "photo", layouts.band, 170),
    Sample("photo-shadow.jpg", "photo", "photo", layouts.ledger, 170),
    Sample("photo-warm.webp", "photo", "photo", layouts.slip, 170),
    Sample("photo-lines.jpg", "photo", "photo", layouts.plain, 170),
    Sample("photo-exif.jpg", "turned", "photo", layouts.ledger, 150, change=_turned(90)),
    Sample("turned-90.jpg", "turned", "clean", layouts.band, change=_turned(90)),
    Sample("turned-180.png", "turned", "clean", layouts.slip, 110, change=lambda image: _palette(image.rotate(180))),
    Sample("turned-270.webp", "turned", "scan", layouts.ledger, change=_turned(270)),
    Sample("pages.pdf", "multi-page", "scan", layouts.band, more_pages=2),
    Sample("pages.tiff", "multi-page", "clean", layouts.plain, 110, change=_grey, more_pages=2),
    Sample("blank-register.jpg", "blank", "clean", layouts.ledger, blank=frozenset({REGISTER}), reason="blank"),
    Sample("no-register-box.png", "missing", "clean", layouts.slip, 110, omit=frozenset({REGISTER}), reason="no_register_box", change=_palette),
    Sample("encrypted.pdf", "encrypted", "clean", layouts.plain, 120, reason="pdf_encrypted"),
)


def inner_page(rng: random.Random, dots_per_inch: float) -> Image.Image:
    """A page of answers: ruled lines and words, nothing to extract."""
    form = Form(rng, "heldout", dots_per_inch / 25.4, 12, 7)
    form.text(PAGE_WIDTH / 2, 12, str(rng.randint(2, 30)), 4, anchor="ma")
    form.line(28, 10, 28, PAGE_HEIGHT - 10, 0.3)
    for top in (18, 110, 200):
        ruled(form, 32, top, 165)
    pen = ink.pick_pen(rng, "heldout")
    for spot in form.spots:
        fill_in(form.image, rng, pen, spot, spot.text, form.scale)
    return form.image


def write(sample: Sample, sheet: Sheet, rng: random.Random, folder: Path) -> None:
    path = folder / sample.name
    image = sample.change(sheet.image) if sample.change else sheet.image
    if sample.name == "photo-exif.jpg":
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = TURNED_LEFT
        image.save(path, "JPEG", quality=sample.quality, exif=exif)
    elif sample.more_pages:
        others = [inner_page(rng, sample.dots_per_inch).convert(image.mode) for _ in range(sample.more_pages)]
        if path.suffix == ".pdf":
            image.save(path, "PDF", resolution=sample.dots_per_inch, quality=sample.quality, save_all=True, append_images=others)
        else:
            image.save(path, "TIFF", compression="tiff_adobe_deflate", save_all=True, append_images=others)
    elif sample.kind == "encrypted":
        plain = path.with_suffix(".plain.pdf")
        image.save(plain, "PDF", resolution=sample.dots_per_inch, quality=sample.quality)
        subprocess.run(["qpdf", "--encrypt", PASSWORD, PASSWORD, "256", "--", str(plain), str(path)], check=True)
        plain.unlink()
    elif path.suffix == ".pdf":
        image.save(path, "PDF", resolution=sample.dots_per_inch, quality=sample.quality)
    elif path.suffix == ".tiff":
        image.save(path, "TIFF", compression="tiff_lzw", dpi=(sample.dots_per_inch, sample.dots_per_inch))
    elif path.suffix == ".png":
        image.save(path, "PNG", optimize=True, dpi=(sample.dots_per_inch, sample.dots_per_inch))
    else:
        save(image, path, sample.quality)


def main() -> int:
    parser = argparse.ArgumentParser(description="Draws samples/sheets and truth.json.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    truth: dict[str, dict[str, object]] = {}
    for sample in SAMPLES:
        rng = random.Random(f"{options.seed}/{sample.name}")
        sheet = make_sheet(rng, "heldout", sample.look, dots_per_inch=sample.dots_per_inch, blank=sample.blank, omit=sample.omit, layout=sample.layout)
        write(sample, sheet, rng, options.out)
        hidden = sample.kind == "encrypted"
        entry: dict[str, object] = {
            "register_number": None if hidden else sheet.register_number,
            "subject_code": None if hidden else sheet.subject_code,
            "kind": sample.kind,
        }
        if sample.reason:
            entry["reason"] = sample.reason
        if hidden:
            entry["password"] = PASSWORD
            entry["behind_password"] = {"register_number": sheet.register_number, "subject_code": sheet.subject_code}
        truth[sample.name] = entry
    (options.out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    print(f"{len(SAMPLES)} samples in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
