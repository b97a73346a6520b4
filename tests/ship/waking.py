"""A Space asleep at the fake hub, a gateway in front of it, and sheets that come meanwhile: what happens second by second."""

import json
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests
from hub.fake_hub import Hub

from conftest import ROOT
from serving import free_port
from ship.host import FolderHost, run_pushed

TOKEN = "space-token"
DOCKERFILE = ROOT / "deploy/answer-sheet/Dockerfile"


@dataclass
class Wake:
    first_answer: float = 0.0     # seconds from the first sheet's first byte to its reading
    last_answer: float = 0.0
    states: list[tuple[float, str, str]] = field(default_factory=list)  # seconds, state, sentence: what the gateway's page shows
    answers: list[dict] = field(default_factory=list)
    records: list[dict] = field(default_factory=list)


def sleeping_space(hub: Hub, folder: Path, alcove: Path, models: Path, variables: dict[str, str] | None = None):
    """A Space with program and weights as links, built once and asleep."""

    def host_of(context: Path, volume: Path, arguments: dict[str, str]) -> FolderHost:
        context.mkdir(parents=True, exist_ok=True)
        (context / "program").symlink_to(alcove.parent)
        (context / "models").symlink_to(models)
        return FolderHost(context, volume, arguments)

    run_pushed(hub, folder, host_of)
    space = hub.create_space("alice/sheets")
    hub.store.put(hub.store.repos["spaces", "alice/sheets"], {"Dockerfile": DOCKERFILE.read_bytes(), "README.md": b"---\nsdk: docker\n---\n"})
    space.secrets["ALCOVE_TOKEN"] = TOKEN
    space.variables |= variables or {}
    space.build_seconds = 0
    space.set("APP_STARTING")
    wait_for_stage(space, "RUNNING")
    space.set("SLEEPING")
    return space


def wait_for_stage(space, stage: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        space.tick()
        if space.stage == stage:
            return
        time.sleep(0.05)
    raise AssertionError(f"{space.stage} instead of {stage}, {space.error}")


def forget_compiled(folder: Path) -> None:
    for cache in folder.glob("*/compiled"):
        shutil.rmtree(cache)


def wake(hub: Hub, space, folder: Path, alcove: Path, sheets: list[str]) -> Wake:
    """Sheets posted all at once to a gateway whose Space sleeps."""
    port, seen = free_port(), Wake()
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "HF_SPACE_URL": hub.app_host(space), "HF_SPACE_TOKEN": TOKEN, "ALCOVE_MODELS": str(folder / "none")}
    data = folder / f"data-{port}"
    log = (folder / f"gateway-{port}.log").open("w")
    gateway = subprocess.Popen([str(alcove), "gateway", "--port", str(port), "--host", "127.0.0.1", "--data", str(data), "--policy", "remote-only", "--hold", "120"],
                               env=env, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until_up(url)
        start = time.monotonic()
        watching = threading.Event()

        def watch() -> None:
            while not watching.wait(0.1):
                now = requests.get(url + "/status", timeout=30).json()["space"]
                if not seen.states or (now["state"], now.get("why", "")) != seen.states[-1][1:]:
                    seen.states.append((time.monotonic() - start, now["state"], now.get("why", "")))

        def post(name: str) -> None:
            content = (ROOT / "samples/sheets" / name).read_bytes()
            reply = requests.post(url + "/scan-upload", files={"file": (name, content)}, timeout=180)
            seen.answers.append({"name": name, "at": time.monotonic() - start, "status": reply.status_code, **reply.json()})

        threads = [threading.Thread(target=post, args=(name,)) for name in sheets] + [threading.Thread(target=watch)]
        for thread in threads:
            thread.start()
        for thread in threads[:-1]:
            thread.join()
        watching.set()
        threads[-1].join()
    finally:
        gateway.terminate()
        gateway.wait(timeout=60)
    seen.first_answer, seen.last_answer = min(each["at"] for each in seen.answers), max(each["at"] for each in seen.answers)
    printed = subprocess.run([str(alcove), "gateway", "export", "--data", str(data)], capture_output=True, text=True, timeout=60, env=env).stdout
    seen.records = [json.loads(line) for line in printed.splitlines()]
    return seen


def until_up(url: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if requests.get(url + "/livez", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.02)
    raise AssertionError("the gateway did not answer")
