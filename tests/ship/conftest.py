"""A fake hub whose Spaces are real, and Alcove pointed at it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub.fake_hub import Hub
from ship.host import FolderHost, run_pushed

from serving import Server, free_port, starting


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    objects = tmp_path / "objects"
    objects.mkdir()
    made = Hub(objects)
    run_pushed(made, tmp_path / "spaces", FolderHost)
    yield made
    made.close()


@pytest.fixture
def call(hub: Hub, alcove: Path, cache: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    return caller(hub, alcove, cache, tmp_path)


def caller(hub: Hub, alcove: Path, cache: Path, home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Alcove as somebody at a desk would, with nothing of this machine's own tokens."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_HOME": str(home / "hf"), "HF_ENDPOINT": hub.url(), "HF_TOKEN": "hf_alice_write", "ALCOVE_CACHE": str(cache)}

    def call(*arguments: object, cwd: Path | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(alcove), *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=environment, cwd=cwd or home, stdin=subprocess.DEVNULL)

    return call


@pytest.fixture
def start(alcove: Path, cache: Path, tmp_path: Path):
    with starting() as run:
        def call(*arguments: object) -> Server:
            port = free_port()
            return run([str(alcove), *map(str, arguments), "--port", str(port), "--host", "127.0.0.1"], port, tmp_path / f"log-{port}",
                       {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ALCOVE_CACHE": str(cache)})

        yield call
