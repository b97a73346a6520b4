"""What bf16 may change, and what it may not: docs/weights.md has the tolerance. Only where the CPU computes in bf16."""

import json

import pytest
from conftest import ROOT

GOLDEN = json.loads((ROOT / "tests/golden/demo.json").read_text())["sheets"]


@pytest.fixture(scope="module")
def readings(run) -> dict[str, dict]:
    files = [ROOT / sheet["file"] for sheet in GOLDEN]
    done = run("read", *files, "--models", ROOT / "models/demo", "--as-is", "--precision", "bf16", "--format", "json")
    if "bf16 is not to be had" in done.stderr:
        pytest.skip(done.stderr.strip())
    return {sheet["file"]: sheet for sheet in json.loads(done.stdout)}


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["file"].rpartition("/")[2])
def test_what_f32_is_sure_of_stays(readings, golden):
    boxes = readings[str(ROOT / golden["file"])]["boxes"]
    for sure in (box for box in golden["boxes"] if box["detection_confidence"] >= 0.3):
        near = [
            box for box in boxes
            if box["label"] == sure["label"] and max(abs(a - b) for a, b in zip(box["box"], sure["box"])) <= 2
        ]
        assert near, f"no box like {sure}"
        best = min(near, key=lambda box: abs(box["detection_confidence"] - sure["detection_confidence"]))
        assert best["detection_confidence"] == pytest.approx(sure["detection_confidence"], abs=0.03)
        if sure["confidence"] >= 0.98:
            assert best["value"] == sure["text"]
            assert best["confidence"] == pytest.approx(sure["confidence"], abs=0.05)
