"""The printed form: a page measured in millimetres that remembers where candidates write."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

import fonts

PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0  # A4

REGISTER, SUBJECT, OTHER = "RegisterNumber", "SubjectCode", "Other"

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Spot:
    """A place to write, in millimetres from the page's top left corner."""

    kind: str
    left: float
    top: float
    width: float
    height: float
    cells: int = 0  # 0 for a free field
    fill: float = 0.6  # height of a digit as a share of the field
    text: str = ""  # what stands there, for kind Other
    align: str = "left"


class Form:
    """Draws at `scale` pixels per millimetre; every coordinate of a call is in millimetres."""

    def __init__(self, rng: random.Random, split: str, scale: float, register_length: int, subject_length: int,
                 omit: frozenset[str] = frozenset()) -> None:
        self.rng = rng
        self.split = split
        self.scale = scale
        self.lengths = {REGISTER: register_length, SUBJECT: subject_length}
        self.omit = omit
        self.face = rng.choice(fonts.faces(split))
        self.paper = _paper(rng)
        self.ink: Colour = rng.choice(((20, 20, 20), (20, 20, 20), (45, 45, 50), (20, 24, 90), (90, 20, 30), (15, 70, 50)))
        self.image = Image.new("RGB", (round(PAGE_WIDTH * scale), round(PAGE_HEIGHT * scale)), self.paper)
        self.pencil = ImageDraw.Draw(self.image)
        self.spots: list[Spot] = []

    def text(self, x: float, y: float, words: str, size: float, *, bold: bool = False, anchor: str = "la",
             colour: Colour | None = None) -> float:
        """Prints at cap height about 0.7 `size`; returns the width in millimetres."""
        font = fonts.load(self.face.bold if bold else self.face.regular, round(size * self.scale))
        self.pencil.text((x * self.scale, y * self.scale), words, font=font, fill=colour or self.ink, anchor=anchor)
        return font.getlength(words) / self.scale

    def fitted(self, x: float, y: float, words: str, size: float, room: float, *, bold: bool = False, anchor: str = "la") -> float:
        """Prints smaller where `words` would not fit into `room`."""
        font = fonts.load(self.face.bold if bold else self.face.regular, round(size * self.scale))
        wide = font.getlength(words) / self.scale
        return self.text(x, y, words, size * min(1.0, room / max(wide, 0.1)), bold=bold, anchor=anchor)

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.3) -> None:
        s = self.scale
        self.pencil.line((x0 * s, y0 * s, x1 * s, y1 * s), fill=self.ink, width=self.pen(width))

    def dotted(self, x0: float, y: float, x1: float, step: float = 1.4) -> None:
        s = self.scale
        r = max(0.5, 0.16 * s)
        x = x0
        while x < x1:
            self.pencil.ellipse((x * s - r, y * s - r, x * s + r, y * s + r), fill=self.ink)
            x += step

    def box(self, left: float, top: float, width: float, height: float, *, line: float = 0.3, fill: Colour | None = None) -> None:
        s = self.scale
        self.pencil.rectangle((left * s, top * s, (left + width) * s, (top + height) * s), outline=self.ink if line > 0 else None,
                              fill=fill, width=self.pen(line))

    def circle(self, x: float, y: float, radius: float, line: float = 0.2) -> None:
        s = self.scale
        self.pencil.ellipse(((x - radius) * s, (y - radius) * s, (x + radius) * s, (y + radius) * s), outline=self.ink, width=self.pen(line))

    def pen(self, millimetres: float) -> int:
        return max(1, round(millimetres * self.scale))

    def shade(self) -> Colour:
        """A light tone of the print colour, for header cells and tinted boxes."""
        t = self.rng.uniform(0.06, 0.16)
        return tuple(round(p * (1 - t) + i * t) for p, i in zip(self.paper, self.ink))

    def spot(self, kind: str, left: float, top: float, width: float, height: float, *, cells: int = 0, text: str = "",
             align: str = "left") -> None:
        fill = min(0.85, max(0.4, self.rng.uniform(4.2, 6.6) / height))
        self.spots.append(Spot(kind, left, top, width, height, cells, fill, text, align))


def _paper(rng: random.Random) -> Colour:
    if rng.random() < 0.5:
        white = rng.randint(244, 255)
        return white, white, white
    return rng.choice(((250, 246, 232), (246, 240, 220), (236, 246, 238), (236, 242, 252), (252, 238, 238), (240, 238, 232), (248, 248, 240)))
