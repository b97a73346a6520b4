"""Makes every file here with the originals' own packages: python make.py [PART …]; without parts, all of them.

Parts: pages, letterbox, detectors, readers, crops, pictures, tensors, refusals. cases.json is put together from what
each part says, so a part can be remade alone.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

if os.environ.get("PYTHONHASHSEED") != "0":  # the exporter walks sets
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})

os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.mkdtemp())
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors.numpy import load_file, save_file  # noqa: E402
from ultralytics import YOLO  # noqa: E402
from ultralytics.data.augment import LetterBox  # noqa: E402
from ultralytics.nn.tasks import load_checkpoint  # noqa: E402

import crnn  # noqa: E402
import crops as crop_stage  # noqa: E402
import detection  # noqa: E402
import detectors  # noqa: E402
import firmness  # noqa: E402
import pages as page_stage  # noqa: E402
import pictures  # noqa: E402
import readers  # noqa: E402
import refusals  # noqa: E402
import saving  # noqa: E402
import tensors  # noqa: E402

HERE = Path(__file__).resolve().parent
Record = dict[str, Any]

TOLERANCES: Record = {
    "letterbox_shrink": {"max_abs": 0, "share_differing": 0.0},
    "letterbox_enlarge": {"max_abs": 1, "share_differing": 0.001},
    "output0": {"relative": 1e-3, "absolute_box": 2e-2, "absolute_score": 1e-4},
    "boxes": {"absolute_px": 0.5, "absolute_confidence": 1e-3},
    "crop": {"absolute": 1 / 255},
    "logits": {"absolute": 1e-3},
    "confidence": {"absolute": 1e-3},
}


def pages() -> dict[str, Image.Image]:
    return {spec.name: Image.open(HERE / "pages" / f"{spec.name}.png").convert("RGB") for spec in page_stage.PAGES}


def letterboxed(image: Image.Image) -> pictures.Pixels:
    """RGB in, RGB out; the resampling does not mix channels."""
    return LetterBox((640, 640), auto=True, stride=32)(image=np.asarray(image))


def make_pages() -> Record:
    page_stage.write_pages(HERE / "pages")
    return {
        "pages": [
            {"name": spec.name, "file": f"pages/{spec.name}.png", "width": spec.width, "height": spec.height}
            for spec in page_stage.PAGES
        ]
    }


ODD_SIZES = {
    "exact": (480, 640),
    "tall": (61, 900),
    "wide": (1500, 33),
    "just_larger": (487, 641),
    "just_smaller": (479, 639),
}


def make_letterbox() -> Record:
    (HERE / "letterbox").mkdir(exist_ok=True)
    records = []
    for spec in page_stage.PAGES:
        Image.fromarray(letterboxed(pages()[spec.name])).save(HERE / "letterbox" / f"{spec.name}.png", optimize=True)
        records.append(
            {
                "name": spec.name,
                "source": f"pages/{spec.name}.png",
                "expected": f"letterbox/{spec.name}.png",
                "relation": spec.relation,
            }
        )
    mosaic = pages()["landscape"].resize((1500, 900), Image.Resampling.NEAREST)
    for name, (width, height) in ODD_SIZES.items():
        source = mosaic.crop((0, 0, width, height))
        source.save(HERE / "letterbox" / f"{name}.source.png", optimize=True)
        Image.fromarray(letterboxed(source)).save(HERE / "letterbox" / f"{name}.png", optimize=True)
        relation = "enlarge" if max(width, height) < 640 else "shrink"
        records.append(
            {
                "name": name,
                "source": f"letterbox/{name}.source.png",
                "expected": f"letterbox/{name}.png",
                "relation": relation,
            }
        )
    return {"letterbox": records}


def calibration_samples() -> dict[str, torch.Tensor]:
    samples = {}
    for name, page in pages().items():
        samples[name] = torch.from_numpy(letterboxed(page)).permute(2, 0, 1)[None].float() / 255
    samples["a4:swap"] = samples["a4"].flip(1)
    return samples


def save_detector(spec: detectors.DetectorSpec, model: Any, path: Path) -> None:
    if spec.saved == "full":
        saving.save_full(model, detectors.disturbed(model), path)
    else:
        {"stripped": saving.save_stripped, "trainer": saving.save_by_trainer, "old_names": saving.save_old_names}[
            spec.saved
        ](model, path)


def pin_cases(name: str, weights: Path, cases: tuple[str, ...]) -> list[Record]:
    """Runs Ultralytics on each case and stores the stages; NotFirm when rounding could change an outcome."""
    records = []
    for case in cases:
        page, _, swap = case.partition(":")
        found = detection.detect(YOLO(weights, task="detect"), pages()[page], bool(swap))
        firm = firmness.judge(found.output0)
        assert firm.boxes == len(found.boxes), "our account of the suppression differs from Ultralytics'"
        if not firm.firm():
            raise detectors.NotFirm(f"{name} on {case}: {firm}")
        if not swap:
            assert np.array_equal(found.letterbox, letterboxed(pages()[page]))
        file = f"detectors/{name}.{case.replace(':', '_')}.safetensors"
        save_file({"output0": found.output0, "boxes": found.boxes}, HERE / file)
        margins = {key: float(f"{value:.3g}") for key, value in asdict(firm).items()}
        records.append(
            {
                "page": page,
                "letterbox": f"letterbox/{page}.png",
                "channel_swap": bool(swap),
                "expected": file,
                "margins": margins,
            }
        )
    return records


def make_detector(spec: detectors.DetectorSpec, samples: dict[str, torch.Tensor]) -> Record:
    path = HERE / "detectors" / f"{spec.name}.pt"
    for seed in range(spec.seed, spec.seed + 40):
        try:
            model = detectors.build(spec, seed, samples)
            save_detector(spec, model, path)
            cases = pin_cases(spec.name, path, spec.cases)
            break
        except detectors.NotFirm as reason:
            print(f"  {spec.name}, seed {seed}: {reason}", flush=True)
    else:
        raise AssertionError(f"no firm seed for {spec.name}")
    loaded, _ = load_checkpoint(path)
    wanted = model.state_dict()
    assert all(torch.equal(tensor, wanted[name].to(tensor.dtype)) for name, tensor in loaded.state_dict().items())
    return {
        "name": spec.name,
        "weights": f"detectors/{spec.name}.pt",
        "saved": spec.saved,
        "stored": "F16" if spec.half else "F32",
        "labels": list(spec.labels),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seed": seed,
        "cases": cases,
    }


def make_detectors() -> Record:
    (HERE / "detectors").mkdir(exist_ok=True)
    samples = calibration_samples()
    records = [make_detector(spec, samples) for spec in detectors.DETECTORS]
    records.append(make_onnx("yolov5nu", next(record["cases"] for record in records if record["name"] == "yolov5nu")))
    return {"detectors": records}


def make_onnx(source: str, cases: list[Record]) -> Record:
    name = f"{source}_onnx"
    destination = HERE / "detectors" / f"{name}.onnx"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{source}.pt"
        copy.write_bytes((HERE / "detectors" / f"{source}.pt").read_bytes())
        saving.export_onnx(copy, destination)
    spec = next(spec for spec in detectors.DETECTORS if spec.name == source)
    for record in cases:  # the same expectations hold; Ultralytics on the exported file agrees far inside them
        found = detection.detect(YOLO(destination, task="detect"), pages()[record["page"]], record["channel_swap"])
        wanted = load_file(HERE / record["expected"])
        np.testing.assert_allclose(found.output0, wanted["output0"], rtol=2e-4, atol=2e-3)
        np.testing.assert_allclose(found.boxes, wanted["boxes"], rtol=2e-4, atol=2e-3)
    return {
        "name": name,
        "weights": f"detectors/{name}.onnx",
        "saved": "onnx",
        "stored": "F32",
        "labels": list(spec.labels),
        "cases": cases,
    }


def crop_inputs(spec: readers.ReaderSpec) -> list[torch.Tensor]:
    return [torch.from_numpy(crop_stage.crop_tensor(pages()[crop.page], crop))[None] for crop in spec.pinned()]


def make_crops() -> Record:
    (HERE / "crops").mkdir(exist_ok=True)
    found: dict[str, np.ndarray] = {}
    records = []
    swapped = crop_stage.CROPS[0]
    for spec, swap in [(spec, False) for spec in crop_stage.CROPS] + [(swapped, True)]:
        page = pages()[spec.page]
        key = f"{spec.name}_swap" if swap else spec.name
        found[key] = crop_stage.crop_tensor(page, spec, swap)
        whole = list(crop_stage.padded(spec.box, page.width, page.height))
        records.append(
            {
                "name": key,
                "page": spec.page,
                "field": spec.field,
                "box": list(spec.box),
                "padded": whole,
                "channel_swap": swap,
                "key": key,
            }
        )
    save_file(found, HERE / "crops" / "crops.safetensors")
    return {"crops": {"expected": "crops/crops.safetensors", "cases": records}}


def firm_reader(spec: readers.ReaderSpec, inputs: list[torch.Tensor], path: Path) -> tuple[crnn.Crnn, int]:
    """Counts seeds up until every step's choice is clear by 0.01 and no text is empty; the file is written by then."""
    by_page = {page.name: page for page in page_stage.PAGES}
    texts = [
        by_page[crop.page].register if spec.field == "register" else by_page[crop.page].subject
        for crop in spec.pinned()
    ]
    for seed in range(spec.seed, spec.seed + 1000, 100):
        model = readers.build(spec, seed, inputs, texts)
        readers.save(spec, model, path)
        loaded = readers.load(spec, path)
        with torch.no_grad():
            read = [crnn.read_greedy(loaded(image)[:, 0], spec.alphabet) for image in inputs]
            assert all(torch.equal(loaded(image), model(image)) for image in inputs)
        if all(reading.text and reading.margin >= 1e-2 for reading in read):
            return loaded, seed
    raise AssertionError(f"no firm seed for {spec.name}")


