"""Arrangements of blocks on a page. Training pages are stacked at random; the held-out ones are composed by hand."""

from __future__ import annotations

from collections.abc import Callable

import blocks
from form import OTHER, PAGE_HEIGHT, PAGE_WIDTH, REGISTER, SUBJECT, Form

Layout = Callable[[Form], None]


def stacked(form: Form) -> None:
    """A header, then the information block and others in any order until the page is full."""
    rng = form.rng
    margin = rng.uniform(9, 22)
    x, w = margin, PAGE_WIDTH - 2 * margin
    y = rng.uniform(8, 18)
    if rng.random() < 0.35:
        form.box(margin - 4, y - 4, w + 8, PAGE_HEIGHT - 2 * y + 8, line=rng.uniform(0.3, 0.9))
    queue: list[blocks.Block] = [rng.choice(blocks.FILLERS) for _ in range(6)]
    queue.insert(rng.choices((0, 1, 2), (60, 28, 12))[0], rng.choice(blocks.INFORMATION))
    if rng.random() < 0.92:
        queue.insert(0, blocks.header)
    asked = False
    for block in queue:
        inform = block in blocks.INFORMATION
        if y > PAGE_HEIGHT - (30 if asked else 20):
            break
        if not inform and y > PAGE_HEIGHT - 85:
            if asked:
                break
            continue
        narrow = inform and rng.random() < 0.15
        wide = w * rng.uniform(0.72, 0.95) if narrow else w
        y += block(form, x + (rng.uniform(0, w - wide)), y, wide) + rng.uniform(1, 9)
        asked = asked or inform


def sided(form: Form) -> None:
    """Two columns: information on one side, something tall on the other."""
    rng = form.rng
    margin = rng.uniform(9, 16)
    w = PAGE_WIDTH - 2 * margin
    y = rng.uniform(8, 16)
    y += blocks.header(form, margin, y, w) + 3
    side = rng.uniform(0.22, 0.3) * w
    left = rng.random() < 0.5
    main_x = margin + (side + 5 if left else 0)
    side_x = margin if left else margin + w - side
    form.box(side_x, y, side, rng.uniform(90, 160))
    blocks.instructions(form, side_x + 2, y + 3, side - 4)
    y += rng.choice((blocks.rows, blocks.captions_above, blocks.table))(form, main_x, y, w - side - 5) + 4
    if y < PAGE_HEIGHT - 110:
        y += blocks.marks(form, main_x, y, w - side - 5)
    if y < PAGE_HEIGHT - 60:
        blocks.signatures(form, margin, max(y, PAGE_HEIGHT - 60), w)


def _field(form: Form, kind: str, caption: str, x: float, y: float, w: float, h: float, style: str, caption_width: float) -> None:
    if kind in form.omit:
        return
    form.fitted(x, y + h / 2, caption, 4.4, caption_width - 2, bold=True, anchor="lm")
    blocks.entry(form, kind, x + caption_width, y, w - caption_width, h, style=style)


def band(form: Form) -> None:
    """Held out: a framed band under the header with both fields in rows of cells."""
    rng = form.rng
    y = 12 + blocks.header(form, 15, 12, 180) + 3
    form.box(12, y, 186, 34, line=0.6)
    _field(form, REGISTER, "REGISTER NUMBER", 16, y + 4, 178, 10, "cells", 46)
    _field(form, SUBJECT, "SUBJECT CODE", 16, y + 19, 178, 10, "cells", 46)
    y += 42
    for caption, text in blocks.other_fields(rng)[:3]:
        used = form.text(16, y + 4, caption + " :", 4.2, anchor="lm")
        blocks.entry(form, OTHER, 18 + used, y, 150 - used, 8, text, "dots")
        y += 13
    y += 4 + blocks.marks(form, 15, y + 4, 180)
    y += blocks.instructions(form, 15, y + 4, 180) + 4
    blocks.signatures(form, 15, min(y + 6, 262), 180)


def ledger(form: Form) -> None:
    """Held out: a ruled ledger whose cells hold the values, serial number on top."""
    rng = form.rng
    y = 12 + blocks.booklet(form, 20, 10, 170)
    y += blocks.header(form, 20, y, 170) + 3
    others = blocks.other_fields(rng)
    lines = [(OTHER, *others[0]), (REGISTER, "Register No.", ""), (OTHER, *others[1]), (SUBJECT, "Course Code", ""), (OTHER, *others[2])]
    for kind, caption, text in lines:
        if kind in form.omit:
            continue
        form.box(20, y, 48, 11.5, fill=form.shade())
        width = 56 if kind == SUBJECT else 122
        form.box(68, y, width, 11.5)
        form.fitted(22, y + 5.75, caption, 4.2, 44, bold=True, anchor="lm")
        form.spot(kind, 68, y, width, 11.5, text=text)
        y += 11.5
    y += 8 + blocks.signatures(form, 20, y + 8, 170)
    y += 6 + blocks.instructions(form, 20, y + 6, 170)
    blocks.marks(form, 20, y, 170)


def slip(form: Form) -> None:
    """Held out: instructions first, the particulars in a slip at mid-page with captions above."""
    rng = form.rng
    y = 14 + blocks.header(form, 14, 10, 182)
    y += blocks.instructions(form, 14, y, 182)
    form.box(14, y, 182, 62, line=0.5)
    form.text(105, y + 2, "PARTICULARS", 4.4, bold=True, anchor="ma")
    if REGISTER not in form.omit:
        form.text(19, y + 11, "Reg. No.", 4.4, bold=True)
        blocks.entry(form, REGISTER, 19, y + 17, 108, 10.5, style=rng.choice(("frame", "cells")))
    if SUBJECT not in form.omit:
        form.text(136, y + 11, "Sub. Code", 4.4, bold=True)
        blocks.entry(form, SUBJECT, 136, y + 17, 56, 10.5, style="frame")
    for i, (caption, text) in enumerate(blocks.other_fields(rng)[:2]):
        form.text(19 + i * 90, y + 35, caption, 4.2, bold=True)
        blocks.entry(form, OTHER, 19 + i * 90, y + 41, 78, 9.5, text, "frame")
    blocks.ruled(form, 14, y + 70, 182)


def plain(form: Form) -> None:
    """Held out: no table at all, captions with lines to write on."""
    rng = form.rng
    y = 21 + blocks.header(form, 22, 16, 166)
    others = blocks.other_fields(rng)
    lines = [(SUBJECT, "Subject Code :", ""), (OTHER, *others[0]), (REGISTER, "Register Number :", ""), (OTHER, *others[1])]
    for kind, caption, text in lines:
        if kind in form.omit:
            continue
        used = form.text(24, y + 8, caption, 4.6, bold=kind != OTHER, anchor="ls")
        blocks.entry(form, kind, max(64, 27 + used), y, 120, 9, text, "line")
        y += 17
    y += 8
    y += blocks.marks(form, 22, y, 166)
    blocks.ruled(form, 22, y + 4, 166)


TRAINING: tuple[Layout, ...] = (stacked, stacked, stacked, stacked, sided)
HELDOUT: tuple[Layout, ...] = (band, ledger, slip, plain)


def of(split: str) -> tuple[Layout, ...]:
    return TRAINING if split == "train" else HELDOUT
