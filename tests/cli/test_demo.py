"""`alcove demo`: a Space and a gateway of its own, the samples through both, n/N, and an exit code that means it."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import requests
from conftest import ROOT
from serving import free_port

DEMO = ROOT / "models/demo"


@pytest.fixture
def port() -> int:
    return free_port()


def demo(run, port: int, models: Path):
    return run("demo", "--once", *ports(port), "--models", models, "--samples", ROOT / "samples/sheets")


def ports(port: int) -> list[object]:
    return ["--port", port, "--gateway-port", free_port(), "--finder-port", free_port()]


def test_the_demo_reads_the_samples_and_says_how_many(run, port, samples):
    done = demo(run, port, DEMO)
    assert done.returncode == 0, done.stdout + done.stderr
    right, total = map(int, re.search(r"^(\d+)/(\d+) as the truth says", done.stdout, re.MULTILINE).groups())
    assert total == len(samples) and right == done.stdout.count("  right")
    assert all(name in done.stdout for name in samples)
    assert f"{total}/{total} recorded exactly once" in done.stdout
    waiting = re.search(r"^(\d+) sheets wait for review on http://\S+/#review$", done.stdout, re.MULTILINE)
    assert waiting and 0 < int(waiting[1]) < total
    assert "  remote  " in done.stdout and "  local  " in done.stdout


def test_it_stays_up_with_the_pages_of_both(alcove, cache, port):
    command = [str(alcove), "demo", *map(str, ports(port)), "--text-model", "none-here"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "ALCOVE_CACHE": str(cache)}) as process:
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("Find papers on "):
                    break
            else:
                pytest.fail("".join(lines))
            finder = lines[-1].split()[-1]
            page = requests.get(finder, headers={"Accept": "text/html"}, timeout=60)
            assert page.status_code == 200 and "<title>" in page.text
            found = requests.get(finder + "/api/search", params={"q": "residual learning"}, timeout=60).json()
            assert found["results"][0]["id"] == "he2016resnet"
            assert requests.get(f"http://127.0.0.1:{port}", headers={"Accept": "text/html"}, timeout=60).status_code == 200
        finally:
            process.terminate()


def test_readers_in_each_others_place_fail_the_demo(run, port, tmp_path):
    """Both load, since both are readers; what they read is not what the sheets say."""
    shutil.copy(DEMO / "improved_weights.pt", tmp_path)
    shutil.copy(DEMO / "best_crnn_model(git).pth", tmp_path / "best_subject_model_final.pth")
    shutil.copy(DEMO / "best_subject_model_final.pth", tmp_path / "best_crnn_model(git).pth")
    done = demo(run, port, tmp_path)
    assert done.returncode == 1
    assert "are right" in done.stdout


def test_a_folder_without_weights_says_so(run, port, tmp_path):
    done = demo(run, port, tmp_path)
    assert done.returncode == 2
    assert "Model weights not found" in done.stderr


def test_a_port_that_is_taken_is_named(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = demo(run, port, DEMO)
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr
