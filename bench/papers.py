#!/usr/bin/env python3
"""Documents and tokens a second of `alcove embed`, beside the original finder's loop and sentence-transformers, in one run.

The same weights and texts for all: all-MiniLM-L6-v2, and a BERT of base size with seeded random weights. Texts are random words, as long
as abstracts are (about 190 tokens). Every vector is compared with the peers' before its time counts. Alcove's time is the
whole command's less that of the same command with one text; the peers' is of the work alone. Rounds alternate; a machine that
others use too shows in the distance between least and most, and ratios are of medians. Then the time from the start of a program to its
first search, over an index and a prepared model that are there: `alcove papers search`, and transformers with Chroma.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
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


def run(command: list, given: object) -> tuple[bytes, float, float]:
    """What a command prints, from its start to its end in seconds, and the most memory it held, in MB."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout:
        stdin.write(json.dumps(given).encode())
        stdin.seek(0)
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
        stdout.seek(0)
        return stdout.read(), seconds, used.ru_maxrss / 1024


class Alcove:
    def __init__(self, model: Path, threads: int, precision: str) -> None:
        self.command = [PROGRAM, "embed", "-", "--model", model, "--threads", str(threads), "--precision", precision, "--cache", WORK / "cache"]

    def __call__(self, texts: list[str]) -> tuple[list, float, float]:
        _, alone, _ = run(self.command, texts[:1])
        printed, seconds, memory = run(self.command, texts)
        return [json.loads(line) for line in printed.splitlines()], seconds - alone, memory


class Peer:
    def __init__(self, python: Path, kind: str, model: Path, threads: int) -> None:
        self.command = [python, PEERS / "vectors.py", kind, model, str(threads)]

    def __call__(self, texts: list[str]) -> tuple[list, float, float]:
        printed, _, memory = run(self.command, texts)
        answer = json.loads(printed)
        return answer["vectors"], answer["seconds"], memory


def first_search(python: Path, model: Path, threads: int, texts: list[str], rounds: int) -> dict[str, list[float]]:
    """From the start of a program to its first answer, over an index of these texts that is there and a model that is prepared."""
    query, seconds = "which of them is about this", {"alcove": [], "loop": []}
    with tempfile.TemporaryDirectory() as folder:
        papers, theirs = Path(folder) / "papers.jsonl", Path(folder) / "chroma"
        papers.write_text("".join(json.dumps({"id": str(number), "title": text[:60], "abstract": text}) + "\n" for number, text in enumerate(texts)))
        data = ["--data", Path(folder) / "index", "--model", model, "--cache", WORK / "cache"]
        run([PROGRAM, "papers", "import", papers, *data], None)
        run([python, PEERS / "vectors.py", "fill", model, str(threads), theirs], texts)
        for _ in range(rounds + 1):
            ours, took, _ = run([PROGRAM, "papers", "search", query, *data, "--mode", "meaning", "--format", "json"], None)
            assert json.loads(ours)["hits"], "a search finds something"
            seconds["alcove"].append(took)
            found, took, _ = run([python, PEERS / "vectors.py", "search", model, str(threads), theirs], [query])
            assert json.loads(found)
            seconds["loop"].append(took)
    return {side: each[1:] for side, each in seconds.items()}  # the first ones warmed the disk


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5


def measure(name: str, sides: dict, texts: list[str], tokens: int, rounds: int) -> dict:
    rates: dict[str, list[float]] = {side: [] for side in sides}
    memory: dict[str, float] = {}
    for _ in range(rounds):
        vectors = {}
        for side, work in sides.items():
            vectors[side], seconds, memory[side] = work(texts)
            rates[side].append(len(texts) / seconds)
        ours = vectors["alcove"]
        for side, theirs in vectors.items():
            # The original's loop pools by the first token whatever the model says.
            if not (side == "loop" and name == "MiniLM"):
                assert min(map(cosine, ours, theirs)) >= 0.999, f"{side} makes other vectors"
    middle = {side: statistics.median(values) for side, values in rates.items()}
    print(f"\n{name}: {len(texts)} texts, {tokens / len(texts):.0f} tokens each; documents/s least / median / most, tokens/s, Alcove's times; most memory, MB")
    for side, values in rates.items():
        print(f"  {side:10} {min(values):8.2f} {middle[side]:8.2f} {max(values):8.2f}   {middle[side] * tokens / len(texts):8.0f}   {middle['alcove'] / middle[side]:5.2f}   {memory[side]:7.0f}")
    return {"documents_per_second": rates, "memory_mb": memory, "tokens": tokens, "texts": len(texts)}


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
        ids = [json.loads(line) for line in run([*alcove.command, "--tokens"], texts)[0].splitlines()]
        sides = {"alcove": alcove} | {kind: Peer(python, kind, model, options.threads) for kind in ("loop", "sentences")}
        report[name] = measure(name, sides, texts, sum(map(len, ids)), options.rounds)
        starts = report[name]["first_search_seconds"] = first_search(python, model, options.threads, texts, options.rounds)
        ours, theirs = (statistics.median(starts[side]) for side in ("alcove", "loop"))
        print(f"  from the start to the first search: Alcove {ours:.2f} s, transformers and Chroma {theirs:.2f} s, {theirs / ours:.1f} times later")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
