#!/usr/bin/env python3
"""What sentence-transformers makes of a few sentences with all-MiniLM-L6-v2: writes minilm.json beside this file.

script/bootstrap --papers && python -m venv V && V/bin/pip install torch sentence-transformers==5.7.0 && V/bin/python minilm.py
"""

from __future__ import annotations

import json
from pathlib import Path

from sentence_transformers import SentenceTransformer

HERE = Path(__file__).resolve().parent
TEXTS = [
    "Attention lets a network weigh every word of a sentence against every other.",
    "convolutional networks for images",
    "A method that learns from few labelled examples by asking a person about the doubtful ones.",
    "Naïve Bayes, θ-estimation and 强化学习: an overview (2nd ed.)",
    "",
    "The optimiser " + "takes a small step against the gradient and " * 60 + "stops.",
    "Who wrote about graph transformers in 2024?",
]


def main() -> None:
    model = SentenceTransformer(str(HERE.parents[1] / ".deps/all-MiniLM-L6-v2"), device="cpu")
    rows = model.encode(TEXTS).astype("float64")
    vectors = [[round(x, 7) for x in row] for row in rows.tolist()]
    (HERE / "minilm.json").write_text(json.dumps({"texts": TEXTS, "vectors": vectors}, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    main()
