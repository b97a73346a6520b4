"""Where a Space that was pushed to the fake hub is built and runs: its Dockerfile's steps in a folder, or in an image (tools/image.py)."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests
from hub.fake_hub import Hub
from hub.spaces import Space

from conftest import ROOT
from serving import free_port

_spec = importlib.util.spec_from_file_location("image", ROOT / "tools/image.py")
image = importlib.util.module_from_spec(_spec)
sys.modules["image"] = image  # dataclasses look their module up
_spec.loader.exec_module(image)


def check_out(hub: Hub, name: str, folder: Path) -> Path:
    """The Space's files, as the Hub's builder gets them."""
    store = hub.store
    for path, file in store.repos["spaces", name].at("main").files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(store.content(file))
    return folder


@dataclass
class Process:
    """A running Space, as spaces.App has it."""

    process: subprocess.Popen
    url: str
    log: Path

    def answers(self) -> bool:
        try:
            return requests.get(self.url + "/livez", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def ended(self) -> bool:
        return self.process.poll() is not None

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def wait(self, path: str = "/readyz", seconds: float = 60) -> float:
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            assert not self.ended(), f"it ended:\n{self.log.read_text()}"
            try:
                if requests.get(self.url + path, timeout=5).status_code == 200:
                    return time.monotonic() - start
            except requests.ConnectionError:
                pass
            time.sleep(0.01)
        raise AssertionError(f"{path} was not 200 within {seconds} s:\n{self.log.read_text()}")


@dataclass
class FolderHost:
    """No container: what COPY brings stays where it was pushed to, the program's own steps run there, and so does CMD."""

    context: Path
    volume: Path
    arguments: dict[str, str] = field(default_factory=dict)  # of the build
    places: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)

    def build(self) -> "FolderHost":
        self.volume.mkdir(parents=True, exist_ok=True)
        self.places = {"/data": str(self.volume), "/srv/compiled": str(self.context / "compiled"), "/home/alcove": str(self.context / "home")}
        for one in image.parse((self.context / "Dockerfile").read_text()):
            if one.word == "COPY" and "from" not in one.flags:
                source, target = one.rest.split()
                self.places[target.rstrip("/")] = str(self.context / source.replace("[", "").replace("]", "").rstrip("/"))
            elif one.word == "RUN" and "/opt/alcove/" in one.rest:
                subprocess.run(["/bin/sh", "-c", self.placed(one.rest)], check=True, capture_output=True, env={**os.environ, **self.arguments})
            elif one.word == "ENV":
                self.env |= dict(self.placed(pair).split("=", 1) for pair in one.rest.split())
            elif one.word == "CMD":
                self.command = [self.placed(word) for word in image.command_of(one.rest)]
        return self

    def placed(self, text: str) -> str:
        for there, here in sorted(self.places.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(there, here)
        return text

    def start(self, env: dict[str, str]) -> Process:
        port = free_port()
        given = {"PATH": os.environ["PATH"], **self.env, **env, "PORT": str(port), "ALCOVE_HOST": "127.0.0.1"}
        return begin(self.command, port, self.context / f"log-{port}", given)


@dataclass
class ImageHost:
    """The image as a container engine would make and run it."""

    context: Path
    volume: Path
    tag: str
    arguments: dict[str, str] = field(default_factory=dict)  # of the build
    command: list[str] | None = None                         # in the place of its CMD

    def build(self) -> "ImageHost":
        self.volume.mkdir(parents=True, exist_ok=True)
        os.chown(self.volume, 1000, 1000)
        image.build(self.context, self.tag, arguments=self.arguments)
        return self

    def start(self, env: dict[str, str]) -> Process:
        port = free_port()
        line = image.start_line(self.tag, {"/data": str(self.volume)}, {**env, "PORT": str(port), "ALCOVE_HOST": "127.0.0.1"}, self.command)
        return begin(line, port, self.context / f"log-{port}", None)


def begin(command: list[str], port: int, log: Path, env: dict[str, str] | None) -> Process:
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=env, start_new_session=True)
    return Process(process, f"http://127.0.0.1:{port}", log)


class Application:
    """spaces.App of a Space that was pushed: built when it is first started, which takes a while, and run."""

    def __init__(self, host_of, env: dict[str, str]):
        self.url, self.process, self.failed, self.stopped = "", None, None, False
        self.thread = threading.Thread(target=self.begin, args=(host_of, env), daemon=True)
        self.thread.start()

    def begin(self, host_of, env: dict[str, str]) -> None:
        try:
            host = host_of()
            if not self.stopped:
                self.process = host.start(env)
                self.url = self.process.url
        except Exception as trouble:  # told by the stage, as a build's failure is
            self.failed = trouble
            print(f"the Space did not start: {trouble!r}", file=sys.stderr)

    def answers(self) -> bool:
        return self.process is not None and self.process.answers()

    def ended(self) -> bool:
        return self.failed is not None or (self.process is not None and self.process.ended())

    def stop(self) -> None:
        self.stopped = True
        self.thread.join()
        if self.process:
            self.process.stop()


def run_pushed(hub: Hub, folder: Path, host_of) -> None:
    """From now on the fake hub's Spaces are real: `host_of(context, volume, variables)` makes the host of each."""
    hosts: dict[tuple[str, str], object] = {}

    def built(space: Space):
        key = (space.id, hub.store.repos["spaces", space.id].refs["main"])
        if key not in hosts:
            shutil.rmtree(folder / space.subdomain, ignore_errors=True)
            context = check_out(hub, space.id, folder / space.subdomain)
            hosts[key] = host_of(context, folder / f"{space.subdomain}-volume", dict(space.variables)).build()
        return hosts[key]

    def launch(space: Space) -> Application:
        return Application(lambda: built(space), {**space.variables, **space.secrets, "SPACE_ID": space.id})

    hub.launch = launch
