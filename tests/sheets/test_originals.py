"""What Ultralytics and PyTorch make of the sample sheets with the demo weights (tests/golden/demo.json), and what Alcove does.

The same files through both: decoding, letterbox, detector, suppression, crops, readers, text. Pages as they stand, which is how
the originals take them; a page that Alcove itself leaves alone gets the same numbers without being told to.
"""

import hashlib
import json

import pytest
from conftest import ROOT

GOLDEN = json.loads((ROOT / "tests/golden/demo.json").read_text())
# Pillow and Debian bring their own JPEG and WebP decoders, which may differ by one level; a lossless page leaves less room.
CONFIDENCE = {".png": 0.001, ".bmp": 0.001, ".tiff": 0.003, ".jpg": 0.01, ".webp": 0.01}


@pytest.fixture(scope="module")
def readings(run) -> dict[str, dict]:
    return read_all(run, "--as-is")


def read_all(run, *flags: str) -> dict[str, dict]:
    files = [ROOT / sheet["file"] for sheet in GOLDEN["sheets"]]
    done = run("read", *files, "--models", ROOT / "models/demo", "--precision", "f32", "--format", "json", *flags)
    return {sheet["file"]: sheet for sheet in json.loads(done.stdout)}


def test_a_page_that_lies_straight_gets_the_same_numbers_by_default(run, readings):
    straight = 0
    for name, reading in read_all(run).items():
        if (reading["orientation"], reading["skew"], reading["page"]["number"]) == (0, 0, 1):
            assert (reading["boxes"], reading["page"]) == (readings[name]["boxes"], readings[name]["page"])
            straight += 1
    assert straight >= 5


def test_the_golden_file_is_of_these_weights():
    for name, sha256 in GOLDEN["weights_sha256"].items():
        assert hashlib.sha256((ROOT / "models/demo" / name).read_bytes()).hexdigest() == sha256, f"{name}: remake demo.json (tests/golden/README.md)"
    assert sum(len(sheet["boxes"]) for sheet in GOLDEN["sheets"]) >= 20


@pytest.mark.parametrize("golden", GOLDEN["sheets"], ids=lambda golden: golden["file"].rpartition("/")[2])
def test_the_same_boxes_and_text(readings, golden):
    path = ROOT / golden["file"]
    reading = readings[str(path)]
    assert (reading["page"]["width"], reading["page"]["height"]) == (golden["width"], golden["height"])
    assert len(reading["boxes"]) == len(golden["boxes"])
    for expected in golden["boxes"]:
        near = [
            box for box in reading["boxes"]
            if box["label"] == expected["label"] and max(abs(a - b) for a, b in zip(box["box"], expected["box"])) <= 0.55
        ]
        assert len(near) == 1, f"no box like {expected}"
        room = CONFIDENCE[path.suffix]
        assert near[0]["detection_confidence"] == pytest.approx(expected["detection_confidence"], abs=room)
        if golden["firm"]:  # else a step's two best symbols are too close to call between two decoders
            assert near[0]["value"] == expected["text"]
            assert near[0]["confidence"] == pytest.approx(expected["confidence"], abs=2 * room)
    if golden["firm"]:
        assert (reading["register_number"], reading["subject_code"]) == (golden["register"], golden["subject"])
