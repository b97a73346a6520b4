"""The form of `alcove template`, filled in by program, read by the server: its boxes are found where they were printed."""

import base64
import io
import random
import sys

import requests
from PIL import Image

from conftest import ROOT

sys.path.insert(0, str(ROOT / "train"))
import ink  # noqa: E402

# What the form prints, in millimetres: left, top, width, height (src/sheets/template.cpp).
PLACES = {"register_number": (66, 62, 113.78, 12), "subject_code": (66, 86, 55.62, 12)}
TEXTS = {"register_number": ("212223060100", 12), "subject_code": ("19AI4051", 8)}
FILLED = 6
FOUND = 8  # of 12 boxes; how surely the demo's detector finds boxes at all is said in models/demo/README.md


def post(server, name: str, content: bytes, query: str = "") -> dict:
    reply = requests.post(f"{server.url}/extract{query}", files={"file": (name, content)}, timeout=120)
    assert reply.status_code == 200, reply.text
    return reply.json()


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def test_a_filled_in_form_is_found(run, server, tmp_path):
    assert run("template", "--out", tmp_path / "form.pdf").returncode == 0
    empty = post(server, "form.pdf", (tmp_path / "form.pdf").read_bytes(), "?preview=1")
    page = Image.open(io.BytesIO(base64.b64decode(empty["preview"].partition(",")[2]))).convert("RGB")
    scale = page.width / 210  # pixels in a millimetre
    boxes = {field: (x * scale, y * scale, (x + w) * scale, (y + h) * scale) for field, (x, y, w, h) in PLACES.items()}
    found = 0
    for seed in range(FILLED):
        rng, filled = random.Random(seed), page.copy()
        pen = ink.pick_pen(rng, "heldout")
        for field, (text, cells) in TEXTS.items():
            ink.write(filled, rng, pen, text, boxes[field], scale=scale, cells=cells)
        content = io.BytesIO()
        filled.save(content, "PNG")
        reading = post(server, "filled.png", content.getvalue())
        found += sum(any(box["field"] == field and overlap(box["box"], boxes[field]) > 0.5 for box in reading["boxes"]) for field in boxes)
    assert found >= FOUND, f"{found} of {2 * FILLED}"
