"""--idle-unload and --idle-exit: what a server is while nobody comes. Memory is held to its line; times are figures."""

import time
from pathlib import Path

import pytest
import requests

from conftest import ROOT
from serving import Server

LINE = 60e6  # bytes of anonymous memory of a server that rests, its decoders' keeper included
MODEL = ROOT / "tests/golden/bert/sentences_mean"


def family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def anonymous(pid: int) -> int:
    """Bytes, of the server and its children."""
    total = 0
    for each in family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Anonymous:"):
                total += int(line.split()[1]) * 1024
    return total


def wait_for_event(server: Server, event: str, count: int = 1, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if sum(line.get("event") == event for line in server.log_lines()) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {event}:\n{server.log.read_text()}")


def timed(ask) -> tuple[float, requests.Response]:
    start = time.monotonic()
    reply = ask()
    return time.monotonic() - start, reply


def is_sanitized(alcove: Path) -> bool:
    return b"__asan_init" in alcove.read_bytes()


def test_sheet_models_leave_and_come_back(start, alcove, models, samples, capsys):
    server = start("serve", "answer-sheet", "--models", models, "--idle-unload", 1)
    server.wait_until("/readyz", 200)
    name = "clean-ledger.png"
    content = (ROOT / "samples/sheets" / name).read_bytes()

    def read() -> requests.Response:
        return requests.post(server.url + "/extract", files={"file": (name, content)}, timeout=60)

    reply = read()
    assert reply.json()["register_number"] == samples[name]["register_number"]
    working = anonymous(server.process.pid)
    for times in (1, 2, 3):
        wait_for_event(server, "models_resting", times)
        resting = anonymous(server.process.pid)
        status = requests.get(server.url + "/status", timeout=10).json()
        assert status["state"] == "resting" and status["ready"] and requests.get(server.url + "/readyz", timeout=10).status_code == 200
        seconds, reply = timed(read)
        assert reply.json()["register_number"] == samples[name]["register_number"]
        with capsys.disabled():
            print(f"\n   sheets: {working / 1e6:.0f} MB at work, {resting / 1e6:.0f} MB at rest, {seconds:.2f} s to the first answer after it", flush=True)
    assert resting < working
    if not is_sanitized(alcove):
        assert resting < LINE
    assert server.stop() == 0


def test_models_that_vanished_meanwhile_are_said(start, models, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    for path in models.glob("*.p*"):
        (folder / path.name).symlink_to(path)
    server = start("serve", "answer-sheet", "--models", folder, "--idle-unload", 1)
    server.wait_until("/readyz", 200)
    wait_for_event(server, "models_resting")
    (folder / "improved_weights.pt").rename(tmp_path / "away.pt")
    sheet = {"file": ("clean-ledger.png", (ROOT / "samples/sheets/clean-ledger.png").read_bytes())}
    reply = requests.post(server.url + "/extract", files=sheet, timeout=60)
    assert reply.status_code == 503 and "improved_weights.pt" in reply.json()["detail"]
    (tmp_path / "away.pt").rename(folder / "improved_weights.pt")
    server.wait_until("/readyz", 200)
    assert requests.post(server.url + "/extract", files=sheet, timeout=60).status_code == 200
    assert server.stop() == 0


def test_a_text_model_leaves_and_comes_back(start, run, alcove, tmp_path, capsys):
    data = tmp_path / "data"
    assert run("papers", "import", ROOT / "samples/papers/papers.jsonl", "--data", data, "--model", MODEL).returncode == 0
    server = start("serve", "paper-finder", "--data", data, "--model", MODEL, "--idle-unload", 1)
    server.wait_until("/readyz", 200)

    def search(query: str) -> list[str]:
        reply = requests.get(server.url + "/api/search", params={"q": query, "mode": "meaning"}, timeout=60)
        assert reply.status_code == 200, reply.text
        return [hit["id"] for hit in reply.json()["results"]]

    server.wait_until("/api/search?q=graphs&mode=meaning", 200)
    before = search("graphs")
    wait_for_event(server, "model_resting")
    resting = anonymous(server.process.pid)
    start_time = time.monotonic()
    assert search("graphs") == before
    with capsys.disabled():
        print(f"\n   finder: {resting / 1e6:.0f} MB at rest, {time.monotonic() - start_time:.2f} s to the first answer after it", flush=True)
    if not is_sanitized(alcove):
        assert resting < LINE
    assert server.stop() == 0


@pytest.mark.parametrize("command", ["answer-sheet", "paper-finder", "gateway"])
def test_probes_keep_nobody_awake(start, models, tmp_path, command):
    words = {"answer-sheet": ["serve", "answer-sheet", "--models", models], "paper-finder": ["serve", "paper-finder", "--data", tmp_path / "p"],
             "gateway": ["gateway", "--data", tmp_path / "g", "--models", tmp_path / "none"]}[command]
    server = start(*words, "--idle-exit", 2)
    end = time.monotonic() + 60
    while server.process.poll() is None and time.monotonic() < end:
        try:
            requests.get(server.url + "/livez", timeout=5)
            requests.get(server.url + "/metrics", timeout=5)
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    assert server.process.poll() == 0, "it left by itself, in order"
    assert any(line.get("event") == "idle_exit" for line in server.log_lines())


def test_calls_do(start, tmp_path):
    server = start("serve", "paper-finder", "--data", tmp_path / "p", "--idle-exit", 3)
    server.wait_until("/livez", 200)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        requests.get(server.url + "/api/search", params={"q": "x"}, timeout=10)
        time.sleep(0.2)
    assert server.process.poll() is None
    assert server.stop() == 0
