"""What cover pages are made of. Every block draws from (x, y) at most `w` wide and returns its height, all in millimetres."""

from __future__ import annotations

import random
from collections.abc import Callable

import values
from form import OTHER, REGISTER, SUBJECT, Form

Block = Callable[[Form, float, float, float], float]

INSTITUTIONS = (
    "NORTHFIELD COLLEGE OF ENGINEERING", "Lakeview Institute of Technology", "ST. CLARE UNIVERSITY", "Hillside Polytechnic",
    "GREEN VALLEY COLLEGE OF ARTS AND SCIENCE", "Riverside Institute of Management", "COASTAL TECHNICAL UNIVERSITY",
    "Meadowbrook Engineering College", "EASTERN SCHOOL OF SCIENCE",
)
SUBTITLES = (
    "(An Autonomous Institution)", "Office of the Controller of Examinations", "Answer Booklet", "END SEMESTER EXAMINATION",
    "Continuous Internal Assessment", "ANSWER SHEET", "Main Answer Book", "Internal Assessment Test II", "Model Examination",
)
CAPTIONS = {
    REGISTER: ("Register Number", "Register No.", "Reg. No.", "REGISTER NUMBER", "Reg. Number", "University Register No.", "REG. NO."),
    SUBJECT: ("Subject Code", "Course Code", "Sub. Code", "SUBJECT CODE", "COURSE CODE", "Subject Code No.", "Sub Code"),
}
INSTRUCTIONS = (
    "Write the register number and the subject code clearly in the boxes provided.",
    "Use blue or black ink only. Do not write in the margin.",
    "Check the number of pages before you begin; no loose sheets are given.",
    "Anything written on this page other than the particulars will not be valued.",
    "Mobile phones and programmable calculators are not allowed in the hall.",
    "Start each part on a fresh page and number the answers correctly.",
    "Draw a line through the pages that are left blank at the end.",
    "The candidate shall sign in the presence of the hall superintendent.",
)


def other_fields(rng: random.Random) -> list[tuple[str, str]]:
    """Captions and handwritten contents of the fields nobody asks for, in random order."""
    date = f"{rng.randint(1, 28):02d}{rng.choice('/-.')}{rng.randint(1, 12):02d}{rng.choice('/-.')}20{rng.randint(20, 27)}"
    fields = [
        ("Name of the Candidate", rng.choice(values.NAMES)), ("Date", date), ("Semester", rng.choice(("I", "II", "III", "IV", "V", "VI", "VII"))),
        ("Branch", rng.choice(values.BRANCHES)), ("Subject Title", rng.choice(values.SUBJECTS)), ("Hall No.", str(rng.randint(1, 420))),
        ("Degree", rng.choice(("B.E", "B.Tech", "M.E", "B.Sc"))), ("Session", rng.choice(("FN", "AN"))), ("Section", rng.choice("ABCD")),
        ("No. of pages used", str(rng.randint(4, 40))), ("Year", rng.choice(("I", "II", "III", "IV"))), ("Seat", str(rng.randint(1, 60))),
        ("Invigilator", ""), ("Max. Marks", rng.choice(("50", "100"))), ("Date of Exam", date), ("Student Name", rng.choice(values.NAMES)),
    ]
    rng.shuffle(fields)
    return fields


def _spoken(rng: random.Random, caption: str) -> str:
    return caption + rng.choice(("", "", ":", " :"))


