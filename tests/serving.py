"""A server of the real binary, whichever it is."""

import json
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import requests


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A running `alcove serve …`."""

    process: subprocess.Popen
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until(self, path: str, status: int, seconds: float = 120) -> float:
        """Seconds until `path` answered with `status`."""
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            assert self.process.poll() is None, f"the server ended:\n{self.log.read_text()}"
            try:
                if requests.get(self.url + path, timeout=5).status_code == status:
                    return time.monotonic() - start
            except requests.ConnectionError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"{path} did not answer {status} within {seconds} s:\n{self.log.read_text()}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def log_lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
