"""`alcove papers search` answered by a server that runs; then 50 visitors of the paper finder at once, who type, search and export, while
the vectors of its papers are being made. With --peer then also 50 callers of /search in Gradio's protocol, of Alcove and of a Gradio
page over Chroma that does the original's work (bench/peers/finder), each while it makes the vectors of the same papers.

    script/bench finder [--seconds 20] [--clients 50] [--model DIR] [--peer] [--json FILE]      --clients 0: the first part alone
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import resource
import secrets
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import text_peer

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples/papers/papers.jsonl"


def made_papers(count: int, seed: int) -> list[dict]:
    """Papers whose words are the samples', in another order, so that nothing is known of them beforehand."""
    samples = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    words = sorted({word for paper in samples for word in paper["abstract"].split()})
    pick = random.Random(seed)
    return [{"id": f"made{seed}-{number}", "title": " ".join(pick.choices(words, k=8)), "abstract": " ".join(pick.choices(words, k=120)),
             "authors": [f"Ann Author{pick.randrange(500)}"], "venue": "Made 2025", "year": 2015 + number % 10} for number in range(count)]


class Caller(threading.Thread):
    """Asks over and over, with pauses; keeps how long each kind of question took, and what went wrong."""

    def __init__(self, url: str, seed: int, until: float):
        super().__init__(daemon=True)
        self.url, self.pick, self.until = url, random.Random(seed), until
        self.times: dict[str, list[float]] = {"typing": [], "search": [], "export": []}
        self.errors: list[str] = []

    def timed(self, kind: str, ask: Callable[[], None]) -> None:
        start = time.perf_counter()
        try:
            ask()
        except (OSError, ValueError) as error:
            self.errors.append(f"{kind}: {error}")
            return
        self.times[kind].append(time.perf_counter() - start)

    def run(self) -> None:
        queries = [json.loads(line)["title"] for line in SAMPLES.read_text().splitlines()]
        while time.monotonic() < self.until:
            self.look_for(self.pick.choice(queries).lower())

    def look_for(self, query: str) -> None:
        raise NotImplementedError


class Visitor(Caller):
    """Types a query letter by letter, looks at what comes, and now and then exports it."""

    def ask(self, kind: str, path: str, **parameters: object) -> None:
        self.timed(kind, lambda: fetch(f"{self.url}{path}?{urlencode(parameters)}"))

    def look_for(self, query: str) -> None:
        for end in range(4, min(len(query), 24), 4):
            self.ask("typing", "/api/search", q=query[:end], n=20)
            time.sleep(self.pick.uniform(0.1, 0.3))
        self.ask("search", "/api/search", q=query, n=20, explain=1)
        time.sleep(self.pick.uniform(0.3, 1.0))
        if self.pick.random() < 0.2:
            self.ask("export", "/api/export", q=query, format=self.pick.choice(["bib", "csv", "json"]))


class GradioCaller(Caller):
    """Calls /search as Gradio's clients do."""

    def look_for(self, query: str) -> None:
        self.timed("search", lambda: call_gradio(self.url, "search", [query, 20, "", ""]))
        time.sleep(self.pick.uniform(0.3, 1.0))


