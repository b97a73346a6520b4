#!/usr/bin/env python3
"""Whether the paper somebody has in mind is found: known-item queries by words, by meaning, and by both.

Queries are made of the sample papers: a few words of the title, the title with typing errors, a sentence that says in other words what
the paper does (bench/paraphrases.json), an author's name with a keyword. They are asked of the samples alone and of larger made-up
collections that hold them (tools/make_papers.py). Needs a model: --model, else all-MiniLM-L6-v2 as script/bootstrap --papers fetches it.
"""

import argparse
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("ALCOVE_SEARCH_BENCH", ROOT / "build/release/alcove_search_bench"))
ALCOVE = Path(os.environ.get("ALCOVE_BINARY", ROOT / "build/release/alcove"))
SAMPLES = ROOT / "samples/papers/papers.jsonl"
SMALL = set("a an and are as at by for from how in into is of on or the through to using via why with".split())
MODES = ("words", "meaning", "both")


def title_words(title: str, choose: random.Random) -> str:
    words = [word for word in re.findall(r"[\w-]+", title) if word.lower() not in SMALL]
    kept = sorted(choose.sample(range(len(words)), min(5, len(words))))
    return " ".join(words[i].lower() for i in kept)


def misspelt(title: str, choose: random.Random) -> str:
    """Two words, or the only long one, get a letter swapped, dropped, doubled or replaced."""
    words = title.split()
    long = [i for i, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    for i in choose.sample(long, min(2, len(long))):
        word, at = words[i], choose.randrange(1, len(words[i]) - 1)
        words[i] = choose.choice([
            word[:at] + word[at + 1] + word[at] + word[at + 2:], word[:at] + word[at + 1:],
            word[:at] + word[at] + word[at:], word[:at] + choose.choice("etaoin") + word[at + 1:]])
    return " ".join(words)


def make_queries() -> list[dict]:
    choose = random.Random(7)
    samples = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    queries = []
    for paper in samples:
        queries.append({"group": "title words", "paper": paper["id"], "query": title_words(paper["title"], choose)})
        queries.append({"group": "misspelt title", "paper": paper["id"], "query": misspelt(paper["title"], choose)})
        author = choose.choice(paper["authors"][:3]).split()[-1]
        queries.append({"group": "author + topic", "paper": paper["id"], "query": f"{author} {' '.join(paper['keywords'][:2])}"})
    for paper, sentence in json.loads((ROOT / "bench/paraphrases.json").read_text()).items():
        queries.append({"group": "other words", "paper": paper, "query": sentence})
    return queries


def figures(ranks: list[int]) -> dict[str, float]:
    """Rank 0 is not found. With one paper meant, nDCG is the discount of its rank."""
    count = len(ranks)
    return {"recall@1": sum(rank == 1 for rank in ranks) / count, "recall@10": sum(0 < rank <= 10 for rank in ranks) / count,
            "MRR": sum(1 / rank for rank in ranks if rank) / count,
            "nDCG@10": sum(1 / math.log2(1 + rank) for rank in ranks if 0 < rank <= 10) / count}


def measure(size: int, work: Path, queries: Path, options: argparse.Namespace) -> dict:
    papers, index = work / f"papers{size}.jsonl", work / f"index{size}"
    with papers.open("w") as file:
        subprocess.run([sys.executable, ROOT / "tools/make_papers.py", str(size), "--with-samples"], stdout=file, check=True)
    subprocess.run([ALCOVE, "papers", "import", papers, "--data", index, "--model", options.model], check=True)
    done = subprocess.run([PROGRAM, "quality", index, options.model, queries, str(options.weight)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    ranks: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in json.loads(done.stdout):
        for mode in MODES:
            ranks[row["group"]][mode].append(row[mode])
        if options.misses and row["both"] != 1:
            print(f"   {row['group']}: {row['query']!r} → {row['paper']}: " + ", ".join(f"{mode} {row[mode]}" for mode in MODES))
    result = {}
    print(f"{size} papers, weight {options.weight}")
    for group, by_mode in ranks.items():
        result[group] = {mode: figures(by_mode[mode]) for mode in MODES}
        for mode in MODES:
            row = result[group][mode]
            print(f"  {group:16} {mode:8} " + "  ".join(f"{name} {value:.3f}" for name, value in row.items()))
        for name in ("recall@1", "recall@10", "MRR", "nDCG@10"):
            better = max(result[group]["words"][name], result[group]["meaning"][name])
            if result[group]["both"][name] < better - 1e-9:
                print(f"  {group:16} both is worse in {name}: {result[group]['both'][name]:.3f} against {better:.3f}")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / ".deps/all-MiniLM-L6-v2")
    parser.add_argument("--sizes", type=int, nargs="+", default=[134, 1500])
    parser.add_argument("--weight", type=float, default=0.5, help="of meaning against words")
    parser.add_argument("--misses", action="store_true", help="show the queries that both does not put first")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        queries = work / "queries.jsonl"
        queries.write_text("".join(json.dumps(query) + "\n" for query in make_queries()))
        result = {size: measure(size, work, queries, options) for size in options.sizes}
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
