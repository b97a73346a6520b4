"""Pages as they are: turned, askew, deep in a document. Each is made from a sample that is read well as it is, so that what is
tested is the way the page lies and not how good the weights are."""

import json
from pathlib import Path

import pytest
from conftest import ROOT
from PIL import Image, ImageFilter

SHEETS = ROOT / "samples/sheets"
GOLDEN = json.loads((ROOT / "tests/golden/demo.json").read_text())["sheets"]


def well_read(run, models: Path, samples: dict[str, dict]) -> list[tuple[Path, dict]]:
    """Still pictures that lie straight, with their readings, the surest first."""
    files = [ROOT / sheet["file"] for sheet in GOLDEN]
    readings = json.loads(run("read", *files, "--models", models, "--format", "json").stdout)
    return sorted(
        ((path, reading) for path, reading in zip(files, readings)
         if samples[path.name]["kind"] in {"clean", "scan"} and reading["orientation"] == 0 and reading["skew"] == 0
         and all(reading[field] == samples[path.name][field] for field in ("register_number", "subject_code"))),
        key=lambda pair: -pair[1]["confidence"])


@pytest.fixture(scope="module")
def upright(run, models, samples) -> tuple[Path, dict]:
    found = well_read(run, models, samples)
    assert found, "no sample is read well enough to turn it"
    return found[0]


def read(run, models: Path, path: Path, *flags: str) -> dict:
    (reading,) = json.loads(run("read", path, "--models", models, "--format", "json", *flags).stdout)
    return reading


def centre(box: dict) -> tuple[float, float]:
    left, top, right, bottom = box["box"]
    return (left + right) / 2, (top + bottom) / 2


def best_box(reading: dict, field: str) -> dict:
    return next(box for box in reading["boxes"] if box["field"] == field)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_page_is_read_as_the_upright_one(run, models, upright, tmp_path, degrees):
    path, before = upright
    turned = tmp_path / "turned.png"
    Image.open(path).convert("RGB").rotate(degrees, expand=True).save(turned)  # counter-clockwise
    reading = read(run, models, turned)
    assert reading["orientation"] == degrees
    assert (reading["register_number"], reading["subject_code"]) == (before["register_number"], before["subject_code"])
    assert reading["page"] == before["page"], "width and height are the upright page's"
    for field in ("register_number", "subject_code"):
        assert centre(best_box(reading, field)) == pytest.approx(centre(best_box(before, field)), abs=2)
    assert "turned" in reading["reasons"]
    (advice,) = [entry["message"] for entry in reading["advice"] if entry["code"] == "turned"]
    assert str(degrees) in advice


@pytest.mark.parametrize("degrees", [-9, -5, 4, 10])
def test_a_page_askew_is_levelled(run, models, upright, tmp_path, degrees):
    path, before = upright
    askew = tmp_path / "askew.png"
    Image.open(path).convert("RGB").rotate(degrees, Image.BICUBIC, expand=True, fillcolor="white").save(askew)
    reading = read(run, models, askew)
    assert reading["orientation"] == 0
    assert reading["skew"] == pytest.approx(degrees, abs=0.6)
    assert "straightened" in reading["reasons"]
    for field in ("register_number", "subject_code"):
        (left, top, right, bottom), (x0, y0, x1, y1) = (best_box(each, field)["box"] for each in (reading, before))
        assert right - left == pytest.approx(x1 - x0, rel=0.15), "as wide and as high as on the straight page: it lies level"
        # Three degrees off, it would be higher by a twentieth of its width.
        assert bottom - top == pytest.approx(y1 - y0, abs=0.05 * (x1 - x0))


def test_as_is_leaves_a_page_as_it_lies(run, models, upright, tmp_path):
    path, before = upright
    turned = tmp_path / "turned.png"
    Image.open(path).convert("RGB").rotate(90, expand=True).save(turned)
    reading = read(run, models, turned, "--as-is")
    assert (reading["orientation"], reading["skew"]) == (0, 0)
    assert reading["page"]["width"] == before["page"]["height"]


def test_the_cover_is_found_behind_other_pages(run, models, upright, tmp_path):
    path, before = upright
    cover = Image.open(path).convert("RGB")
    empty = Image.new("RGB", cover.size, "white")
    document = tmp_path / "document.tiff"
    empty.save(document, "TIFF", compression="tiff_lzw", save_all=True, append_images=[empty, cover, empty])
    reading = read(run, models, document)
    assert (reading["page"]["number"], reading["page"]["of"]) == (3, 4)
    assert [look["number"] for look in reading["pages"]] == [1, 2, 3], "no page behind the cover is opened"
    assert reading["register_number"] == before["register_number"] and "later_page" in reading["reasons"]
    first = read(run, models, document, "--page", "1")
    assert first["register_number"] is None and first["page"]["number"] == 1


def test_a_box_of_few_pixels_says_how_few(run, models, upright, tmp_path):
    path, _ = upright
    small = tmp_path / "small.png"
    page = Image.open(path).convert("RGB")
    page.resize((page.width * 420 // page.height, 420), Image.LANCZOS).save(small)
    reading = read(run, models, small)
    boxes = [box for box in reading["boxes"] if box["height"] < 30]
    assert boxes and "small_box" in reading["reasons"]
    (advice,) = [entry["message"] for entry in reading["advice"] if entry["code"] == "small_box"]
    assert advice.startswith("Retake") and " px high" in advice


def test_a_blurred_page_is_called_blurred(run, models, upright, tmp_path):
    path, before = upright
    soft = tmp_path / "soft.png"
    Image.open(path).convert("RGB").filter(ImageFilter.GaussianBlur(4)).save(soft)
    reading = read(run, models, soft)
    for field in ("register_number", "subject_code"):
        found = [box for box in reading["boxes"] if box["field"] == field]
        assert not found or found[0]["sharpness"] < best_box(before, field)["sharpness"] / 2
    assert set(reading["reasons"]) & {"blurred", "no_register_box", "no_subject_box"}
