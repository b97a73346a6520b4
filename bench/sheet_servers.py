"""Two servers with one contract: `alcove serve answer-sheet` and the peer, as processes whose time and memory can be told."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("ALCOVE_BINARY", ROOT / "build/release/alcove"))
PEER = ROOT / "bench/peers/sheets"
PEER_PYTHON = ROOT / ".deps/peers/sheets/bin/python"
BOUNDARY = "alcove-bench"
START_LIMIT = 600  # seconds; PyTorch on a busy machine
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A process on a free port, ended when the block is left."""

    def __init__(self, command: list[str | Path]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(part).replace("PORT", str(self.port)) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "YOLO_CONFIG_DIR": str(ROOT / "build/bench"), "YOLO_OFFLINE": "true"},
        )

    def __enter__(self) -> "Server":
        try:
            while not self.status().get("ready"):
                if self.process.poll() is not None or time.perf_counter() - self.started > START_LIMIT:
                    raise SystemExit(f"the server did not become ready: {' '.join(map(str, self.process.args))}")
                time.sleep(0.005)
        except BaseException:
            self.__exit__()
            raise
        self.ready_after = time.perf_counter() - self.started
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def status(self) -> dict:
        try:
            return json.loads(Client(self).request("GET", "/status")[0])
        except (OSError, http.client.HTTPException):
            return {}

    def processes(self) -> list[int]:
        """Its own and every descendant's number."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents.setdefault(int(stat_of(int(entry.name))[1]), []).append(int(entry.name))
                except OSError:
                    continue
        found = [self.process.pid]
        for number in found:
            found += parents.get(number, [])
        return found

    def cpu_seconds(self) -> float:
        """Spent so far by all of them, and by children that ended."""
        total = 0
        for number in self.processes():
            try:
                total += sum(map(int, stat_of(number)[11:15]))
            except OSError:
                continue
        return total / TICKS

    def pss_mb(self) -> float:
        """Memory of all of them, what they share counted once."""
        total = 0
        for number in self.processes():
            try:
                rollup = Path(f"/proc/{number}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return total / 1024


def stat_of(process: int) -> list[str]:
    """Fields of /proc/N/stat from the state on: the name before may hold anything."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def alcove(models: Path, cache: Path, *options: str) -> Server:
    return Server([PROGRAM, "serve", "answer-sheet", "--host", "127.0.0.1", "--port", "PORT", "--models", models, "--cache", cache, *options])


def peer(models: Path) -> Server:
    return Server([PEER_PYTHON, PEER / "server.py", models, "PORT"])


class Client:
    """One connection that is kept."""

    def __init__(self, server: Server) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None):
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return response.read(), response.headers

    def extract(self, name: str, content: bytes) -> tuple[dict, dict[str, float], float]:
        """The reply, the server's own account of its time by stage, and the time it took from here; milliseconds."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        body = head + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        before = time.perf_counter()
        reply, headers = self.request("POST", "/extract", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
        took = 1000 * (time.perf_counter() - before)
        return json.loads(reply), stages_of(headers.get("Server-Timing", "")), took


def stages_of(timing: str) -> dict[str, float]:
    """`queue;dur=0.1, decode;dur=12.3` as numbers."""
    return {name: float(duration) for name, _, duration in (part.strip().partition(";dur=") for part in timing.split(",")) if duration}


def libraries_of(*files: Path) -> set[Path]:
    """What the loader would load with these, and themselves."""
    found = set(files)
    for file in files:
        for line in subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout.splitlines():
            if "/" in line:
                found.add(Path(line[line.index("/") :].split(" ")[0]).resolve())
    return found


def alcove_installed_mb() -> float:
    """The program, its engine and every shared library either needs, Debian's included."""
    files = libraries_of(PROGRAM, PROGRAM.parent / "libalcove_engine.so")
    files |= {path.resolve() for folder in ("openvino", "pdfium") for path in (ROOT / ".deps" / folder / "lib").iterdir()}
    return sum(file.stat().st_size for file in files) / 1e6


def peer_installed_mb() -> float:
    """The packages that its requirements bring, without Python and poppler."""
    done = subprocess.run([PEER_PYTHON, PEER / "installed.py"], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1e6
