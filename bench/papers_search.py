#!/usr/bin/env python3
"""How long searching takes, and whether it finds what it should.

Vectors: 5,275 and 64,000 rows of 768 numbers in clusters as papers' vectors lie, the same rows and queries for Alcove and, with --chroma, for
Chroma in its own process of Python; recall of the nearest ten is against comparing all rows in double precision. Papers: whole searches, by
words, by meaning and by both, with filters and counts, over made-up collections of the same sizes (tools/make_papers.py).
One thread. Needs numpy (script/bootstrap --test); --chroma makes a virtual environment of its own in .deps/chroma, 400 MB, the first time.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("ALCOVE_SEARCH_BENCH", ROOT / "build/release/alcove_search_bench"))
CHROMA = ROOT / ".deps/chroma"
WIDTH, QUERIES = 768, 300

CHROMA_SCRIPT = """
import json, sys, time
import numpy as np, chromadb
rows = np.fromfile(sys.argv[1], dtype=np.float32).reshape(-1, {width})
queries = np.fromfile(sys.argv[2], dtype=np.float32).reshape(-1, {width})
client = chromadb.PersistentClient(path=sys.argv[3], settings=chromadb.Settings(anonymized_telemetry=False))
papers = client.create_collection("papers", embedding_function=None, configuration={{"hnsw": {{"space": "cosine"}}}})
for first in range(0, len(rows), 5000):
    papers.add(ids=[str(i) for i in range(first, min(first + 5000, len(rows)))], embeddings=rows[first:first + 5000])
times, found = [], []
for query in np.concatenate([queries[:20], queries]):
    start = time.perf_counter()
    got = papers.query(query_embeddings=[query], n_results=10, include=["distances"])
    times.append((time.perf_counter() - start) * 1e6)
    found.append([int(i) for i in got["ids"][0]])
print(json.dumps({{"microseconds": times[20:], "found": found[20:], "version": chromadb.__version__}}))
"""


def make_vectors(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around 60 centres, queries beside some of the rows: cosines of 0.3 to 0.9, as models of text give them."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(60, WIDTH))
    vectors = centres[random.integers(60, size=rows)] + 1.2 * random.normal(size=(rows, WIDTH))
    queries = vectors[random.integers(rows, size=QUERIES)] + 0.8 * random.normal(size=(QUERIES, WIDTH))
    unit = lambda matrix: (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)  # noqa: E731
    return unit(vectors), unit(queries)


def recall(found: list[list[int]], vectors: np.ndarray, queries: np.ndarray, share: int) -> float:
    """The share of the true nearest ten that was found; rows as near as the tenth count as true."""
    allowed = np.arange(len(vectors)) % 100 < share
    hits = 0.0
    for rows, query in zip(found, queries, strict=True):
        cosines = np.where(allowed, vectors.astype(np.float64) @ query.astype(np.float64), -2)
        tenth = np.partition(cosines, -10)[-10]
        hits += sum(cosines[row] >= tenth - 1e-6 for row in rows) / 10
    return hits / len(queries)


def times(microseconds: list[float]) -> dict[str, float]:
    return {"p50_ms": float(np.percentile(microseconds, 50)) / 1e3, "p99_ms": float(np.percentile(microseconds, 99)) / 1e3,
            "mean_ms": float(np.mean(microseconds)) / 1e3}


def run(*command: object) -> dict:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def show(what: str, figures: dict[str, float], rest: str = "") -> None:
    print(f"{what:42} p50 {figures['p50_ms']:8.3f} ms   p99 {figures['p99_ms']:8.3f} ms   {rest}", flush=True)


def bench_vectors(rows: int, work: Path, options: argparse.Namespace) -> dict:
    vectors, queries = make_vectors(rows, rows)
    vectors.tofile(work / "rows.f32")
    queries.tofile(work / "queries.f32")
    result = {}
    for share in (100, 10):
        ours = run(PROGRAM, "vectors", work / "rows.f32", WIDTH, work / "queries.f32", share)
        figures = times(ours["microseconds"]) | {"recall": recall(ours["found"], vectors, queries, share)}
        name = f"{rows} vectors" + ("" if share == 100 else f", {share} % let through")
        show(name, figures, f"recall {figures['recall']:.4f}  {ours['instructions']}")
        result[f"share_{share}"] = figures
    if options.chroma:
        theirs = run(CHROMA / "bin/python", "-c", CHROMA_SCRIPT.format(width=WIDTH), work / "rows.f32",
                     work / "queries.f32", work / f"chroma{rows}")
        figures = times(theirs["microseconds"]) | {"recall": recall(theirs["found"], vectors, queries, 100)}
        ratio = figures["mean_ms"] / result["share_100"]["mean_ms"]
        show(f"{rows} vectors, Chroma {theirs['version']}", figures, f"recall {figures['recall']:.4f}  Alcove answers {ratio:.1f} times as many")
        result["chroma"] = figures | {"ratio": ratio}
    return result


def bench_papers(rows: int, work: Path) -> dict:
    with (work / "papers.jsonl").open("w") as file:
        subprocess.run([sys.executable, ROOT / "tools/make_papers.py", str(rows)], stdout=file, check=True)
    ours = run(PROGRAM, "papers", work / "papers.jsonl", work / f"index{rows}")
    print(f"{rows} papers: index of {ours['index_bytes'] / 1e6:.1f} MB, made in {ours['import_seconds']:.1f} s without a model, "
          f"loaded in {ours['load_seconds']:.2f} s")
    searches = {name: times(each) for name, each in ours["microseconds"].items()}
    for name, figures in searches.items():
        show(f"  {name}", figures)
    return {key: ours[key] for key in ("index_bytes", "import_seconds", "load_seconds")} | {"searches": searches}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5275, 64000])
    parser.add_argument("--chroma", action="store_true", help="measure Chroma too, which script/bootstrap --chroma installs")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    figures = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "when": time.strftime("%F %T"), "sizes": {}}
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.sizes:
            figures["sizes"][rows] = {"vectors": bench_vectors(rows, Path(folder), options), "papers": bench_papers(rows, Path(folder))}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
