"""One answer sheet: a printed form, a candidate's ink, a stamp perhaps, and the look of its picture."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

import fonts
import ink
import layouts
import looks
import values
from form import OTHER, REGISTER, SUBJECT, Form, Spot

Box = tuple[float, float, float, float]


@dataclass
class Sheet:
    """A picture and what stands on it. Boxes are left, top, right, bottom in pixels of `image`."""

    image: Image.Image
    register_number: str | None
    subject_code: str | None
    boxes: dict[str, Box] = field(default_factory=dict)
    layout: str = ""
    pen: str = ""


def print_form(rng: random.Random, split: str, dots_per_inch: float, register: str, subject: str,
               omit: frozenset[str] = frozenset(), layout: layouts.Layout | None = None) -> tuple[Form, layouts.Layout]:
    """A blank form with room for the two values."""
    layout = layout or rng.choice(layouts.of(split))
    for _ in range(20):
        form = Form(rng, split, dots_per_inch / 25.4, len(register), len(subject), omit)
        layout(form)
        wanted = {REGISTER, SUBJECT} - omit
        if wanted == {spot.kind for spot in form.spots if spot.kind != OTHER and _inside(spot)}:
            return form, layout
    raise RuntimeError(f"layout {layout.__name__} has no room for both fields")


def _inside(spot: Spot) -> bool:
    return spot.left > 2 and spot.top > 2 and spot.left + spot.width < 208 and spot.top + spot.height < 290 and spot.width > 25


def pixels(spot: Spot, scale: float) -> Box:
    return spot.left * scale, spot.top * scale, (spot.left + spot.width) * scale, (spot.top + spot.height) * scale


def fill_in(image: Image.Image, rng: random.Random, pen: ink.Pen, spot: Spot, text: str, scale: float, origin: tuple[float, float] = (0.0, 0.0)) -> None:
    """Writes `text` into a spot; `origin` is where `image` was cut out of the page, in pixels."""
    left, top, right, bottom = pixels(spot, scale)
    x, y = origin
    inset = 0.0 if spot.cells else 0.02 * (right - left)
    ink.write(image, rng, pen, text, (left - x + inset, top - y, right - x - inset, bottom - y), scale=scale, cells=spot.cells, fill=spot.fill, align=spot.align,
              spread=spot.kind != OTHER)


def stamp(image: Image.Image, rng: random.Random, scale: float, centre: tuple[float, float] | None = None) -> None:
    """A round or square rubber stamp, slightly turned, unevenly inked."""
    colour = rng.choice(((60, 40, 140), (150, 30, 60), (30, 90, 60), (40, 60, 160)))
    size = round(rng.uniform(24, 36) * scale)
    mark = Image.new("L", (size, size), 0)
    pencil = ImageDraw.Draw(mark)
    face = fonts.load("LiberationSans-Bold", max(5, round(size * 0.11)))
    width = max(1, round(0.5 * scale))
    if rng.random() < 0.6:
        pencil.ellipse((1, 1, size - 2, size - 2), outline=255, width=width)
        pencil.ellipse((size * 0.2, size * 0.2, size * 0.8, size * 0.8), outline=255, width=width)
        for i, letter in enumerate(rng.choice(("OFFICE OF EXAMINATIONS * ", "HALL SUPERINTENDENT * ", "CONTROLLER * RECEIVED * "))):
            angle = i / 24 * 2 * math.pi
            pencil.text((size / 2 + math.sin(angle) * size * 0.4, size / 2 - math.cos(angle) * size * 0.4), letter, font=face, fill=255, anchor="mm")
    else:
        pencil.rectangle((1, size * 0.3, size - 2, size * 0.7), outline=255, width=width)
    pencil.text((size / 2, size / 2), rng.choice(("VALUED", "RECEIVED", "CHECKED", "EXAM CELL")), font=face, fill=255, anchor="mm")
    mark = mark.rotate(rng.uniform(-30, 30), Image.BILINEAR, expand=True)
    patchy = Image.fromarray(np.random.default_rng(rng.randrange(1 << 30)).integers(90, 235, (12, 12), dtype=np.uint8)).resize(mark.size, Image.BILINEAR)
    alpha = Image.fromarray((np.asarray(mark, np.uint16) * np.asarray(patchy, np.uint16) // 255 * 3 // 4).astype(np.uint8))
    x, y = centre or (rng.uniform(0.05, 0.95) * image.width, rng.uniform(0.05, 0.95) * image.height)
    image.paste(Image.new("RGB", mark.size, colour), (round(x - mark.width / 2), round(y - mark.height / 2)), alpha)


def make_sheet(rng: random.Random, split: str, look: str, *, dots_per_inch: float = 200, blank: frozenset[str] = frozenset(),
               omit: frozenset[str] = frozenset(), layout: layouts.Layout | None = None) -> Sheet:
    """A whole sheet. Fields in `blank` stay empty, those in `omit` are not printed; both read as None."""
    register, subject = values.register_number(rng), values.subject_code(rng)
    form, chosen = print_form(rng, split, dots_per_inch, register, subject, omit, layout)
    pen, scale = ink.pick_pen(rng, split), form.scale
    boxes: dict[str, Box] = {}
    other_pen = pen if rng.random() < 0.7 else ink.pick_pen(rng, split)
    for spot in form.spots:
        if spot.kind == OTHER:
            if spot.text and rng.random() < 0.85:
                fill_in(form.image, rng, other_pen, spot, spot.text, scale)
            continue
        boxes[spot.kind] = pixels(spot, scale)
        if spot.kind not in blank:
            fill_in(form.image, rng, pen, spot, register if spot.kind == REGISTER else subject, scale)
    for _ in range(rng.choices((0, 1, 2), (70, 25, 5))[0]):
        stamp(form.image, rng, scale, _stamp_place(rng, form, boxes))
    image, matrix = looks.degrade(form.image, rng, look)
    gone = blank | omit
    return Sheet(image, None if REGISTER in gone else register, None if SUBJECT in gone else subject,
                 {kind: looks.carry(matrix, box) for kind, box in boxes.items()}, chosen.__name__, pen.face)


def _stamp_place(rng: random.Random, form: Form, boxes: dict[str, Box]) -> tuple[float, float]:
    """Anywhere but on the writing: a stamp may touch a field's edge, not cover it."""
    reach = 13 * form.scale
    for _ in range(30):
        x, y = rng.uniform(0.08, 0.92) * form.image.width, rng.uniform(0.05, 0.95) * form.image.height
        if all(x + reach < left or x - reach > right or y + reach < top or y - reach > bottom for left, top, right, bottom in boxes.values()):
            break
    return x, y