def make_readers() -> Record:
    (HERE / "readers").mkdir(exist_ok=True)
    records = []
    for spec in readers.READERS:
        path = HERE / "readers" / f"{spec.name}{spec.suffix}"
        inputs = crop_inputs(spec)
        model, seed = firm_reader(spec, inputs, path)
        logits, cases = {}, []
        for crop, image in zip(spec.pinned(), inputs):
            with torch.no_grad():
                logits[crop.name] = np.ascontiguousarray(model(image)[:, 0].numpy())
            reading = crnn.read_greedy(torch.from_numpy(logits[crop.name]), spec.alphabet)
            cases.append({"crop": crop.name, "key": crop.name, **asdict(reading)})
        save_file(logits, HERE / "readers" / f"{spec.name}.logits.safetensors")
        records.append(
            {
                "name": spec.name,
                "weights": f"readers/{path.name}",
                "saved": spec.saved,
                "stored": "F16" if spec.half else "F32",
                "field": spec.field,
                "alphabet": spec.alphabet,
                "classes": spec.shape.classes,
                "channels": list(spec.shape.channels),
                "hidden": spec.shape.hidden,
                "layers": spec.shape.layers,
                "conv_bias": spec.shape.conv_bias,
                "seed": seed,
                "expected": f"readers/{spec.name}.logits.safetensors",
                "cases": cases,
            }
        )
    return {"readers": records}


