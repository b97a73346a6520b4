"""The answer-sheet Space as its original does it: FastAPI, Ultralytics, PyTorch, pdf2image. Written for script/bench, from the contract.

What the original does and Alcove does not is kept where it costs or saves time: every page of a PDF is rendered, nothing is turned or
straightened, RGB arrays are handed to a library that takes them for BGR, each crop runs alone, tensors are f32 with PyTorch's own count
of threads. A plain `def` answers /extract, so that FastAPI runs it on a pool of threads and probes and uploads go on meanwhile.
With ALCOVE_DEVICE=cuda in the environment all networks run on the GPU, in f16.

    python server.py MODELS PORT
"""

import io
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, File, HTTPException, UploadFile
from fastapi.responses import JSONResponse
from pdf2image import convert_from_bytes
from PIL import Image
from torchvision import transforms
from ultralytics import YOLO

from reader import load_reader

DIGITS = "0123456789"
LETTERS = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
EXTENSIONS = {".pdf", ".jpg", ".jpeg", ".png", ".bmp", ".tiff"}
LARGEST = 50 * 1024 * 1024
DPI = 200
LEAST_CONFIDENCE = 0.2
PADDING = 10
ON_GPU = os.environ.get("ALCOVE_DEVICE") == "cuda"
DEVICE, NUMBERS = ("cuda", torch.float16) if ON_GPU else ("cpu", torch.float32)


class Reader:
    def __init__(self, path: Path, alphabet: str, width: int) -> None:
        self.network = load_reader(path).to(DEVICE, NUMBERS)
        self.alphabet = alphabet
        self.prepare = transforms.Compose([transforms.Resize((32, width)), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])

    def read(self, crop: np.ndarray) -> tuple[str, float]:
        grey = Image.fromarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY))
        with torch.no_grad():
            posteriors = self.network(self.prepare(grey).unsqueeze(0).to(DEVICE, NUMBERS)).squeeze(1).float().softmax(1)
        best, labels = posteriors.max(1)
        text, kept, before = "", [], 0
        for value, label in zip(best.tolist(), labels.tolist()):
            if label != 0 and label != before:
                text += self.alphabet[label - 1]
                kept.append(value)
            before = label
        return text, sum(kept) / len(kept) if kept else 0.0


class Models:
    def __init__(self, folder: Path) -> None:
        self.detectors = [YOLO(path) for path in (folder / "improved_weights.pt", folder / "weights.pt") if path.exists()]
        self.readers = {
            "RegisterNumber": Reader(folder / "best_crnn_model(git).pth", DIGITS, 256),
            "SubjectCode": Reader(folder / "best_subject_model_final.pth", LETTERS, 128),
        }

    def boxes(self, page: np.ndarray) -> dict[str, list[tuple[list[int], float]]]:
        found: dict[str, list[tuple[list[int], float]]] = {name: [] for name in self.readers}
        for detector in self.detectors:
            missing = [name for name in found if not found[name]]
            if not missing:
                break
            result = detector(page, verbose=False, device=DEVICE, half=ON_GPU)[0]
            for box in result.boxes:
                name = result.names[int(box.cls[0])]
                if name in missing and float(box.conf[0]) > LEAST_CONFIDENCE:
                    found[name].append(([int(side) for side in box.xyxy[0].tolist()], float(box.conf[0])))
        return found

    def candidates(self, page: np.ndarray) -> dict[str, list[dict]]:
        height, width = page.shape[:2]
        read: dict[str, list[dict]] = {}
        for name, boxes in self.boxes(page).items():
            read[name] = []
            for (left, top, right, bottom), confidence in boxes:
                crop = page[max(0, top - PADDING) : min(height, bottom + PADDING), max(0, left - PADDING) : min(width, right + PADDING)]
                text, certainty = self.readers[name].read(crop)
                read[name].append({"value": text, "confidence": certainty, "detection_confidence": confidence})
        return read


def first_page(content: bytes, extension: str) -> np.ndarray:
    image = convert_from_bytes(content, dpi=DPI)[0] if extension == ".pdf" else Image.open(io.BytesIO(content))
    return np.array(image)


def best_value(candidates: list[dict]) -> str | None:
    return max((each for each in candidates if each["value"]), key=lambda each: each["confidence"], default={"value": None})["value"]


def application(models: Models) -> FastAPI:
    app = FastAPI()

    @app.get("/health")
    def health() -> dict:
        return {"status": "ok", "service": "Answer Sheet ML Inference"}

    @app.get("/status")
    def status() -> dict:
        return {"ready": True, "device": DEVICE, "primary_yolo": True, "register_crnn": True, "subject_crnn": True, "threads": torch.get_num_threads()}

    @app.post("/extract")
    def extract(file: UploadFile = File(...)):
        extension = Path(file.filename or "").suffix.lower()
        if extension not in EXTENSIONS:
            raise HTTPException(400, f"extension {extension!r} is not taken")
        content = file.file.read()
        if len(content) > LARGEST:
            raise HTTPException(413, "file too large")
        try:
            read = models.candidates(first_page(content, extension))
        except (ValueError, OSError) as error:
            return JSONResponse({"success": False, "error": str(error)})
        return {
            "success": True,
            "register_number": best_value(read["RegisterNumber"]), "subject_code": best_value(read["SubjectCode"]),
            "register_candidates": read["RegisterNumber"], "subject_candidates": read["SubjectCode"],
        }

    return app


if __name__ == "__main__":
    uvicorn.run(application(Models(Path(sys.argv[1]))), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", timeout_keep_alive=600)
