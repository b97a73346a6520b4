#!/usr/bin/env python3
"""Time from start to first answer, time per sheet, sheets per second and memory of `alcove serve answer-sheet`.

Real requests over loopback with the demo weights. Every answer is checked against the truth before its time counts. Rounds are
repeated and printed as least / median / most, because machines are noisy. Needs nothing beyond Python's standard library.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/alcove"
SHEETS = ROOT / "samples/sheets"
BOUNDARY = "alcove-bench"


@dataclass
class Figure:
    """One measured quantity over all rounds."""

    unit: str
    values: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{min(self.values):9.1f} {statistics.median(self.values):9.1f} {max(self.values):9.1f}  {self.unit}"


class Server:
    """`alcove serve answer-sheet` on a free port, ended when the block is left."""

    def __init__(self, cache: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "answer-sheet", "--host", "127.0.0.1", "--port", str(self.port), "--models", ROOT / "models/demo", "--cache", cache],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> "Server":
        while not self.status().get("ready"):
            if self.process.poll() is not None or time.perf_counter() - self.started > 120:
                raise SystemExit("the server did not become ready")
            time.sleep(0.005)
        self.ready_after = time.perf_counter() - self.started
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def status(self) -> dict:
        try:
            return json.loads(self.request("GET", "/status"))
        except OSError:
            return {}

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            return connection.getresponse().read()
        finally:
            connection.close()

    def extract(self, name: str, content: bytes) -> dict:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        body = head + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        return json.loads(self.request("POST", "/extract", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}))

    def peak_memory_mb(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return float("nan")


def check(reply: dict, truth: dict, name: str) -> None:
    for key in ("register_number", "subject_code"):
        if reply.get(key) != truth[key]:
            raise SystemExit(f"{name}: {key} {reply.get(key)!r} instead of {truth[key]!r}; no time counts for a wrong answer")


def measure(name: str, truth: dict, rounds: int, requests: int) -> tuple[dict[str, Figure], dict]:
    content = (SHEETS / name).read_bytes()
    figures = {
        "start to ready, nothing prepared": Figure("ms"),
        "start to ready, prepared": Figure("ms"),
        "start to first answer, prepared": Figure("ms"),
        "one at a time, p50": Figure("ms"),
        "one at a time, p99": Figure("ms"),
        "four clients": Figure("sheets/s"),
        "peak memory": Figure("MB"),
    }
    stages: dict[str, list[float]] = {}
    status: dict = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            cache = Path(folder)
            with Server(cache) as server:
                figures["start to ready, nothing prepared"].values.append(1000 * server.ready_after)
            with Server(cache) as server:
                figures["start to ready, prepared"].values.append(1000 * server.ready_after)
                check(server.extract(name, content), truth, name)
                figures["start to first answer, prepared"].values.append(1000 * (time.perf_counter() - server.started))
                status = server.status()
                times = []
                for _ in range(requests):
                    before = time.perf_counter()
                    reply = server.extract(name, content)
                    times.append(1000 * (time.perf_counter() - before))
                    check(reply, truth, name)
                    for stage, milliseconds in reply["timings_ms"].items():
                        stages.setdefault(stage, []).append(milliseconds)
                times.sort()
                figures["one at a time, p50"].values.append(statistics.median(times))
                figures["one at a time, p99"].values.append(times[min(len(times) - 1, int(0.99 * len(times)))])
                before = time.perf_counter()
                with concurrent.futures.ThreadPoolExecutor(4) as clients:
                    for reply in clients.map(lambda _: server.extract(name, content), range(requests)):
                        check(reply, truth, name)
                figures["four clients"].values.append(requests / (time.perf_counter() - before))
                figures["peak memory"].values.append(server.peak_memory_mb())
    by_stage = {stage: statistics.median(values) for stage, values in stages.items()}
    return figures, {"stages_ms": by_stage, "engine": status.get("engine"), "precision": status.get("precision"), "threads": status.get("threads")}


def readable_by_format(truths: dict[str, dict]) -> dict[str, str]:
    """Of each file format the first sample that is read as the truth says: time for a wrong answer is worth nothing."""
    chosen: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        for name, truth in sorted(truths.items()):
            if truth["kind"] not in {"clean", "scan"} or truth.get("reason") or Path(name).suffix in chosen:
                continue
            reply = server.extract(name, (SHEETS / name).read_bytes())
            if all(reply.get(key) == truth[key] for key in ("register_number", "subject_code")):
                chosen[Path(name).suffix] = name
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100, help="per round and figure")
    parser.add_argument("--json", type=Path, help="write every value there")
    arguments = parser.parse_args()
    truths = json.loads((SHEETS / "truth.json").read_text())
    by_format = readable_by_format(truths)
    print(f"{platform.machine()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}; {arguments.rounds} rounds of {arguments.requests} requests")
    report = {}
    for suffix, name in sorted(by_format.items()):
        figures, facts = measure(name, truths[name], arguments.rounds, arguments.requests)
        print(f"\n{name}  ({facts['engine']}, {facts['precision']}, {facts['threads']} threads)\n{'':36}{'least':>9} {'median':>9} {'most':>9}")
        for label, figure in figures.items():
            print(f"{label:36}{figure}")
        print("by stage, median ms: " + ", ".join(f"{stage} {value:.1f}" for stage, value in facts["stages_ms"].items()))
        report[name] = {"figures": {label: {"unit": figure.unit, "values": figure.values} for label, figure in figures.items()}, **facts}
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    sys.exit(main())
