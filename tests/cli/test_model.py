"""`alcove model`: inspect, verify, export and prepare; weight files that are not weights."""

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from conftest import ROOT

DEMO = ROOT / "models/demo"
DETECTOR, REGISTER, SUBJECT = "improved_weights.pt", "best_crnn_model(git).pth", "best_subject_model_final.pth"


def test_inspect_says_what_a_file_is(run):
    facts = json.loads(run("model", "inspect", DEMO / DETECTOR, "--format", "json").stdout)
    assert facts["kind"] == "torch archive"
    assert facts["classes"] == ["RegisterNumber", "SubjectCode"]
    assert facts["bytes"] == (DEMO / DETECTOR).stat().st_size
    assert facts["precision"] == "F16"
    facts = json.loads(run("model", "inspect", DEMO / SUBJECT, "--format", "json").stdout)
    assert (facts["classes"], facts["alphabet"]) == (37, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.mark.parametrize("name", [DETECTOR, REGISTER, SUBJECT])
def test_verify_runs_a_known_input(run, name):
    done = run("model", "verify", DEMO / name)
    assert done.returncode == 0, done.stderr
    assert "accepted by the ONNX checker" in done.stdout and "finite outputs" in done.stdout


@pytest.mark.parametrize("name", [DETECTOR, REGISTER])
def test_verify_compares_the_engines(run, name):
    done = run("model", "verify", DEMO / name, "--engines")
    assert done.returncode == 0, done.stderr
    assert "OpenVINO" in done.stdout and "ONNX Runtime" in done.stdout and " differs by " in done.stdout


def test_verify_takes_a_folder_of_the_bert_family(run):
    folder = ROOT / "tests/golden/bert/sentences_mean"
    done = run("model", "verify", folder, "--engines")
    assert done.returncode == 0, done.stderr
    assert "finite outputs" in done.stdout and "sentence_embedding differs by " in done.stdout


def test_both_engines_read_a_sheet_alike(run, samples):
    name = next(name for name, truth in sorted(samples.items()) if truth["kind"] == "clean" and not truth.get("reason"))
    readings = []
    for engine in ("openvino", "onnxruntime"):
        done = run("read", ROOT / "samples/sheets" / name, "--models", DEMO, "--precision", "f32", "--engine", engine, "--device", "cpu", "--format", "json")
        (sheet,) = json.loads(done.stdout)
        readings.append((sheet["register_number"], sheet["subject_code"], [np.round(box["box"]).tolist() for box in sheet["boxes"]]))
    assert readings[0] == readings[1]


def test_cuda_asked_for_in_vain_reads_on_the_cpu_and_says_why(run, samples):
    if Path("/dev/nvidiactl").exists():
        pytest.skip("there is an NVIDIA device")
    name = "clean-band.jpg"
    done = run("read", ROOT / "samples/sheets" / name, "--models", DEMO, "--device", "cuda", "--format", "json")
    assert json.loads(done.stdout)[0]["register_number"] == samples[name]["register_number"]
    assert "no NVIDIA device: /dev/nvidiactl is not there" in done.stderr
    refused = run("read", ROOT / "samples/sheets" / name, "--models", DEMO, "--device", "cuda", "--engine", "openvino")
    assert refused.returncode == 2 and "CUDA goes with onnxruntime" in refused.stderr


def test_an_exported_detector_gives_the_same_boxes_through_alcove(run, models, samples, tmp_path):
    """An exported folder is a models folder: the same sheet, the same reading, to the last digit that is printed."""
    for name in (DETECTOR, REGISTER, SUBJECT):
        done = run("model", "export", DEMO / name, tmp_path / Path(name).with_suffix(".onnx").name)
        assert done.returncode == 0, done.stderr
    name = next(name for name, truth in sorted(samples.items()) if truth["kind"] == "clean" and not truth.get("reason"))
    readings = []
    for folder in (DEMO, tmp_path):
        (sheet,) = json.loads(run("read", ROOT / "samples/sheets" / name, "--models", folder, "--format", "json").stdout)
        readings.append([(box["label"], np.round(box["box"], 1).tolist()) for box in sheet["boxes"]] + [sheet["register_number"], sheet["subject_code"]])
    assert readings[0] == readings[1] and readings[0][-2]


def test_an_exported_reader_runs_in_onnx_runtime(run, tmp_path):
    target = tmp_path / "reader.onnx"
    run("model", "export", DEMO / REGISTER, target)
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    for batch, width in ((1, 256), (3, 128)):
        (logits,) = session.run(["logits"], {"images": np.zeros((batch, 1, 32, width), np.float32)})
        assert logits.shape == (width // 4, batch, 11)
    assert session.get_modelmeta().custom_metadata_map["alphabet"] == "0123456789"


def test_prepare_leaves_compiled_models_and_the_next_start_takes_them(run, models, tmp_path):
    done = run("model", "prepare", models, "--cache", tmp_path)
    assert done.returncode == 0, done.stderr
    blobs = sorted(tmp_path.glob("*"))
    assert len(blobs) >= 3
    stamps = [blob.stat().st_mtime_ns for blob in blobs]
    again = run("model", "prepare", models, "--cache", tmp_path)
    assert again.returncode == 0
    assert [blob.stat().st_mtime_ns for blob in sorted(tmp_path.glob("*"))] == stamps


class Command:
    """Pickled, it asks whoever loads it to run a command that leaves a file behind."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        import os

        return os.system, (self.command,)


def archive(path: Path, pickled: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        out.writestr("archive/data.pkl", pickled)
        out.writestr("archive/version", "3\n")
    return path


def test_a_pickle_that_would_run_a_command_is_refused_and_runs_nothing(run, tmp_path):
    mark = tmp_path / "was-here"
    path = archive(tmp_path / "evil.pt", pickle.dumps({"model": Command(f"touch {mark}")}, protocol=2))
    done = run("model", "inspect", path)
    assert done.returncode == 1
    assert "posix.system" in done.stderr
    assert not mark.exists()


LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 6543210\n"

NOT_WEIGHTS = {
    "empty": (b"", "is empty"),
    "lfs": (LFS_POINTER.encode(), "git lfs pull"),
    "html": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "text": (b"hello, these are no weights at all", "neither a torch file"),
    "cut": ((DEMO / DETECTOR).read_bytes()[:100_000] if (DEMO / DETECTOR).exists() else b"", "cut short"),
}


@pytest.mark.parametrize("case", NOT_WEIGHTS)
def test_what_is_not_weights_gets_a_sentence_of_its_own(run, tmp_path, case):
    content, word = NOT_WEIGHTS[case]
    path = tmp_path / "improved_weights.pt"
    path.write_bytes(content)
    done = run("model", "inspect", path)
    assert done.returncode == 1
    assert "improved_weights.pt" in done.stderr and word in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1, "one sentence"


def test_swapped_files_are_told_apart(run, models, tmp_path):
    shutil.copy(DEMO / REGISTER, tmp_path / DETECTOR)
    shutil.copy(DEMO / DETECTOR, tmp_path / REGISTER)
    shutil.copy(DEMO / SUBJECT, tmp_path / SUBJECT)
    done = run("read", ROOT / "samples/sheets", "--models", tmp_path)
    assert done.returncode != 0
    assert "is not a detector" in done.stderr


def test_a_file_that_is_not_there_is_a_usage_error(run):
    done = run("model", "inspect", "/nowhere/weights.pt")
    assert done.returncode == 2
    assert "/nowhere/weights.pt" in done.stderr
