#!/usr/bin/env python3
"""What the gateway costs a small host: ready time, memory, uploads, and the time it adds to a Space's answer.

A Space that answers at once stands behind it, so that what is measured is the gateway. With --peer the same is asked of
bench/peers/gateway_fastapi.py, which does the original's work, in a virtual environment of its own (.deps/bench-gateway, made on demand).

    script/bench gateway [--json FILE] [--peer] [--uploads 200] [--clients 100] [--starts 10]
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READING = json.dumps({
    "success": True, "register_number": "123456789012", "subject_code": "CS101",
    "register_candidates": [{"value": "123456789012", "confidence": 0.97, "detection_confidence": 0.9}],
    "subject_candidates": [{"value": "CS101", "confidence": 0.98, "detection_confidence": 0.9}]}).encode()


class Space(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        known = self.path == "/health"
        self.answer(200 if known else 404, b'{"status":"ok","service":"Answer Sheet ML Inference"}' if known else b'{"detail":"Not Found"}')

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        self.answer(200, READING)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def form(content: bytes) -> tuple[bytes, dict[str, str]]:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    return head + content + b"\r\n--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}


def post(port: int, path: str, content: bytes, connection: http.client.HTTPConnection | None = None) -> int:
    mine = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    body, headers = form(content)
    mine.request("POST", path, body, headers)
    reply = mine.getresponse()
    reply.read()
    if connection is None:
        mine.close()
    return reply.status


def sheet(number: object, size: int = 60_000) -> bytes:
    head = f"%PDF-1.4 {number}\n".encode()
    return head + os.urandom(32) * ((size - len(head)) // 32)


class Resident:
    """The most memory a process held while this was open, MB."""

    def __init__(self, pid: int) -> None:
        self.pid, self.most, self.open = pid, 0.0, True
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def now(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def watch(self) -> None:
        while self.open:
            self.most = max(self.most, self.now())
            time.sleep(0.01)

    def __enter__(self) -> "Resident":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False
        self.thread.join()


def ready(port: int, process: subprocess.Popen, start: float) -> float:
    while True:
        if process.poll() is not None:
            sys.exit(f"the gateway under test ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                probe.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b"200" in probe.recv(4096):
                    return time.monotonic() - start
        except OSError:
            pass
        time.sleep(0.002)


def computed(pid: int) -> float:
    """Seconds of processor time a process has taken so far: what a start costs whoever else is busy meanwhile."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def started(command: list[str], env: dict[str, str], port: int, log) -> tuple[subprocess.Popen, float, float]:
    """The process, the seconds until it answered, and how many of them it computed."""
    start = time.monotonic()
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)
    took = ready(port, process, start)
    return process, took, computed(process.pid)


def measure(command: list[str], env: dict[str, str], port: int, space_port: int, options: argparse.Namespace) -> dict[str, float]:
    with tempfile.TemporaryFile() as log:
        took, cost = [], []
        for number in range(options.starts):
            process, seconds, computing = started(command, env, port, log)
            took.append(seconds)
            cost.append(computing)
            if number + 1 < options.starts:
                process.terminate()
                process.wait(timeout=60)
        try:
            figures = {"ready_s": statistics.median(took), "ready_least_s": min(took), "ready_most_s": max(took),
                       "ready_computing_s": statistics.median(cost)}
            time.sleep(1)
            resident = Resident(process.pid)
            figures["idle_mb"] = resident.now()

            def timed(where: int, path: str) -> float:
                connection = http.client.HTTPConnection("127.0.0.1", where, timeout=300)
                times = []
                for number in range(50):
                    content = sheet(number)
                    begin = time.monotonic()
                    assert post(where, path, content, connection) == 200
                    times.append(time.monotonic() - begin)
                connection.close()
                return statistics.median(times)

            figures["added_ms"] = 1000 * (timed(port, "/scan-upload") - timed(space_port, "/extract"))
            with concurrent.futures.ThreadPoolExecutor(8) as senders:
                begin = time.monotonic()
                statuses = list(senders.map(lambda number: post(port, "/scan-upload", sheet(number)), range(options.uploads)))
                figures["uploads_per_s"] = len(statuses) / (time.monotonic() - begin)
            large = [sheet(number, 5_000_000) for number in range(options.clients)]
            with Resident(process.pid) as watched, concurrent.futures.ThreadPoolExecutor(options.clients) as senders:
                statuses += list(senders.map(lambda content: post(port, "/scan-upload", content), large))
            figures["crowd_mb"] = watched.most
            figures["refused"] = sum(status != 200 for status in statuses)
            return figures
        finally:
            process.terminate()
            process.wait(timeout=60)


def peer_python() -> Path:
    folder = ROOT / ".deps/bench-gateway"
    if not (folder / "ready").exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--requirement",
                        str(ROOT / "bench/peers/gateway_requirements.txt")], check=True)
        (folder / "ready").touch()
    return folder / "bin/python"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--peer", action="store_true", help="also measure the FastAPI gateway")
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--starts", type=int, default=10, help="of which the median counts; the first makes the data folder")
    parser.add_argument("--clients", type=int, default=100, help="that upload 5 MB each, at once")
    options = parser.parse_args()
    space = ThreadingHTTPServer(("127.0.0.1", 0), Space)
    space.daemon_threads = True
    threading.Thread(target=space.serve_forever, daemon=True).start()
    env = {"HF_SPACE_URL": f"http://127.0.0.1:{space.server_port}", "DATABASE_URL": ""}
    figures = {}
    with tempfile.TemporaryDirectory() as data:
        port = free_port()
        figures["alcove"] = measure([str(ROOT / "build/release/alcove"), "gateway", "--host", "127.0.0.1", "--port", str(port), "--data",
                                     f"{data}/alcove", "--models", f"{data}/none"], env, port, space.server_port, options)
        if options.peer:
            port = free_port()
            figures["fastapi"] = measure([str(peer_python()), str(ROOT / "bench/peers/gateway_fastapi.py"), str(port), f"{data}/peer"],
                                         env, port, space.server_port, options)
    for name, row in figures.items():
        print(name.ljust(8), "  ".join(f"{key} {value:.3f}" if value < 10 else f"{key} {value:.0f}" for key, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
