"""A fake hub for each test, and Alcove and the Python client pointed at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.fake_hub import Hub


@pytest.fixture
def hub(tmp_path: Path):
    folder = tmp_path / "objects"
    folder.mkdir()
    hub = Hub(folder)
    yield hub
    hub.close()


@pytest.fixture
def hub_env(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """The whole environment of a client: nothing of this machine's own tokens or caches."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.url(), "HF_TOKEN": "hf_alice_write",
            "HF_HUB_ETAG_TIMEOUT": "60", "HF_HUB_DOWNLOAD_TIMEOUT": "60", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


@pytest.fixture
def call(alcove: Path, hub_env: dict[str, str], tmp_path: Path):
    """Runs Alcove against the fake hub."""

    def run(*arguments: object, env: dict[str, str] | None = None, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(alcove), *map(str, arguments)], capture_output=True, text=True, timeout=60, input=stdin,
                              env={**hub_env, **(env or {})}, cwd=cwd or tmp_path)

    return run


@pytest.fixture
def python(hub_env: dict[str, str], tmp_path: Path):
    """Runs lines of Python with the real client against the fake hub; what they print."""

    def run(code: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**hub_env, **(env or {})}, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
