"""An index without a model for whoever asks for one."""

from pathlib import Path

import pytest

from conftest import ROOT

SAMPLES = ROOT / "samples/papers/papers.jsonl"


@pytest.fixture(scope="module")
def samples_index(run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample papers, by their words alone."""
    data = tmp_path_factory.mktemp("index")
    done = run("papers", "import", SAMPLES, "--data", data)
    assert done.returncode == 0, done.stderr
    return data
