"""What the gateway's tests work with: a Space that does what a test says, and a gateway that runs."""

import contextlib
import hashlib
import json
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from serving import free_port

SERVICE = "Answer Sheet ML Inference"


def sheet(number: object) -> bytes:
    """A file that passes for a PDF and is like no other."""
    return f"%PDF-1.4\n% sheet {number}\n".encode()


def number_of(content: bytes) -> str:
    """The register number that the fake Space reads off a file."""
    return str(int(hashlib.sha256(content).hexdigest()[:12], 16))


def reading(number: str, code: str = "CS101") -> dict:
    def candidate(value: str) -> list[dict]:
        return [{"value": value, "confidence": 0.97, "detection_confidence": 0.9}]

    return {"success": True, "register_number": number, "subject_code": code,
            "register_candidates": candidate(number), "subject_candidates": candidate(code)}


@dataclass
class FakeSpace:
    """Answers /health and /extract; `extract` and `health` may be replaced while it runs."""

    delay: float = 0.0
    asked: int = 0
    seen: list[str] = field(default_factory=list)
    health: Callable[[BaseHTTPRequestHandler], None] | None = None
    extract: Callable[[BaseHTTPRequestHandler, bytes], None] | None = None
    url: str = ""

    @staticmethod
    def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def say_awake(self, handler: BaseHTTPRequestHandler) -> None:
        self.send(handler, 200, json.dumps({"status": "ok", "service": SERVICE}).encode())

    def start(self) -> ThreadingHTTPServer:
        space = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                if space.health:
                    return space.health(self)
                if self.path == "/health":
                    return space.say_awake(self)
                space.send(self, 404, b'{"detail":"Not Found"}')

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                start = body.index(b"\r\n\r\n", body.index(b'name="file"')) + 4
                content = body[start:body.index(b"\r\n--", start)]
                space.asked += 1
                space.seen.append(hashlib.sha256(content).hexdigest())
                if space.extract:
                    return space.extract(self, content)
                time.sleep(space.delay)
                space.send(self, 200, json.dumps(reading(number_of(content))).encode())

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        return server


@dataclass
class Gateway:
    process: subprocess.Popen
    port: int
    log: Path
    data: Path
    env: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self, seconds: float = 60) -> "Gateway":
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, f"the gateway ended:\n{self.log.read_text()}"
            with contextlib.suppress(requests.ConnectionError):
                requests.get(self.url + "/health", timeout=5)
                return self
            time.sleep(0.01)
        raise AssertionError(f"the gateway did not answer:\n{self.log.read_text()}")

    def status(self) -> dict:
        return requests.get(self.url + "/status", timeout=30).json()

    def judged(self, uuid: str, seconds: float = 60) -> dict:
        """The record, once it is decided upon, which comes a moment after it is recorded."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            record = requests.get(f"{self.url}/records/{uuid}", timeout=30).json()
            if record.get("decision"):
                return record
            time.sleep(0.05)
        raise AssertionError(f"nothing was decided:\n{self.log.read_text()[-3000:]}")

    def wait_until_idle(self, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sheets = self.status().get("sheets", {"waiting": 1})
            if sheets["waiting"] == 0 and sheets.get("reading") == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"sheets still wait: {self.status()}\n{self.log.read_text()[-3000:]}")

    def post(self, path: str, content: bytes, name: str = "a.pdf", headers: dict | None = None, **fields: str) -> requests.Response:
        return requests.post(self.url + path, files={"file": (name, content)}, data=fields, headers=headers or {}, timeout=120)

    def sql(self, statement: str) -> list[tuple[str, ...]]:
        """What somebody does to the records' database behind the gateway's back; rows as text."""
        if address := self.env.get("DATABASE_URL"):
            done = subprocess.run(["psql", address, "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atc", statement], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
            return [tuple(line.split("|")) for line in done.stdout.splitlines()]
        with contextlib.closing(sqlite3.connect(self.data / "gateway.sqlite", timeout=30)) as database, database:
            return [tuple(map(str, row)) for row in database.execute(statement).fetchall()]

    def kept_files(self) -> set[str]:
        """The sha256 of every file whose bytes are there, on this disk or in the database."""
        on_disk = {path.name for path in (self.data / "files").rglob("*") if path.is_file()}
        return on_disk | {row[0] for row in self.sql("SELECT sha256 FROM files")}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