def make_pictures() -> Record:
    found = pictures.write_pictures(HERE / "images")
    save_file(
        {name: np.ascontiguousarray(picture.pixels) for name, picture in found.items()},
        HERE / "images" / "expected.safetensors",
    )
    save_file(pictures.resizes(), HERE / "images" / "resizes.safetensors")
    records = [{"file": f"images/{name}", "key": name, "max_abs": picture.tolerance} for name, picture in found.items()]
    names = [
        {"name": spec.name, "source": f"{spec.name}.source", "expected": f"{spec.name}.expected"}
        for spec in pictures.RESIZES
    ]
    return {
        "images": {"expected": "images/expected.safetensors", "cases": records},
        "resizes": {"expected": "images/resizes.safetensors", "cases": names},
    }


def make_tensors() -> Record:
    tensors.write_tensors(HERE / "tensors")
    pairs = {
        "types.safetensors": "types",
        "types.pth": "types",
        "types_legacy.pth": "types",
        "views.pth": "views",
        "views_legacy.pth": "views",
        "metadata.pth": "metadata",
        "metadata_legacy.pth": "metadata",
    }
    return {
        "tensors": [
            {
                "file": f"tensors/{name}",
                "expected": f"tensors/{kind}_expected.safetensors",
                "under": "state" if kind == "metadata" else "",
            }
            for name, kind in pairs.items()
        ]
    }


def make_refusals() -> Record:
    refusals.write_refusals(HERE / "refusals")
    records = [{"file": f"refusals/{spec.name}", "why": spec.why} for spec in refusals.REFUSALS]
    return {"refusals": records + [{"file": "refusals/yolov5_repository.pt", "why": "yolov5"}]}


PARTS: dict[str, Callable[[], Record]] = {
    "pages": make_pages,
    "letterbox": make_letterbox,
    "detectors": make_detectors,
    "crops": make_crops,
    "readers": make_readers,
    "pictures": make_pictures,
    "tensors": make_tensors,
    "refusals": make_refusals,
}


def main(chosen: list[str]) -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    logging.getLogger("ultralytics").setLevel(logging.ERROR)
    index = HERE / "cases.json"
    os.chdir(tempfile.mkdtemp())  # Ultralytics leaves folders where it runs
    cases: Record = json.loads(index.read_text()) if index.exists() else {}
    cases["tolerances"] = TOLERANCES
    for part in chosen or list(PARTS):
        cases.update(PARTS[part]())
        print(f"{part}: done", flush=True)
    for file in HERE.rglob("*.safetensors"):
        file.chmod(0o644)
    index.write_text(json.dumps(dict(sorted(cases.items())), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
