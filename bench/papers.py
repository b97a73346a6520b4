#!/usr/bin/env python3
"""Documents and tokens a second of `alcove embed`, beside the original finder's loop and sentence-transformers, in one run.

The same weights and texts for all: all-MiniLM-L6-v2, and a BERT of base size with seeded random weights. Texts are random words, as long
as abstracts are (about 190 tokens). Every vector is compared with the peers' before its time counts. Alcove's time is the
whole command's less that of the same command with one text; the peers' is of the work alone. Rounds alternate; a machine that
others use too shows in the distance between least and most, and ratios are of medians.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import text_peer

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/alcove"
MINILM = ROOT / ".deps/all-MiniLM-L6-v2"
PEERS = text_peer.FOLDER
WORK = ROOT / "build/bench"


def made_up_texts(count: int) -> list[str]:
    source = random.Random(8)
    words = [word for word in (MINILM / "vocab.txt").read_text().split("\n") if word.isascii() and word.isalpha() and len(word) > 2]
    return [" ".join(source.choices(words, k=max(8, min(450, round(source.lognormvariate(5.15, 0.35)))))) for _ in range(count)]


class Alcove:
    def __init__(self, model: Path, threads: int, precision: str) -> None:
        self.command = [PROGRAM, "embed", "-", "--model", model, "--threads", str(threads), "--precision", precision, "--cache", WORK / "cache"]

    def run(self, texts: list[str], *more: str) -> tuple[list, float]:
        started = time.perf_counter()
        done = subprocess.run([*self.command, *more], input=json.dumps(texts).encode(), stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()], time.perf_counter() - started

    def __call__(self, texts: list[str]) -> tuple[list, float]:
        _, alone = self.run(texts[:1])
        rows, seconds = self.run(texts)
        return rows, seconds - alone


class Peer:
    def __init__(self, python: Path, kind: str, model: Path, threads: int) -> None:
        self.command = [python, PEERS / "vectors.py", kind, model, str(threads)]

    def __call__(self, texts: list[str]) -> tuple[list, float]:
        done = subprocess.run(self.command, input=json.dumps(texts).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        answer = json.loads(done.stdout)
        return answer["vectors"], answer["seconds"]


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5


def measure(name: str, sides: dict, texts: list[str], tokens: int, rounds: int) -> dict:
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        vectors = {}
        for side, work in sides.items():
            vectors[side], seconds = work(texts)
            rates[side].append(len(texts) / seconds)
        ours = vectors["alcove"]
        for side, theirs in vectors.items():
            # The original's loop pools by the first token whatever the model says.
            if not (side == "loop" and name == "MiniLM"):
                assert min(map(cosine, ours, theirs)) >= 0.999, f"{side} makes other vectors"
    middle = {side: statistics.median(values) for side, values in rates.items()}
    print(f"\n{name}: {len(texts)} texts, {tokens / len(texts):.0f} tokens each; documents/s least / median / most, tokens/s, Alcove's times")
    for side, values in rates.items():
        print(f"  {side:10} {min(values):8.2f} {middle[side]:8.2f} {max(values):8.2f}   {middle[side] * tokens / len(texts):8.0f}   {middle['alcove'] / middle[side]:5.2f}")
    return {"documents_per_second": rates, "tokens": tokens, "texts": len(texts)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--models", nargs="+", choices=["MiniLM", "BERT-base"], default=["MiniLM", "BERT-base"])
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="a Python that has the peers' packages [.deps/peers/text, made on first use]")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()

    python = options.peers or text_peer.python()
    base = WORK / "bert-base"
    if "BERT-base" in options.models and not (base / "vocab.txt").exists():
        subprocess.run([python, PEERS / "vectors.py", "weights", base, str(options.threads)], check=True)
        for file in ("tokenizer_config.json", "vocab.txt"):
            shutil.copy(MINILM / file, base)
    texts, report = made_up_texts(options.texts), {}
    for name in options.models:
        model = {"MiniLM": MINILM, "BERT-base": base}[name]
        alcove = Alcove(model, options.threads, options.precision)
        ids, _ = alcove.run(texts, "--tokens")
        sides = {"alcove": alcove} | {kind: Peer(python, kind, model, options.threads) for kind in ("loop", "sentences")}
        report[name] = measure(name, sides, texts, sum(map(len, ids)), options.rounds)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
