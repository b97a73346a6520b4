#!/usr/bin/env python3
"""Sheets at the speed of the machine: `alcove serve answer-sheet` beside a peer that works as the original does.

Same machine, same weights, same requests over loopback, taking turns: a round measures a side, then the other, and rounds go on until
of every figure three agree or there are no more. A reply counts only when it says what is written on the sheet. Weights are the demo's
as they are, and the demo's laid into networks of the originals' sizes (bench/peers/sheets/weights.py). On a busy machine look at
`CPU a sheet`: the time the cores gave does not depend on who else wanted them.
"""

import argparse
import concurrent.futures
import contextlib
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import figures
from figures import Figures
from sheet_servers import PEER, PEER_PYTHON, ROOT, Client, Server, alcove, alcove_installed_mb, peer, peer_installed_mb

SAMPLES = ROOT / "samples/sheets"
MADE = ROOT / "build/bench"
SAMPLE = "clean-slip.pdf"
PAGES = {"JPEG 100 dpi": MADE / "pages/photo-100dpi.jpg", "JPEG 200 dpi": MADE / "pages/scan-200dpi.jpg", "PDF": SAMPLES / SAMPLE}
SHORT_PAGES = {"JPEG": SAMPLES / "photo-lines.jpg"}
CLIENTS = 4

Sides = dict[str, Callable[[], Server]]


def truth_of(page: Path) -> dict[str, str]:
    truths = json.loads((SAMPLES / "truth.json").read_text())
    return truths.get(page.name, truths[SAMPLE])


class Page:
    """A file that is sent, and what is written on it."""

    def __init__(self, path: Path) -> None:
        self.name, self.content, self.truth = path.name, path.read_bytes(), truth_of(path)

    def ask(self, client: Client) -> tuple[dict[str, float], float]:
        reply, stages, took = client.extract(self.name, self.content)
        for key in ("register_number", "subject_code"):
            if reply.get(key) != self.truth[key]:
                raise SystemExit(f"{self.name}: {key} {reply.get(key)!r} instead of {self.truth[key]!r}; no time counts for a wrong answer")
        return stages, took


def made(script: str, *arguments: object, out: Path) -> Path:
    """What a recipe of the peer's folder makes, made once for each state of that recipe."""
    stamp = out / "made-by"
    key = hashlib.sha256((PEER / script).read_bytes() + (PEER / "reader.py").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != key:
        print(f"making {out.relative_to(ROOT)} …", flush=True)
        subprocess.run([PEER_PYTHON, PEER / script, *arguments], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "YOLO_CONFIG_DIR": str(MADE)})
        stamp.write_text(key)
    return out


def weights(scale: str) -> Path:
    out = MADE / f"weights-{scale}"
    return made("weights.py", ROOT / "models/demo", out, scale, out=out)


def measure_start(name: str, side: str, server: Server, page: Page, found: Figures) -> None:
    page.ask(Client(server))
    found.add(f"{name} / {side} / start to first answer", "ms", 1000 * (time.perf_counter() - server.started))


def measure_turns(name: str, servers: dict[str, Server], page: Page, requests: int, found: Figures, stages: dict[str, list[float]]) -> None:
    """One request at a time, the sides by turns, so that whatever the machine does happens to both."""
    clients = {side: Client(server) for side, server in servers.items()}
    times: dict[str, list[float]] = {side: [] for side in servers}
    for _ in range(requests):
        for side, client in clients.items():
            by_stage, took = page.ask(client)
            times[side].append(took)
            if side == "alcove":
                by_stage["reply"] = took - sum(by_stage.get(stage, 0) for stage in ("receive", "queue", "total"))
                for stage, milliseconds in by_stage.items():
                    stages.setdefault(stage, []).append(milliseconds)
    for side, each in times.items():
        found.add(f"{name} / {side} / p50", "ms", statistics.median(each))
        found.add(f"{name} / {side} / p99", "ms", at_share(each, 0.99))


