"""`--store chroma://…`: vectors held and compared by a Chroma server, ours in the part of one, and the real one where it is installed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from finder.test_chroma import PYTHON, chroma_server  # noqa: F401

from conftest import ROOT

BERT = ROOT / "tests/golden/bert/plain"
MEANING = {"ALCOVE_MODEL": str(BERT)}
STORE = MEANING | {"ALCOVE_STORE_TOKEN": "secret"}
QUERIES = ["residual learning of images", "graphs and their colours", "how to learn without labels", "attention", "bayesian inference of a posterior",
           "robots that walk", "translation of languages", "year:>=2015 generative models", "-survey optimisation by gradient descent", "author:bengio networks"]


@pytest.fixture(scope="module")
def papers(run, tmp_path_factory) -> Path:
    """1,400 papers, the samples among them, with the vectors of a small model."""
    data, made = tmp_path_factory.mktemp("vectors"), tmp_path_factory.mktemp("made") / "made.jsonl"
    with made.open("w") as file:
        subprocess.run([sys.executable, ROOT / "tools/make_papers.py", "1400", "--with-samples"], stdout=file, check=True)
    done = run("papers", "import", made, "--data", data, "--model", BERT)
    assert done.returncode == 0, done.stderr
    return data


@pytest.fixture(scope="module")
def plain(start_finder, papers):
    """The same papers, vectors compared by the finder itself."""
    server = start_finder(papers, env=MEANING)
    server.until(lambda status: status["by_meaning"])
    return server


def keep(start_finder, index: Path, folder: Path):
    """A finder of its own papers whose owner keeps vectors in it as well."""
    shutil.copy(index / "papers.db", folder)
    server = start_finder(folder, env={"ALCOVE_TOKEN": "secret"})
    server.wait_until("/readyz", 200)
    return server



def is_filled(status: dict) -> bool:
    return status["by_meaning"] and status["store"]["vectors"] == status["papers"] == 1400


def search(server, query: str, status: int = 200, **parameters) -> dict:
    reply = requests.get(server.url + "/api/search", params={"q": query, "n": 10, **parameters}, timeout=60)
    assert reply.status_code == status, reply.text
    return reply.json()


def recall(plain, server, queries: list[str]) -> float:
    """Of the ten nearest; one as near as the tenth counts as one of them."""
    found = 0.0
    for query in queries:
        exact, given = (search(each, query, mode="meaning")["results"] for each in (plain, server))
        tenth = min(paper["cosine"] for paper in exact)
        found += sum(paper["cosine"] >= tenth - 1e-5 for paper in given) / len(exact)
    return found / len(queries)


def test_vectors_lie_in_a_server_that_may_go_and_come(start_finder, plain, papers, index, tmp_path):
    keeper = keep(start_finder, index, tmp_path)
    server = start_finder(papers, "--store", f"chroma://127.0.0.1:{keeper.port}/vectors", env=STORE)
    server.until(is_filled)
    listed = requests.get(keeper.url + "/api/v2/tenants/default_tenant/databases/default_database/collections/vectors", timeout=10).json()
    assert listed["metadata"]["made_by"] == "alcove" and listed["dimension"] == 24
    assert recall(plain, server, QUERIES) == 1, "this one compares every record"
    for query in QUERIES:
        both = [[paper["id"] for paper in search(each, query)["results"]] for each in (plain, server)]
        assert both[0] == both[1]
    seed = search(plain, "residual learning", mode="words")["results"][0]["id"]
    alike = [[paper["id"] for paper in search(each, "", like=seed)["results"]] for each in (plain, server)]
    assert alike[0] == alike[1]

    keeper.stop()
    found = search(server, QUERIES[0])
    assert found["mode"] == "words" and len(found["results"]) == 10 and "Chroma server" in found["notes"][0]
    assert "Chroma server" in search(server, QUERIES[0], status=503, mode="meaning")["detail"]
    status = server.until(lambda status: "error" in status["store"])
    assert status["ready"] and not status["by_meaning"]
    with keeper.log.open("a") as log:
        again = subprocess.Popen(keeper.process.args, stdout=log, stderr=subprocess.STDOUT, env={"ALCOVE_TOKEN": "secret", "ALCOVE_MODEL": "none", "ALCOVE_VENUES": "none"})
    try:
        server.until(is_filled)
        assert search(server, QUERIES[0])["mode"] == "both"
    finally:
        again.kill()
        again.wait()
    events = [line["event"] for line in server.log_lines()]
    assert events.count("store_filled") == 1, "what is there is not sent again"
    assert server.stop() == 0


def test_a_store_that_refuses_is_said(start_finder, run, papers, index, tmp_path):
    keeper = keep(start_finder, index, tmp_path)
    # the name of the papers there is taken, and not by us
    server = start_finder(papers, "--store", f"chroma://127.0.0.1:{keeper.port}", env=STORE)
    assert "not made by Alcove" in server.until(lambda status: "not made" in status["store"].get("error", ""))["store"]["error"]
    assert search(server, "residual learning")["mode"] == "words"
    server.stop()
    server = start_finder(papers, "--store", f"chroma://127.0.0.1:{keeper.port}/vectors", env=MEANING)
    server.until(lambda status: "ALCOVE_STORE_TOKEN" in status["store"].get("error", ""))
    server.stop()
    for wrong in ("localhost", "http://localhost:1", "chroma://host:1/a/b"):
        done = run("serve", "paper-finder", "--data", papers, "--store", wrong)
        assert done.returncode == 2 and "chroma://localhost:8000" in done.stderr


def test_a_real_server_finds_the_same(start_finder, plain, papers, chroma_server):  # noqa: F811
    server = start_finder(papers, "--store", f"chroma://127.0.0.1:{chroma_server}", env=MEANING)
    server.until(is_filled)
    asked = QUERIES + [paper["title"] for paper in search(plain, "", n=200)["results"]]
    assert recall(plain, server, asked) >= 0.99
    for query in ("graphs venue:icml", "networks year:2015..2018 -graph", "author:hinton learning"):
        both = [search(each, query, mode="meaning") for each in (plain, server)]
        assert both[0]["total"] == both[1]["total"]
        assert [round(paper["cosine"], 4) for paper in both[0]["results"]] == [round(paper["cosine"], 4) for paper in both[1]["results"]], query
    held = subprocess.run([PYTHON, "-c", f"import chromadb, json; c = chromadb.HttpClient(port={chroma_server}).get_collection('openreview_papers', embedding_function=None);"
                           "print(json.dumps([c.count(), c.peek(1)['metadatas'][0]['title']]))"], capture_output=True, text=True)
    count, title = json.loads(held.stdout)
    assert count == 1400 and title
    assert server.stop() == 0