def entry(form: Form, kind: str, x: float, y: float, w: float, h: float, text: str = "", style: str | None = None) -> None:
    """The place to write itself; `w` is the room there is."""
    rng = form.rng
    style = style or rng.choices(("frame", "cells", "line", "dots", "tint"), (36, 34, 12, 8, 10))[0]
    if kind == OTHER:
        style = rng.choice(("frame", "line", "dots", "cells")) if style is None or rng.random() < 0.4 else style
        if style == "cells" and not text.replace("/", "").replace("-", "").replace(".", "").isdigit():
            style = "frame"
        if style == "cells":
            text = "".join(c for c in text if c.isdigit())
        length = max(len(text), 3)
    else:
        length = form.lengths[kind]
    if style == "cells":
        cells = length + rng.choices((0, 1, 2), (75, 15, 10))[0]
        if kind == REGISTER and rng.random() < 0.5:
            cells = max(cells, 12)
        cell = min(w / cells, rng.uniform(6.4, 9.6))
        width = cell * cells
        form.box(x, y, width, h, line=0.35, fill=form.shade() if rng.random() < 0.12 else None)
        for i in range(1, cells):
            form.line(x + cell * i, y, x + cell * i, y + h, 0.25)
        form.spot(kind, x, y, width, h, cells=cells, text=text)
        return
    if kind == REGISTER:
        width = min(w, rng.uniform(62, 118))
    elif kind == SUBJECT:
        width = min(w, rng.uniform(34, 70))
    else:
        width = min(w, max(4.5 * len(text), rng.uniform(20, 90)))
    if style == "frame":
        form.box(x, y, width, h, line=rng.uniform(0.2, 0.6))
    elif style == "tint":
        form.box(x, y, width, h, line=rng.choice((0.0, 0.25)), fill=form.shade())
    elif style == "line":
        form.line(x, y + h, x + width, y + h, 0.3)
    else:
        form.dotted(x, y + h, x + width)
    form.spot(kind, x, y, width, h, text=text, align=rng.choice(("left", "left", "centre")))


def _selection(form: Form, count: int) -> list[tuple[str, str, str]]:
    """`count` fields as (kind, caption, text) with the two that matter among them."""
    rng = form.rng
    fields = [(OTHER, caption, text) for caption, text in other_fields(rng)[: max(0, count - 2)]]
    for kind in (SUBJECT, REGISTER):
        if kind not in form.omit:
            fields.insert(rng.randrange(0, len(fields) + 1) if rng.random() < 0.7 else 0, (kind, rng.choice(CAPTIONS[kind]), ""))
    return fields


def header(form: Form, x: float, y: float, w: float) -> float:
    rng = form.rng
    radius = rng.uniform(6, 9) if rng.random() < 0.5 else 0.0  # of an emblem on the left
    centre, room = x + w / 2 + radius, w - 4 * radius - 6
    form.fitted(centre, y, rng.choice(INSTITUTIONS), rng.uniform(5.5, 8.5), room, bold=True, anchor="ma")
    at = 10.0
    for subtitle in rng.sample(SUBTITLES, rng.randint(1, 3)):
        form.fitted(centre, y + at, subtitle, rng.uniform(3.6, 5.4), room, bold=rng.random() < 0.4, anchor="ma")
        at += 6.5
    if radius:
        form.circle(x + radius + 1, y + radius, radius, 0.5)
        form.circle(x + radius + 1, y + radius, radius * 0.75, 0.3)
        form.text(x + radius + 1, y + radius, "".join(rng.sample("AEGLMNRS", 2)), radius * 0.8, bold=True, anchor="mm")
    if rng.random() < 0.6:
        form.line(x, y + at + 1, x + w, y + at + 1, rng.uniform(0.3, 0.9))
    return at + 5


def rows(form: Form, x: float, y: float, w: float) -> float:
    """One field a row, captions in a column on the left."""
    rng = form.rng
    column = rng.uniform(0.22, 0.34) * w
    size, step = rng.uniform(3.9, 5.0), rng.uniform(11.5, 16)
    framed = rng.random() < 0.3
    at = 3.0
    for kind, caption, text in _selection(form, rng.randint(3, 7)):
        tall = min(step - 3, rng.uniform(7.2, 11.5))
        form.fitted(x + 2, y + at + tall / 2, _spoken(rng, caption), size, column - 4, bold=kind != OTHER or rng.random() < 0.4, anchor="lm")
        entry(form, kind, x + column, y + at, w - column - 3, tall, text)
        at += step
    if framed:
        form.box(x, y, w, at + 1, line=0.5)
    return at + 3


def table(form: Form, x: float, y: float, w: float) -> float:
    """Caption cells and value cells under one another; a value fills its cell."""
    rng = form.rng
    column = rng.uniform(0.25, 0.38) * w
    size, step = rng.uniform(3.8, 4.8), rng.uniform(9, 14)
    shade = form.shade() if rng.random() < 0.4 else None
    fields = _selection(form, rng.randint(3, 7))
    right = x + w if rng.random() < 0.5 else x + w * rng.uniform(0.72, 0.98)
    at = y
    for kind, caption, text in fields:
        form.box(x, at, column, step, fill=shade)
        # A code in a cell as wide as the page would be unreadable small once the cell is squeezed for the reader.
        width = min(right - x - column, rng.uniform(40, 70) if kind == SUBJECT else rng.uniform(85, 125))
        form.box(x + column, at, width, step)
        form.fitted(x + 2, at + step / 2, caption, size, column - 4, bold=rng.random() < 0.6, anchor="lm")
        form.spot(kind, x + column, at, width, step, text=text)
        at += step
    return at - y + 4