@contextlib.contextmanager
def sampled(seconds: float, take: Callable[[], float]) -> Iterator[list[float]]:
    """What `take` gives, at the start, every so many seconds while the block runs, and at its end."""
    seen = [take()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(seconds):
            seen.append(take())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()
        seen.append(take())


def probe_of(server: Server) -> Callable[[], float]:
    """How long it takes to hear that the server lives, over a connection that is kept; milliseconds."""
    client = Client(server)

    def ask() -> float:
        before = time.perf_counter()
        client.request("GET", "/health")
        return 1000 * (time.perf_counter() - before)

    return ask


def at_share(values: list[float], part: float) -> float:
    """The value that `part` of them lie at or below."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def measure_crowd(name: str, side: str, server: Server, page: Page, requests: int, found: Figures) -> None:
    """Four clients that each send the next sheet as soon as they have the last one's answer, while somebody asks whether the server
    lives."""

    def client_of(_: int) -> None:
        client = Client(server)
        for _ in range(requests):
            page.ask(client)

    with (
        sampled(0.3, server.pss_mb) as memory,
        sampled(0.01, probe_of(server)) as probes,
        concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients,
    ):
        spent, before = server.cpu_seconds(), time.perf_counter()
        list(clients.map(client_of, range(CLIENTS)))
        took, spent = time.perf_counter() - before, server.cpu_seconds() - spent
    sheets = CLIENTS * requests
    found.add(f"{name} / {side} / four clients", "sheets/s", sheets / took)
    found.add(f"{name} / {side} / CPU a sheet", "ms", 1000 * spent / sheets)
    found.add(f"{name} / {side} / memory (PSS)", "MB", max(memory))
    found.add(f"{name} / {side} / probe meanwhile, p99", "ms", at_share(probes, 0.99))


def add_ratios(name: str, found: Figures) -> None:
    """How many times better Alcove was in the round that just ended."""
    for quantity in ("start to first answer", "p50", "p99", "four clients", "CPU a sheet", "memory (PSS)"):
        ours = found.get(f"{name} / alcove / {quantity}")
        theirs = found.get(f"{name} / peer / {quantity}")
        if ours and theirs:
            found.add(f"{name} / times better / {quantity}", "x", figures.worse_by(figures.Figure(ours.unit, ours.values[-1:]), figures.Figure(ours.unit, theirs.values[-1:])))
    unprepared = found.get(f"{name} / alcove, unprepared / start to first answer")
    if unprepared and (theirs := found.get(f"{name} / peer / start to first answer")):
        found.add(f"{name} / times better, unprepared / start to first answer", "x", theirs.values[-1] / unprepared.values[-1])


def measure_peak(found: Figures) -> None:
    done = subprocess.run([PEER_PYTHON, PEER / "peak.py"], capture_output=True, text=True, check=True)
    for precision, reached in json.loads(done.stdout).items():
        found.add(f"machine / matrix product / {precision}", "GFLOP/s", reached)


def add_share(name: str, models: Path, precision: str, detect: list[float], found: Figures) -> None:
    """Of the machine's own matrix product, what the detector reached in the least and the usual disturbed of its runs."""
    facts = models / "facts.json"
    peak = found.get(f"machine / matrix product / {precision}")
    if facts.exists() and peak and detect:
        work = json.loads(facts.read_text())["detector_gflop"]
        for milliseconds in (min(detect), statistics.median(detect)):
            found.add(f"{name} / alcove / detector's share of the peak", "%", 100 * 1000 * work / milliseconds / peak.median)


class Bench:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.beside_peer = not (arguments.alone or arguments.short)
        self.found = Figures()
        self.stages: dict[str, dict[str, float]] = {}
        self.facts: dict[str, dict] = {}

    def case(self, title: str, models: Path, pages: dict[str, Path], cache: Path) -> None:
        """All figures of one folder of weights."""
        options = ["--precision", self.arguments.precision, *self.arguments.serve]
        sides: Sides = {"alcove": lambda: alcove(models, cache, *options)}
        if self.beside_peer:
            sides["peer"] = lambda: peer(models)
        first = Page(next(iter(pages.values())))
        with sides["alcove"]():
            pass  # from here on the cache is filled
        stages: dict[str, dict[str, list[float]]] = {}
        for number in range(1, self.arguments.rounds + 1):
            print(f"{title}: round {number}", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory() as nothing, alcove(models, Path(nothing), *options) as server:
                measure_start(title, "alcove, unprepared", server, first, self.found)
            with contextlib.ExitStack() as running:
                servers = {}
                for side, start in sides.items():
                    servers[side] = running.enter_context(start())
                    measure_start(title, side, servers[side], first, self.found)
                for label, path in pages.items():
                    self.measure(f"{title} / {label}", servers, Page(path), stages.setdefault(label, {}))
                self.facts[title] = {key: servers["alcove"].status().get(key) for key in ("engine", "precision", "threads")}
            add_ratios(title, self.found)
            if self.beside_peer:
                measure_peak(self.found)
            if number >= 3 and self.agreed(title):
                break
        for label, by_stage in stages.items():
            self.stages[f"{title} / {label}"] = {stage: statistics.median(values) for stage, values in by_stage.items()}
            add_share(f"{title} / {label}", models, self.facts[title]["precision"], by_stage.get("detect", []), self.found)

    def measure(self, name: str, servers: dict[str, Server], page: Page, stages: dict[str, list[float]]) -> None:
        for server in servers.values():
            page.ask(Client(server))  # compiles for this page's shape
        measure_turns(name, servers, page, self.arguments.requests, self.found, stages)
        for side, server in servers.items():
            measure_crowd(name, side, server, page, max(1, self.arguments.requests // 2), self.found)
        add_ratios(name, self.found)

    def agreed(self, title: str) -> bool:
        return Figures({name: figure for name, figure in self.found.items() if name.startswith(title)}).agree()

    def installed(self) -> None:
        self.found.add("installed / alcove / bytes", "MB", alcove_installed_mb())
        if self.beside_peer:
            self.found.add("installed / peer / bytes", "MB", peer_installed_mb())
            self.found.add("installed / times better / bytes", "x", self.found["installed / peer / bytes"].median / self.found["installed / alcove / bytes"].median)

    def report(self) -> None:
        print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}; {self.arguments.requests} requests a round")
        for title, facts in self.facts.items():
            print(f"{title}: {facts['engine']}, {facts['precision']}, {facts['threads']} threads" + ("; the peer: PyTorch's own count of threads, f32" if self.beside_peer else ""))
        print(f"\n{'':72}{'least':>10}{'median':>10}{'most':>10}")
        for name, figure in self.found.items():
            print(f"{name:72}{figure}")
        for name, stages in self.stages.items():
            print(f"{name}, median ms: " + ", ".join(f"{stage} {value:.2f}" for stage, value in stages.items()))
        if self.arguments.json:
            report = {"date": time.strftime("%Y-%m-%d"), "machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0],
                      "facts": self.facts, "figures": self.found.to_json(), "stages_ms": self.stages}  # fmt: skip
            self.arguments.json.write_text(json.dumps(report, indent=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6, help="at most; at least three where there are as many")
    parser.add_argument("--requests", type=int, default=40, help="per round, page and side")
    parser.add_argument("--weights", nargs="+", choices=("demo", "yolov8n", "yolov8m"), default=["demo", "yolov8n", "yolov8m"])
    parser.add_argument("--pages", nargs="+", choices=list(PAGES), default=list(PAGES), help="of the kinds of page")
    parser.add_argument("--precision", default="auto", help="of Alcove")
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=[], help="last: more options for alcove serve")
    parser.add_argument("--alone", action="store_true", help="without the peer, on pages made before")
    parser.add_argument("--short", action="store_true", help="one round of three requests on one sample with the demo weights, without the peer")
    parser.add_argument("--json", type=Path, help="write every value there")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD.json", "NEW.json"), help="measure nothing; 1 when NEW lost a tenth")
    arguments = parser.parse_args()
    if arguments.compare:
        return figures.compare(*arguments.compare)
    if arguments.short:
        arguments.rounds, arguments.requests, arguments.weights = 1, 3, ["demo"]
    pages = SHORT_PAGES
    if not arguments.short:
        made("pages.py", SAMPLES / SAMPLE, MADE / "pages", out=MADE / "pages")
        pages = {label: PAGES[label] for label in arguments.pages}
    bench = Bench(arguments)
    with tempfile.TemporaryDirectory() as cache:
        for name in arguments.weights:
            models = ROOT / "models/demo" if name == "demo" else weights(name.removeprefix("yolov8"))
            bench.case(name, models, pages, Path(cache))
    bench.installed()
    bench.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
