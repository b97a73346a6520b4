"""`alcove read`: table, JSON, CSV and exit codes, with the demo weights on the sample sheets."""

import csv
import io
import json

from conftest import ROOT

SHEETS = ROOT / "samples/sheets"


def upright(samples: dict[str, dict]) -> str:
    """A clean sheet that the originals read rightly with these weights, so that a wrong reading is ours."""
    originals = json.loads((ROOT / "tests/golden/demo.json").read_text())["sheets"]
    return next(
        name for sheet in originals
        if sheet["firm"] and samples[name := sheet["file"].rpartition("/")[2]]["kind"] in {"clean", "scan"}
        and (sheet["register"], sheet["subject"]) == (samples[name]["register_number"], samples[name]["subject_code"])
    )


def unreadable(samples: dict[str, dict]) -> str:
    return next(name for name, truth in sorted(samples.items()) if truth.get("reason") == "pdf_encrypted")


def test_json_is_one_object_per_file_with_the_contracts_keys(run, models, samples):
    name = upright(samples)
    done = run("read", SHEETS / name, "--models", models, "--precision", "f32", "--format", "json")
    (sheet,) = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert sheet["file"].endswith(name)
    assert sheet["success"] is True
    assert sheet["register_number"] == samples[name]["register_number"]
    assert sheet["subject_code"] == samples[name]["subject_code"]
    best = sheet["register_candidates"][0]
    assert best["value"] == sheet["register_number"] and 0 < best["confidence"] <= 1 and 0.25 < best["detection_confidence"] <= 1
    assert sheet["confidence"] == min(best["confidence"], sheet["subject_candidates"][0]["confidence"])
    assert {model["role"] for model in sheet["models"]} == {"detector", "register_reader", "subject_reader"}
    assert {"decode", "letterbox", "detect", "crop", "read", "total"} <= set(sheet["timings_ms"])


def test_csv_has_a_heading_and_a_row_per_file(run, models, samples):
    name = upright(samples)
    done = run("read", SHEETS / name, "--models", models, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["register_number"] == samples[name]["register_number"]
    assert float(row["register_confidence"]) > 0.5


def test_a_sheet_that_cannot_be_read_is_a_row_with_its_reason_and_exit_code_1(run, models, samples):
    good, bad = upright(samples), unreadable(samples)
    done = run("read", SHEETS / good, SHEETS / bad, "--models", models)
    assert done.returncode == 1
    assert samples[good]["register_number"] in done.stdout
    assert "password" in next(line for line in done.stdout.splitlines() if bad in line)


def test_the_password_opens_an_encrypted_pdf(run, models, samples):
    name = unreadable(samples)
    done = run("read", SHEETS / name, "--models", models, "--format", "json", "--password", samples[name]["password"])
    (sheet,) = json.loads(done.stdout)
    assert sheet["register_number"] == samples[name]["behind_password"]["register_number"]


def test_a_missing_box_is_a_reason_and_needs_attention(run, models, samples):
    name = next(name for name, truth in sorted(samples.items()) if truth.get("reason") == "no_register_box")
    done = run("read", SHEETS / name, "--models", models, "--format", "json")
    (sheet,) = json.loads(done.stdout)
    assert done.returncode == 1
    assert sheet["register_number"] is None and "no_register_box" in sheet["reasons"] and sheet["confidence"] is None


def test_missing_weights_are_named_with_the_way_out(run, tmp_path):
    done = run("read", SHEETS / "x.png", "--models", tmp_path)
    assert done.returncode == 2
    assert "Model weights not found: improved_weights.pt, best_crnn_model(git).pth, best_subject_model_final.pth" in done.stderr
    assert "--models" in done.stderr


def test_a_file_that_is_not_there_is_a_row(run, models):
    done = run("read", "/nowhere/sheet.png", "--models", models)
    assert done.returncode == 1
    assert "No such file" in done.stdout


def test_unknown_flags_are_usage_errors(run):
    assert run("read", "--nonsense").returncode == 2
    assert run().returncode == 2
