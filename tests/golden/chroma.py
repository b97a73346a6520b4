#!/usr/bin/env python3
"""Writes chroma.zip: folders as Chroma's PersistentClient leaves them, and what its own `get` says of them.

    python -m venv /tmp/chroma && /tmp/chroma/bin/pip install chromadb==1.5.9 && /tmp/chroma/bin/python tests/golden/chroma.py
"""

import json
import random
import tempfile
import zipfile
from pathlib import Path

import chromadb

HERE = Path(__file__).resolve().parent
WIDTH = 4


def vector(random_: random.Random) -> list[float]:
    return [round(random_.uniform(-1, 1), 3) for _ in range(WIDTH)]


def write(folder: Path, count: int, space: str) -> dict:
    """As many papers as asked for, then some changed, some deleted, some added again."""
    random_ = random.Random(count)
    client = chromadb.PersistentClient(path=str(folder), settings=chromadb.Settings(anonymized_telemetry=False))
    papers = client.create_collection("papers", embedding_function=None, configuration={"hnsw": {"space": space}})
    for first in range(0, count, 300):
        ids = range(first, min(first + 300, count))
        papers.add(
            ids=[f"p{i}" for i in ids], embeddings=[vector(random_) for _ in ids],
            documents=[f"Paper {i} About {'words' if i % 2 else 'graphs'}." for i in ids],
            metadatas=[{"title": f"Paper {i}", "authors": "Ann A, Bo B", "year": 2000 + i % 20, "score": i / 4} for i in ids])
    papers.update(ids=["p1"], embeddings=[[1, 2, 3, 4]])
    papers.update(ids=["p2"], embeddings=[[2, 2, 1, 1]], metadatas=[{"title": "Renamed"}], documents=["Another text."])
    papers.delete(ids=["p3", "p4"])
    papers.upsert(ids=["p4"], embeddings=[[4, 3, 2, 1]], documents=["Back again."], metadatas=[{"title": "Paper 4"}])
    got = papers.get(include=["embeddings", "documents", "metadatas"])
    return {"ids": got["ids"], "documents": got["documents"], "titles": [each["title"] for each in got["metadatas"]],
            "vectors": [[round(float(x), 4) for x in each] for each in got["embeddings"]]}


with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(HERE / "chroma.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, count, space in (("small", 12, "l2"), ("large", 1_100, "cosine")):
        expected = write(Path(work) / name, count, space)
        archive.writestr(f"{name}.json", json.dumps(expected, separators=(",", ":")))
        for path in sorted((Path(work) / name).rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(work).as_posix())
