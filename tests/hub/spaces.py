"""A Space's life in the fake hub: its stage, settings, log and the application behind its address."""

import datetime
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

HARDWARE = [
    {"name": "cpu-basic", "prettyName": "CPU basic", "cpu": "2 vCPU", "ram": "16 GB", "accelerator": None, "unitCostUSD": 0, "unitLabel": "hour"},
    {"name": "cpu-upgrade", "prettyName": "CPU upgrade", "cpu": "8 vCPU", "ram": "32 GB", "accelerator": None, "unitCostUSD": 0.03, "unitLabel": "hour"},
    {"name": "t4-small", "prettyName": "Nvidia T4 - small", "cpu": "4 vCPU", "ram": "15 GB",
     "accelerator": {"type": "gpu", "model": "T4", "quantity": "1", "vram": "16 GB", "manufacturer": "Nvidia"}, "unitCostUSD": 0.4, "unitLabel": "hour"},
]
IN_PROGRESS = ("BUILDING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING")


class App(Protocol):
    """What runs behind a Space's address."""

    url: str

    def answers(self) -> bool: ...
    def ended(self) -> bool: ...
    def stop(self) -> None: ...


@dataclass
class Space:
    id: str
    sdk: str = "docker"
    stage: str = "NO_APP_FILE"
    since: float = field(default_factory=time.monotonic)
    hardware: str = "cpu-basic"
    sleep: int = 172800
    secrets: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)
    volumes: list = field(default_factory=list)
    build_log: list = field(default_factory=list)
    run_log: list = field(default_factory=list)
    error: str | None = None
    # What the tests set.
    build_seconds: float = 0.3
    fails: str | None = None    # the stage it ends in instead of RUNNING
    fail_lines: tuple = ()      # written to the log where it fails
    app_status: int = 200       # of every path behind the Space's address
    app_type: str = "application/json"
    app_body: str = '{"status": "ok"}'
    boot: int = 0               # how often it was started
    launch: Callable[["Space"], "App"] | None = None  # starts a real application, which then answers instead of app_body
    app: "App | None" = None
    changing: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def subdomain(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.id.lower())

    def set(self, stage: str) -> None:
        with self.changing:
            if self.app and not stage.startswith("RUNNING"):
                self.app.stop()
                self.app = None
            if self.launch and stage == "APP_STARTING":
                self.app = self.launch(self)
            self.stage, self.since = stage, time.monotonic()

    def write(self, log: list, line: str) -> None:
        log.append({"data": line + "\n", "timestamp": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"})

    def build(self, files: dict[str, bytes]) -> None:
        """A commit, or a rebuild: what the Hub looks at first, then the log of a Docker build."""
        self.error = None
        readme = files.get("README.md", b"").decode(errors="replace")
        front = re.match(r"---\n(.*?)\n---", readme, re.S)
        if not front or not re.search(r"^sdk:\s*(docker|gradio|static)\s*$", front.group(1), re.M):
            self.error = "Missing or bad configuration in README: sdk"
            return self.set("CONFIG_ERROR")
        if "Dockerfile" not in files:
            return self.set("NO_APP_FILE")
        self.build_log.clear()
        self.run_log.clear()
        steps = [line for line in files["Dockerfile"].decode().splitlines() if re.match(r"[A-Z]+ ", line)]
        for number, step in enumerate(steps, 1):
            self.write(self.build_log, f"#{number} [{number}/{len(steps)}] {step}")
        self.set("RUNNING_BUILDING" if self.stage.startswith("RUNNING") else "BUILDING")

    def start(self) -> None:
        if self.stage in ("RUNNING", "PAUSED", "SLEEPING", "STOPPED", "RUNTIME_ERROR"):
            self.run_log.clear()
            self.set("APP_STARTING")

    def tick(self) -> None:
        with self.changing:
            self.move_on()

    def move_on(self) -> None:
        """Stages move on by themselves. An application that ends while it runs, ends as one that slept: the next visit starts it."""
        if self.stage == "RUNNING" and self.app and self.app.ended():
            self.set("SLEEPING")
        if self.stage in IN_PROGRESS and time.monotonic() - self.since >= self.build_seconds:
            if "BUILDING" in self.stage:
                if self.fails == "BUILD_ERROR":
                    for line in self.fail_lines:
                        self.write(self.build_log, line)
                    self.error = "Job failed with exit code: 1"
                    return self.set("BUILD_ERROR")
                return self.set("APP_STARTING")
            if self.app and self.app.ended():
                self.error = "Exit code: 1. Reason: the application ended"
                return self.set("RUNTIME_ERROR")
            if self.app and not self.app.answers():
                return None  # it has not opened its port yet
            self.boot += 1
            self.write(self.run_log, "===== Application Startup =====")
            for line in self.fail_lines:
                self.write(self.run_log, line)
            if self.fails == "RUNTIME_ERROR":
                self.error = self.error or "Exit code: 1. Reason: the application ended"
                return self.set("RUNTIME_ERROR")
            self.write(self.run_log, f"listening on port 7860, boot {self.boot}")
            self.set("RUNNING")

    def runtime(self) -> dict:
        self.tick()
        made = {"stage": self.stage, "hardware": {"current": self.hardware if self.stage.startswith("RUNNING") else None, "requested": self.hardware},
                "storage": None, "gcTimeout": self.sleep, "replicas": {"requested": 1}, "devMode": False, "volumes": self.volumes,
                "domains": [{"domain": f"{self.subdomain}.hf.space", "stage": "READY"}]}
        return made | ({"errorMessage": self.error} if self.error else {})
