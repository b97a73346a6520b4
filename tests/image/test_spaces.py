"""Both guides with their Spaces in images: Debian 13, uid 1000, a system that cannot be written."""

import json
import subprocess
import time
from pathlib import Path

import pytest
import requests
from ship import guides
from ship.host import ImageHost, image

from conftest import ROOT

MODEL = ROOT / ".deps/all-MiniLM-L6-v2"


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]):
    """A figure for whoever reads the run."""

    def print_now(line: str) -> None:
        with capsys.disabled():
            print(f"\n   {line}", flush=True)

    return print_now


def weights_of(root: Path) -> float:
    return image.megabytes(root / "srv")


def inside(tag: str, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(image.start_line(tag, command=["/bin/sh", "-c", script]), capture_output=True, text=True, timeout=60)


def healthy(tag: str, port: str) -> bool:
    health = json.loads((image.HOME / f"{tag}.json").read_text())["health"]
    return subprocess.run(image.start_line(tag, env={"PORT": port}, command=health), capture_output=True, timeout=60).returncode == 0


def test_the_answer_sheet_guide_in_an_image(hub, call, alcove, models, tmp_path, samples, say):
    guides.answer_sheets(hub, call, alcove, models, tmp_path, samples)
    tag = "alice-answer-sheet-ml"
    root = image.HOME / tag
    size = image.beyond_base(tag) - weights_of(root)
    say(f"answer-sheet: {size:.0f} MB beyond the base, {weights_of(root):.0f} MB of weights and what was compiled of them")
    assert size <= 250

    asked = inside(tag, "id -u; touch /opt/alcove/x /srv/x /home/alcove/x; touch /tmp/x && echo tmp")
    assert asked.stdout.split() == ["1000", "tmp"] and asked.stderr.count("Read-only") == 3, asked

    host = ImageHost(tmp_path, tmp_path / "none", tag)
    host.volume.mkdir()
    times = []
    for _ in range(3):
        start = time.monotonic()
        running = host.start({})
        running.wait("/readyz")
        times.append(time.monotonic() - start)
        assert healthy(tag, running.url.rsplit(":", 1)[1]) and not healthy(tag, "9")
        name = "clean-ledger.png"
        sent = requests.post(running.url + "/extract", files={"file": (name, (ROOT / "samples/sheets" / name).read_bytes())}, timeout=60).json()
        assert sent["register_number"] == samples[name]["register_number"]
        running.stop()
    say(f"answer-sheet: ready {min(times):.2f} s after start (three starts: {', '.join(f'{each:.2f}' for each in times)})")


def test_weights_from_an_address_and_from_the_hub(hub, call, models, tmp_path, samples):
    guides.weights_from_afar(hub, call, models, tmp_path, samples, {"improved_weights.pt"})


def test_the_paper_finder_guide_in_an_image(hub, call, tmp_path, say):
    assert MODEL.exists(), "script/bootstrap --papers fetches the model"
    guides.paper_finder(hub, call, MODEL, tmp_path, tmp_path / "spaces/alice-openreview-finder-volume")
    tag = "alice-openreview-finder"
    say(f"paper-finder: {image.beyond_base(tag) - weights_of(image.HOME / tag):.0f} MB beyond the base, {weights_of(image.HOME / tag):.0f} MB of model")
