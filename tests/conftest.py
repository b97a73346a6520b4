"""What every test here shares: the program under test, and the folders it reads."""

import json
import os
import subprocess
from pathlib import Path

import pytest

pytest.register_assert_rewrite("browsing", "openapi", "serving")  # so that what they find wrong is told

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def alcove() -> Path:
    """The program under test: ALCOVE_BINARY, else the release build."""
    program = Path(os.environ.get("ALCOVE_BINARY", ROOT / "build/release/alcove"))
    assert program.exists(), f"{program} is missing; run script/build"
    return program


@pytest.fixture(scope="session")
def models() -> Path:
    """A folder with the three files of a Space: ALCOVE_MODELS, else the demo weights."""
    return Path(os.environ.get("ALCOVE_MODELS", ROOT / "models/demo"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled models of this run, so that only the first start compiles."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="session")
def run(alcove: Path, cache: Path):
    """Runs the program and gives what it printed; never waits longer than two minutes."""

    def call(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(alcove), *map(str, arguments)],
            capture_output=True, text=True, timeout=120,
            env={**os.environ, "ALCOVE_CACHE": str(cache), **(env or {})},
        )

    return call


@pytest.fixture(scope="session")
def samples() -> dict[str, dict]:
    """The sample sheets' truth, by file name."""
    return json.loads((ROOT / "samples/sheets/truth.json").read_text())


@pytest.fixture(scope="session")
def browser():
    """One for the pages of all servers: the library runs once in a process."""
    from browsing import chromium

    with chromium() as one:
        yield one


@pytest.fixture(scope="session")
def look():
    from browsing import Look

    return Look()