def pairs(form: Form, x: float, y: float, w: float) -> float:
    """A table of two fields a row: caption, value, caption, value."""
    rng = form.rng
    step, size = rng.uniform(10, 13.5), rng.uniform(3.6, 4.4)
    others = [(OTHER, c, t) for c, t in other_fields(rng)[:5]]
    first = [(kind, rng.choice(CAPTIONS[kind]), "") for kind in (REGISTER, SUBJECT) if kind not in form.omit]
    if len(first) < 2:
        first.append(others.pop())
    lines = [first] + [others[i : i + 2] for i in range(0, 2 * rng.randint(0, 2), 2)]
    rng.shuffle(lines)
    caption_share = rng.uniform(0.13, 0.17)
    long = rng.uniform(0.54, 0.62) * w  # the register number's half is the wider one
    for i, fields in enumerate(lines):
        top = y + i * step
        for (kind, caption, text), left, width in zip(fields, (x, x + long), (long, w - long)):
            name = caption_share * w
            form.box(left, top, name, step)
            form.box(left + name, top, width - name, step)
            form.fitted(left + 1.5, top + step / 2, caption, size, name - 3, bold=True, anchor="lm")
            form.spot(kind, left + name, top, width - name, step, text=text)
    return len(lines) * step + 4


def captions_above(form: Form, x: float, y: float, w: float) -> float:
    """Captions over their fields, one or two fields a row."""
    rng = form.rng
    size = rng.uniform(3.8, 4.8)
    at = 1.0
    fields = _selection(form, rng.randint(2, 6))
    while fields:
        two = len(fields) > 1 and rng.random() < 0.55
        chosen, fields = fields[: 2 if two else 1], fields[2 if two else 1 :]
        tall = rng.uniform(8, 12)
        split = rng.uniform(0.5, 0.66) if REGISTER == chosen[0][0] else rng.uniform(0.34, 0.5)
        edges = (0.0, split * w, w) if two else (0.0, w)
        for (kind, caption, text), left, right in zip(chosen, edges, edges[1:]):
            form.text(x + left, y + at, _spoken(rng, caption), size, bold=rng.random() < 0.7)
            entry(form, kind, x + left, y + at + size * 1.35, right - left - 4, tall, text)
        at += size * 1.35 + tall + rng.uniform(3, 6)
    return at + 2


def one_line(form: Form, x: float, y: float, w: float) -> float:
    """Subject code and register number side by side, captions in front."""
    rng = form.rng
    size, tall = rng.uniform(3.6, 4.4), rng.uniform(8, 11)
    kinds = [REGISTER, SUBJECT]
    if rng.random() < 0.5:
        kinds.reverse()
    left = x
    for kind in kinds:
        share = w * (0.6 if kind == REGISTER else 0.4)
        if kind not in form.omit:
            used = form.text(left, y + tall / 2, _spoken(rng, rng.choice(CAPTIONS[kind][:4])), size, bold=True, anchor="lm")
            entry(form, kind, left + used + 2, y, share - used - 5, tall)
        left += share
    at = tall + 6
    for caption, text in other_fields(rng)[: rng.randint(0, 3)]:
        used = form.text(x, y + at + 4, _spoken(rng, caption), size, anchor="lm")
        entry(form, OTHER, x + used + 3, y + at, w - used - 6, 8, text)
        at += 12
    return at + 2


