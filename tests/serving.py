"""A server of the real binary, whichever it is."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

    def reply_when(self, path: str, right: Callable[[requests.Response], bool], seconds: float, timeout: float) -> requests.Response:
        """The first reply of `path` that is right."""
        end, last = time.monotonic() + seconds, "nothing"
        while time.monotonic() < end:
            assert self.process.poll() is None, f"the server ended:\n{self.log.read_text()}"
            try:
                reply = requests.get(self.url + path, timeout=timeout)
                if right(reply):
                    return reply
                last = f"{reply.status_code} {reply.text[:2000]}"
            except requests.ConnectionError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"{path} was never right within {seconds} s, it last said {last}:\n{self.log.read_text()}")

    def wait_until(self, path: str, status: int, seconds: float = 120) -> float:
        """Seconds until `path` answered with `status`."""
        start = time.monotonic()
        self.reply_when(path, lambda reply: reply.status_code == status, seconds, timeout=5)
        return time.monotonic() - start

    def until(self, true: Callable[[dict], bool], seconds: float = 120) -> dict:
        """What /status says once it is so."""
        return self.reply_when("/status", lambda reply: true(reply.json()), seconds, timeout=10).json()

    def resident(self) -> int:
        """Bytes of memory it holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def log_lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@contextmanager
def starting() -> Iterator[Callable[[list[str], int, Path, dict[str, str]], Server]]:
    """Starts servers; those that still run are ended with it."""
    started: list[subprocess.Popen] = []

    def start(command: list[str], port: int, log: Path, env: dict[str, str]) -> Server:
        with log.open("w") as output:
            started.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=env))
        return Server(started[-1], port, log)

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
