"""`alcove model quantize`: a detector in eight bits is kept where it reads as before, and used nowhere else."""

import json
import random
import shutil
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from PIL import Image

sys.path.insert(0, str(ROOT / "train"))
from sheet import make_sheet  # noqa: E402

DEMO = ROOT / "models/demo"
QUANTIZED = "improved_weights.int8.onnx"
SHEETS = 24
SAMPLES = ROOT / "samples/sheets"


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheets")
    for number in range(SHEETS):
        sheet = make_sheet(random.Random(f"quantize/{number}"), "heldout", "clean", dots_per_inch=110)
        sheet.image.save(folder / f"{number:02}.jpg", quality=88)
    return folder


@pytest.fixture(scope="module")
def quantized(run, sheets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("quantized") / "models"
    shutil.copytree(DEMO, models)
    # The demo's weights are unsure enough for eight bits to change an answer now and then.
    done = run("model", "quantize", models, "--sheets", sheets, "--least-alike", "0.75")
    assert done.returncode == 0, done.stderr
    assert f"of {SHEETS // 2} sheets" in done.stdout
    return models


def read(run, models: Path, precision: str) -> list[dict]:
    done = run("read", SAMPLES, "--models", models, "--precision", precision, "--format", "json")
    assert done.returncode <= 1, done.stderr
    return json.loads(done.stdout)


def test_the_same_is_read_with_other_numbers(run, quantized: Path, samples) -> None:
    exact, quick = (read(run, quantized, precision) for precision in ("f32", "int8"))
    texts = [[(sheet.get("register_number"), sheet.get("subject_code")) for sheet in sheets] for sheets in (exact, quick)]
    alike = sum(one == two for one, two in zip(*texts, strict=True))
    # A box that moves by a pixel may turn a doubtful symbol, on one page in twenty.
    assert alike >= 0.9 * len(samples)
    for sheets in (exact, quick):
        [plain] = [sheet for sheet in sheets if sheet["file"].endswith("clean-plain.webp")]
        assert plain["register_number"] == samples["clean-plain.webp"]["register_number"]
        assert plain["subject_code"] == samples["clean-plain.webp"]["subject_code"]
    assert [sheet.get("boxes") for sheet in exact] != [sheet.get("boxes") for sheet in quick]
    assert {model["file"] for sheet in quick for model in sheet.get("models", []) if model["role"] == "detector"} == {QUANTIZED}


def test_the_file_is_smaller_and_sound(run, quantized: Path) -> None:
    assert (quantized / QUANTIZED).stat().st_size < 0.6 * (quantized / "improved_weights.pt").stat().st_size
    assert sorted(path.name for path in quantized.iterdir()) == sorted([*(path.name for path in DEMO.iterdir()), QUANTIZED])
    assert run("model", "verify", quantized / QUANTIZED).returncode == 0


def test_without_the_file_int8_says_how_to_make_it(run) -> None:
    done = run("read", SAMPLES / "clean-band.jpg", "--models", DEMO, "--precision", "int8")
    assert done.returncode != 0 and "alcove model quantize" in done.stderr


def test_other_weights_are_not_read_with_it(run, quantized: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(quantized, models)
    assert run("model", "export", models / "improved_weights.pt", models / "improved_weights.onnx").returncode == 0
    (models / "improved_weights.pt").unlink()
    done = run("read", SAMPLES / "clean-band.jpg", "--models", models, "--precision", "int8")
    assert done.returncode != 0 and "made of other weights" in done.stderr


def test_too_few_sheets_are_refused(run, sheets: Path, tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "models")
    done = run("model", "quantize", tmp_path / "models", "--sheets", sheets / "00.jpg")
    assert done.returncode != 0 and "too few" in done.stderr


def test_what_does_not_read_as_before_is_not_kept(run, sheets: Path, tmp_path: Path) -> None:
    """Every other sheet is for calibration; empty paper teaches nothing."""
    shutil.copytree(DEMO, tmp_path / "models")
    shutil.copytree(sheets, tmp_path / "sheets")
    for path in sorted((tmp_path / "sheets").iterdir())[::2]:
        Image.new("RGB", (600, 800), "white").save(path)
    done = run("model", "quantize", tmp_path / "models", "--sheets", tmp_path / "sheets")
    assert done.returncode != 0 and "are read as before" in done.stderr
    assert not list((tmp_path / "models").glob("*.onnx"))
