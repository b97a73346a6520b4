"""An index made on a laptop comes along with a Space: onto a disk, and onto a mount where only checked copies are safe."""

import json
import time
from pathlib import Path

import pytest
import requests

from serving import Server


@pytest.fixture
def add(run, tmp_path: Path):
    """Papers of these titles into an index."""

    def call(data: Path, *titles: str) -> Path:
        papers = tmp_path / "papers.jsonl"
        papers.write_text("".join(json.dumps({"id": title, "title": f"Graphs {title}"}) + "\n" for title in titles))
        done = run("papers", "import", papers, "--data", data)
        assert done.returncode == 0, done.stderr
        return data

    return call


def found(server: Server) -> list[str]:
    server.wait_until("/readyz", 200)
    reply = requests.get(server.url + "/api/search", params={"q": "graphs"}, timeout=30)
    assert reply.status_code == 200, reply.text
    return sorted(hit["id"] for hit in reply.json()["results"])


def events(server: Server) -> list[str]:
    return [line["event"] for line in server.log_lines()]


def wait_for(server: Server, event: str) -> None:
    end = time.monotonic() + 60
    while event not in events(server):
        assert time.monotonic() < end and server.process.poll() is None, server.log.read_text()
        time.sleep(0.05)


@pytest.mark.parametrize("mount", [False, True], ids=["disk", "mount"])
def test_it_is_taken_once(start, add, tmp_path, mount):
    storage = tmp_path / "storage"
    (storage / "huggingface").mkdir(parents=True)  # a Space ran here before

    def serve(shipped: Path, machine: int) -> Server:
        work = ["--work", tmp_path / f"machine-{machine}"] if mount else []
        return start("serve", "paper-finder", "--data", storage, "--model", "none", "--venue", "none", "--index", shipped, *work)

    shipped = add(tmp_path / "laptop", "first")
    server = serve(shipped, 1)
    assert found(server) == ["first"] and events(server).count("index_taken") == 1
    assert server.stop() == 0

    # What grows from it stays, whatever machine comes next.
    add(tmp_path / "machine-1" if mount else storage, "grown")
    server = serve(shipped, 1)
    assert found(server) == ["first", "grown"]
    if mount:
        wait_for(server, "snapshot")
    assert server.stop() == 0
    server = serve(shipped, 2)
    assert found(server) == ["first", "grown"] and "index_taken" not in events(server)
    assert server.stop() == 0

    # The next one that is sent along takes its place.
    server = serve(add(tmp_path / "again", "second"), 2)
    assert found(server) == ["second"]
    assert server.stop() == 0
    server = serve(tmp_path / "again", 3)
    assert found(server) == ["second"]
    assert server.stop() == 0


def test_one_that_is_not_there_leaves_what_is(start, add, tmp_path):
    server = start("serve", "paper-finder", "--data", add(tmp_path / "storage", "mine"), "--model", "none", "--venue", "none", "--index", tmp_path / "none")
    assert found(server) == ["mine"]
    assert [line["reason"] for line in server.log_lines() if line["event"] == "index_not_taken"] == [f"{tmp_path}/none/papers.db cannot be read"]
