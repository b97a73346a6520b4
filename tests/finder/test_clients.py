"""Other programs' real clients: the npm packages `chromadb` and `@gradio/client`, Python's `mcp`; and our own command beside a server."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from conftest import ROOT

HERE = Path(__file__).parent
NODE = ROOT / ".deps/node/node"


@pytest.fixture(scope="module")
def owned(start_finder, index, tmp_path_factory):
    """A server with an owner, and its folder."""
    data = tmp_path_factory.mktemp("owned")
    shutil.copy(index / "papers.db", data)
    running = start_finder(data, env={"ALCOVE_TOKEN": "secret"})
    running.wait_until("/readyz", 200)
    return running, data


def node(what: str, server, *token: str) -> dict:
    done = subprocess.run([NODE, HERE / "clients.mjs", what, "127.0.0.1", str(server.port), *token], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_chroma_from_npm(owned):
    seen = node("chroma", owned[0], "secret")
    assert seen == {"near": [["a", "d"]], "far": [0.005, 0.0655], "some": ["b", "c"], "metadatas": [{"n": 2}, {"n": 4}], "text": ["b"], "count": 3,
                    "listed": ["from-npm", "openreview_papers"]}


def test_gradio_from_npm(finder):
    table = node("gradio", finder)
    assert table["headers"][0] == "Title" and [row[0] for row in table["data"]] == ["Attention Is All You Need"]


def test_the_real_library_of_agents(finder):
    done = subprocess.run([sys.executable, str(HERE / "agent.py"), finder.url + "/mcp"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert seen["tools"] == ["search", "similar", "bibtex"] and seen["title"] == "Attention Is All You Need"
    assert seen["near"] == 2 and seen["bibtex"].startswith("@") and seen["wrong"]


@pytest.mark.parametrize("arguments", [("attention is all you need", "--format", "json"), ("graph author:kipf", "--format", "bib"), ("learning", "--year", ">=2018", "--facets"),
                                       ("transformer", "--title", "attention", "--explain", "--format", "json"), ("nothing year:1950 author:nobody",)])
def test_the_command_says_the_same_with_a_server_and_without(run, owned, index, arguments):
    server, data = owned
    without = run("papers", "search", *arguments, "--data", index)
    before = requests_of(server)
    beside = run("papers", "search", *arguments, "--data", data)
    assert requests_of(server) == before + 1, "the server was asked"
    assert (beside.returncode, beside.stdout) == (without.returncode, without.stdout)
    assert beside.stderr == without.stderr and beside.stdout + beside.stderr


def requests_of(server) -> int:
    text = requests.get(server.url + "/metrics", timeout=30).text
    return sum(int(float(line.split()[-1])) for line in text.splitlines() if line.startswith("alcove_requests_total") and '"/api/search"' in line)


def test_a_server_that_is_gone_leaves_the_index(start_finder, run, index, tmp_path):
    shutil.copy(index / "papers.db", tmp_path)
    server = start_finder(tmp_path)
    server.wait_until("/readyz", 200)
    assert (tmp_path / "server.txt").read_text().strip() == server.url
    server.process.kill()
    server.process.wait()
    start = time.monotonic()
    assert "Attention" in run("papers", "search", "attention is all you need", "--data", tmp_path).stdout
    assert time.monotonic() - start < 30
    other = start_finder(tmp_path)
    other.wait_until("/readyz", 200)
    assert other.stop() == 0 and not (tmp_path / "server.txt").exists()