def fetch(url: str, data: dict | None = None) -> bytes:
    request = urllib.request.Request(url, None if data is None else json.dumps(data).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as reply:
        return reply.read()


@functools.cache
def endpoints(url: str) -> dict[str, int]:
    """The number of each by its name; asked once, as Gradio's clients do when they connect."""
    return {each["api_name"]: each["id"] for each in json.loads(fetch(url + "/config"))["dependencies"]}


def call_gradio(url: str, name: str, values: list) -> object:
    """The first output of an endpoint; ValueError when there is none."""
    session = secrets.token_hex(8)
    fetch(url + "/gradio_api/queue/join", {"data": values, "fn_index": endpoints(url)[name], "session_hash": session})
    for event in fetch(f"{url}/gradio_api/queue/data?session_hash={session}").decode().split("\n\n"):
        message = json.loads(event.removeprefix("data:") or "{}")
        if message.get("msg") == "process_completed" and message["success"]:
            return message["output"]["data"][0]
    raise ValueError(f"/{name} gave nothing")


def status(url: str) -> dict:
    with urllib.request.urlopen(url + "/status", timeout=20) as reply:
        return json.load(reply)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(binary: Path, data: Path, model: str) -> tuple[subprocess.Popen, str]:
    port = free_port()
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


def crowd(kind: type[Caller], url: str, clients: int, seconds: float) -> list[Caller]:
    """So many at once for so long."""
    callers = [kind(url, seed, time.monotonic() + seconds) for seed in range(clients)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return callers


def summary(visitors: list[Caller]) -> dict:
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


def report(who: str, figures: dict) -> dict:
    for kind in ("typing", "search", "export"):
        if kind in figures:
            print(f"{who:24} {kind:8} {figures[kind]['requests']:6} requests   p50 {figures[kind]['p50_ms']:7.1f} ms   p99 {figures[kind]['p99_ms']:7.1f} ms")
    built = f"was being built all the while, {figures['per_second']:.1f} papers a second" if figures["indexing_to_the_end"] else "was done before the end"
    print(f"{who:24} {len(figures['errors'])} errors; the index {built}")
    return figures


def beside_indexing(given: argparse.Namespace, kind: type[Caller]) -> dict:
    with tempfile.TemporaryDirectory() as temporary:
        data, made = Path(temporary) / "data", Path(temporary) / "made.jsonl"
        made.write_text("".join(json.dumps(paper) + "\n" for paper in made_papers(given.papers, 1)))
        subprocess.run([str(given.binary), "papers", "import", "--data", str(data), str(SAMPLES), str(made)], check=True, stdout=subprocess.DEVNULL)
        server, url = start(given.binary, data, str(given.model))  # embeds them all from now on
        try:
            callers = crowd(kind, url, given.clients, given.seconds)
            index = status(url)["index"]
        finally:
            server.terminate()
            server.wait(timeout=60)
    return report(f"Alcove, {kind.__name__}", summary(callers) | {"indexing_to_the_end": index["state"] == "indexing", "per_second": index.get("per_second", 0)})


def peer_beside_indexing(given: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory() as temporary:
        papers, port = Path(temporary) / "papers.jsonl", free_port()
        papers.write_text(SAMPLES.read_text() + "".join(json.dumps(paper) + "\n" for paper in made_papers(given.papers, 1)))
        server = subprocess.Popen([text_peer.python(), ROOT / "bench/peers/finder/server.py", given.model, papers, Path(temporary) / "chroma", str(port)],
                                  env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "ANONYMIZED_TELEMETRY": "False"}, stdout=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            await_peer(server, url)
            before = call_gradio(url, "pace", [])
            callers = crowd(GradioCaller, url, given.clients, given.seconds)
            after = call_gradio(url, "pace", [])
        finally:
            server.terminate()
            server.wait(timeout=60)
    pace = (after["papers"] - before["papers"]) / (after["seconds"] - before["seconds"])
    return report("Gradio and Chroma", summary(callers) | {"indexing_to_the_end": after["papers"] < after["of"], "per_second": pace})


def await_peer(server: subprocess.Popen, url: str) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit("the peer ended; what it said is above")
        try:
            fetch(url + "/config")
            return
        except OSError:
            time.sleep(0.2)
    server.kill()
    raise SystemExit("the peer was not ready after five minutes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=ROOT / "build/release/alcove")
    parser.add_argument("--model", type=Path, default=ROOT / ".deps/all-MiniLM-L6-v2", help="folder of the model that finds by meaning")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--papers", type=int, default=5000, help="that are served, and embedded meanwhile")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peer", action="store_true", help="also beside Gradio and Chroma, whose packages are 7 GB")
    parser.add_argument("--asked", type=int, default=50, help="times that the shell asks")
    given = parser.parse_args()
    asked = ask_from_the_shell(given.binary, str(given.model), given.asked)
    print(f"papers search, {given.asked} times: least {asked['least_ms']:.0f}, median {asked['median_ms']:.0f}, most {asked['most_ms']:.0f} ms; "
          f"{asked['processor_ms']:.0f} ms of the processor in the command itself")
    if given.clients == 0:
        if given.json:
            given.json.write_text(json.dumps({"shell": asked}, indent=1) + "\n")
        return 0
    figures = {"shell": asked, "clients": given.clients, "papers": given.papers, "visitors": beside_indexing(given, Visitor)}
    if given.peer:
        figures["gradio"] = beside_indexing(given, GradioCaller)
        figures["peer"] = peer_beside_indexing(given)
        print(f"of /search Alcove answered {figures['gradio']['search']['requests'] / figures['peer']['search']['requests']:.1f} times as many, p50 "
              f"{figures['peer']['search']['p50_ms'] / figures['gradio']['search']['p50_ms']:.1f} times and p99 {figures['peer']['search']['p99_ms'] / figures['gradio']['search']['p99_ms']:.1f} times sooner, "
              f"and made {figures['gradio']['per_second'] / figures['peer']['per_second']:.1f} times the vectors")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if any(part["errors"] for name, part in figures.items() if name in ("visitors", "gradio")) else 0


if __name__ == "__main__":
    raise SystemExit(main())