def marks(form: Form, x: float, y: float, w: float) -> float:
    rng = form.rng
    columns, lines = rng.randint(5, 14), rng.randint(3, 9)
    step = rng.uniform(6, 9)
    wide = w / columns
    shade = form.shade() if rng.random() < 0.4 else None
    form.text(x, y, rng.choice(("For Examiner's use only", "MARKS AWARDED", "Question-wise marks", "Statement of Marks")), 4, bold=True)
    top = y + 6.5
    form.box(x, top, w, step, fill=shade)
    for i in range(lines + 1):
        form.line(x, top + step * i, x + w, top + step * i, 0.25)
    for i in range(columns + 1):
        form.line(x + wide * i, top, x + wide * i, top + step * lines, 0.25)
    for i in range(columns):
        form.text(x + wide * (i + 0.5), top + step / 2, "Q.No" if i == 0 else str(i), 3.2, bold=True, anchor="mm")
    for i in range(1, lines):
        form.text(x + wide / 2, top + step * (i + 0.5), rng.choice("abcd") if rng.random() < 0.3 else str(i), 3.2, anchor="mm")
    if rng.random() < 0.3:
        for _ in range(rng.randint(3, 12)):
            form.spot(OTHER, x + wide * rng.randrange(1, columns), top + step * rng.randrange(1, lines), wide, step, text=str(rng.randint(1, 16)), align="centre")
    return 6.5 + step * lines + 5


def instructions(form: Form, x: float, y: float, w: float) -> float:
    rng = form.rng
    size = rng.uniform(2.9, 3.7)
    form.text(x, y, rng.choice(("Instructions to the Candidate", "INSTRUCTIONS", "Note:", "Read carefully")), size * 1.2, bold=True)
    at = size * 1.9
    for number, sentence in enumerate(rng.sample(INSTRUCTIONS, rng.randint(3, 7)), 1):
        form.fitted(x, y + at, f"{number}. {sentence}", size, w)
        at += size * 1.5
    return at + 4


def signatures(form: Form, x: float, y: float, w: float) -> float:
    rng = form.rng
    names = rng.sample(("Signature of the Candidate", "Hall Superintendent", "Signature of Examiner", "Chief Superintendent", "Scrutiniser"), rng.randint(2, 3))
    share = w / len(names)
    for i, name in enumerate(names):
        form.line(x + share * i + 3, y + 12, x + share * (i + 1) - 3, y + 12, 0.25)
        form.fitted(x + share * (i + 0.5), y + 13, name, 3.3, share - 6, anchor="ma")
        if rng.random() < 0.6:
            form.spot(OTHER, x + share * i + 6, y + 1, share - 12, 11, text=rng.choice(values.NAMES), align="centre")
    return 22


def booklet(form: Form, x: float, y: float, w: float) -> float:
    """A printed serial number, often with a bar code."""
    rng = form.rng
    serial = "".join(rng.choice("0123456789") for _ in range(rng.randint(6, 8)))
    left = x + rng.choice((0.0, 0.3, 0.6)) * w
    if rng.random() < 0.6:
        at = left
        while at < left + 50:
            width = rng.choice((0.3, 0.6, 0.9))
            form.box(at, y, width, 9, line=0, fill=form.ink)
            at += width + rng.choice((0.4, 0.7, 1.0))
        form.text(left + 25, y + 10, serial, 3.6, anchor="ma")
        return 17
    form.text(left, y, "Booklet No. " + serial, rng.uniform(4, 5.5), bold=True, colour=rng.choice(((190, 40, 40), form.ink)))
    return 9


def bubbles(form: Form, x: float, y: float, w: float) -> float:
    """Columns of digits in circles, as machine-read covers have them."""
    rng = form.rng
    columns, step = rng.randint(6, 13), rng.uniform(4.4, 5.6)
    left = x + rng.uniform(0, max(0.0, w - columns * 7))
    for i in range(columns):
        for digit in range(10):
            form.circle(left + i * 7 + 3.5, y + digit * step + 2.5, 1.9)
            form.text(left + i * 7 + 3.5, y + digit * step + 2.5, str(digit), 2.4, anchor="mm")
    return 10 * step + 5


def ruled(form: Form, x: float, y: float, w: float) -> float:
    """The first lines to answer on."""
    rng = form.rng
    step, count = rng.uniform(7, 9), rng.randint(4, 12)
    for i in range(count):
        form.line(x, y + step * (i + 1), x + w, y + step * (i + 1), 0.2)
        if rng.random() < 0.25:
            form.spot(OTHER, x, y + step * i, w * rng.uniform(0.4, 1.0), step, text=rng.choice(values.SUBJECTS) + " " + rng.choice(values.NAMES))
    return step * count + 5


INFORMATION: tuple[Block, ...] = (rows, table, pairs, captions_above, one_line)
FILLERS: tuple[Block, ...] = (marks, instructions, signatures, booklet, ruled, bubbles, marks, instructions)
