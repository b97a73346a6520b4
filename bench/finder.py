"""`alcove papers search` answered by a server that runs; then 50 visitors of the paper finder at once, who type, search and export, while
the vectors of its papers are being made.

    script/bench finder [--seconds 20] [--clients 50] [--model DIR] [--json FILE]      --clients 0: the first part alone
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples/papers/papers.jsonl"


def made_papers(count: int, seed: int) -> list[dict]:
    """Papers whose words are the samples', in another order, so that nothing is known of them beforehand."""
    samples = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    words = sorted({word for paper in samples for word in paper["abstract"].split()})
    pick = random.Random(seed)
    return [{"id": f"made{seed}-{number}", "title": " ".join(pick.choices(words, k=8)), "abstract": " ".join(pick.choices(words, k=120)),
             "authors": [f"Ann Author{pick.randrange(500)}"], "venue": "Made 2025", "year": 2015 + number % 10} for number in range(count)]


class Visitor(threading.Thread):
    """Types a query letter by letter, looks at what comes, and now and then exports it."""

    def __init__(self, url: str, seed: int, until: float):
        super().__init__(daemon=True)
        self.url, self.pick, self.until = url, random.Random(seed), until
        self.times: dict[str, list[float]] = {"typing": [], "search": [], "export": []}
        self.errors: list[str] = []

    def ask(self, kind: str, path: str, **parameters: object) -> None:
        start = time.perf_counter()
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{urlencode(parameters)}", timeout=60) as reply:
                reply.read()
        except (OSError, urllib.error.URLError) as error:
            self.errors.append(f"{kind}: {error}")
            return
        self.times[kind].append(time.perf_counter() - start)

    def run(self) -> None:
        queries = [json.loads(line)["title"] for line in SAMPLES.read_text().splitlines()]
        while time.monotonic() < self.until:
            query = self.pick.choice(queries).lower()
            for end in range(4, min(len(query), 24), 4):
                self.ask("typing", "/api/search", q=query[:end], n=20)
                time.sleep(self.pick.uniform(0.1, 0.3))
            self.ask("search", "/api/search", q=query, n=20, explain=1)
            time.sleep(self.pick.uniform(0.3, 1.0))
            if self.pick.random() < 0.2:
                self.ask("export", "/api/export", q=query, format=self.pick.choice(["bib", "csv", "json"]))


def status(url: str) -> dict:
    with urllib.request.urlopen(url + "/status", timeout=20) as reply:
        return json.load(reply)


def start(binary: Path, data: Path, model: str) -> tuple[subprocess.Popen, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([str(binary), "serve", "paper-finder", "--host", "127.0.0.1", "--port", str(port), "--data", str(data), "--venue", "none",
                                "--model", model], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if status(url)["state"] == "ready":
                return process, url
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.05)
    process.kill()
    raise SystemExit("the server was not ready after two minutes")


def summary(visitors: list[Visitor]) -> dict:
    figures: dict = {"errors": [error for one in visitors for error in one.errors]}
    for kind in ("typing", "search", "export"):
        times = sorted(each for one in visitors for each in one.times[kind])
        if times:
            figures[kind] = {"requests": len(times), "p50_ms": 1e3 * statistics.median(times), "p99_ms": 1e3 * times[min(len(times) - 1, int(len(times) * 0.99))]}
    return figures


def ask_from_the_shell(binary: Path, model: str, times: int) -> dict:
    """The whole command, from its start to its end, while a server with this index and this model is at rest."""
    with tempfile.TemporaryDirectory() as data:
        subprocess.run([str(binary), "papers", "import", "--data", data, "--model", model, str(SAMPLES)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server, url = start(binary, Path(data), model)
        try:
            while status(url)["index"]["state"] != "idle" or not status(url)["by_meaning"]:
                time.sleep(0.05)
            wall, processor = [], []
            for _ in range(times):
                begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
                done = subprocess.run([str(binary), "papers", "search", "--data", data, "--format", "json", "explain what a black box decided"],
                                      check=True, capture_output=True, text=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                wall.append(1e3 * (time.perf_counter() - begun))
                processor.append(1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
                assert json.loads(done.stdout)["mode"] == "both", "by words alone is not what is timed"
        finally:
            server.terminate()
            server.wait(timeout=60)
    return {"least_ms": min(wall), "median_ms": statistics.median(wall), "most_ms": max(wall), "processor_ms": statistics.median(processor)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=ROOT / "build/release/alcove")
    parser.add_argument("--model", type=Path, default=ROOT / ".deps/all-MiniLM-L6-v2", help="folder of the model that finds by meaning")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--papers", type=int, default=5000, help="that are served, and embedded meanwhile")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--asked", type=int, default=50, help="times that the shell asks")
    given = parser.parse_args()
    asked = ask_from_the_shell(given.binary, str(given.model), given.asked)
    print(f"papers search, {given.asked} times: least {asked['least_ms']:.0f}, median {asked['median_ms']:.0f}, most {asked['most_ms']:.0f} ms; "
          f"{asked['processor_ms']:.0f} ms of the processor in the command itself")
    if given.clients == 0:
        if given.json:
            given.json.write_text(json.dumps({"shell": asked}, indent=1) + "\n")
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        data, made = Path(temporary) / "data", Path(temporary) / "made.jsonl"
        made.write_text("".join(json.dumps(paper) + "\n" for paper in made_papers(given.papers, 1)))
        subprocess.run([str(given.binary), "papers", "import", "--data", str(data), str(SAMPLES), str(made)], check=True, stdout=subprocess.DEVNULL)
        server, url = start(given.binary, data, str(given.model))  # embeds them all from now on
        try:
            visitors = [Visitor(url, seed, time.monotonic() + given.seconds) for seed in range(given.clients)]
            for visitor in visitors:
                visitor.start()
            for visitor in visitors:
                visitor.join()
            index = status(url)["index"]
        finally:
            server.terminate()
            server.wait(timeout=60)
    while_building = index["state"] == "indexing"
    figures = summary(visitors) | {"shell": asked, "clients": given.clients, "papers": given.papers, "indexing_to_the_end": while_building, "per_second": index.get("per_second", 0)}
    for kind in ("typing", "search", "export"):
        if kind in figures:
            print(f"{kind:8} {figures[kind]['requests']:6} requests   p50 {figures[kind]['p50_ms']:7.1f} ms   p99 {figures[kind]['p99_ms']:7.1f} ms")
    built = f"was being built all the while, {index['per_second']:.0f} papers a second" if while_building else "was done before the end"
    print(f"{len(figures['errors'])} errors; the index {built}")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if figures["errors"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
