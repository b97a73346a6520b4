"""Chroma's HTTP API: raw requests, its real clients, and the answers of a real Chroma server beside ours."""

import base64
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from conftest import ROOT
from serving import free_port

ROOT_PATH = "/api/v2/tenants/default_tenant/databases/default_database"
OWNER = {"Authorization": "Bearer secret"}
SCENARIO = Path(__file__).with_name("chroma_scenario.py")
# A Python that has chromadb, for the tests with its clients; with the whole package, as script/bootstrap --chroma installs it, also a server
# to compare with.
WHOLE = ROOT / ".deps/chroma/bin/python"
PYTHON = str(WHOLE if WHOLE.exists() else sys.executable)


@pytest.fixture(scope="module")
def keeper(start_finder, index, tmp_path_factory):
    """A server with an owner, over a copy of the index."""
    data = tmp_path_factory.mktemp("keeper")
    shutil.copy(index / "papers.db", data)
    running = start_finder(data, env={"ALCOVE_TOKEN": "secret"})
    running.wait_until("/readyz", 200)
    return running


def call(server, method: str, path: str, status: int, body=None, headers=OWNER):
    reply = requests.request(method, server.url + path, json=body, headers=headers, timeout=60)
    assert reply.status_code == status, reply.text
    return reply.json()


@pytest.fixture
def collection(keeper, request):
    made = call(keeper, "POST", ROOT_PATH + "/collections", 200, {"name": f"c-{abs(hash(request.node.name))}"})
    yield f"{ROOT_PATH}/collections/{made['id']}"
    call(keeper, "DELETE", f"{ROOT_PATH}/collections/{made['name']}", 200)


def test_the_server_introduces_itself(keeper):
    assert "nanosecond heartbeat" in call(keeper, "GET", "/api/v2/heartbeat", 200)
    assert call(keeper, "GET", "/api/v2/version", 200) == "1.0.0"
    assert call(keeper, "GET", "/api/v2/pre-flight-checks", 200)["max_batch_size"] > 0
    assert call(keeper, "GET", "/api/v2/auth/identity", 200)["tenant"] == "default_tenant"
    assert call(keeper, "GET", "/api/v2/tenants/default_tenant", 200)["name"] == "default_tenant"
    assert call(keeper, "GET", ROOT_PATH, 200)["id"] == "00000000-0000-0000-0000-000000000000"
    assert call(keeper, "GET", "/api/v2/tenants/nobody", 404)["error"] == "NotFoundError"
    assert call(keeper, "GET", "/api/v2/tenants/default_tenant/databases/none/collections", 404)["error"] == "NotFoundError"


def test_the_papers_are_a_collection(keeper):
    found = call(keeper, "GET", ROOT_PATH + "/collections/openreview_papers", 200, headers={})
    path = f"{ROOT_PATH}/collections/{found['id']}"
    status = requests.get(keeper.url + "/status", timeout=30).json()
    assert call(keeper, "GET", path + "/count", 200, headers={}) == status["papers"]
    got = call(keeper, "POST", path + "/get", 200, {"where": {"authors": {"$ne": ""}}, "where_document": {"$contains": "Attention Is All"}}, headers={})
    assert [each["title"] for each in got["metadatas"]] == ["Attention Is All You Need"] and "Transformer" in got["documents"][0]
    same = call(keeper, "POST", ROOT_PATH + "/collections", 200, {"name": "openreview_papers", "get_or_create": True}, headers={})
    assert same["id"] == found["id"], "to get one that is there is no writing"
    for what in ("add", "upsert", "update"):
        assert "papers of this finder" in call(keeper, "POST", f"{path}/{what}", 400, {"ids": ["x"], "embeddings": [[1]]})["message"]
    call(keeper, "DELETE", ROOT_PATH + "/collections/openreview_papers", 400)


def test_ten_thousand_ids_are_no_trouble(keeper):
    path = f"{ROOT_PATH}/collections/{call(keeper, 'GET', ROOT_PATH + '/collections/openreview_papers', 200)['id']}"
    some = call(keeper, "POST", path + "/get", 200, {"limit": 5})["ids"]
    got = call(keeper, "POST", path + "/get", 200, {"ids": [f"nobody{number}" for number in range(10_000)] + some})
    assert got["ids"] == some
    assert call(keeper, "POST", path + "/get", 400, {"ids": [str(number) for number in range(200_000)]})["message"]


def test_writing_wants_the_token(keeper, collection, finder):
    for method, path, body in [("POST", ROOT_PATH + "/collections", {"name": "other"}), ("POST", collection + "/add", {"ids": ["a"], "embeddings": [[1]]}),
                               ("POST", collection + "/delete", {"ids": ["a"]}), ("PUT", collection, {"new_name": "other"}), ("POST", "/api/v2/tenants", {"name": "other"})]:
        for server, headers in [(keeper, {}), (keeper, {"Authorization": "Bearer wrong"}), (finder, OWNER)]:
            assert call(server, method, path, 401, body, headers)["error"] == "AuthError"
    call(keeper, "POST", collection + "/add", 201, {"ids": ["a"], "embeddings": [[1]]}, {"X-Chroma-Token": "secret"})


def test_records_come_and_go(keeper, collection):
    packed = base64.b64encode(struct.pack("<3f", 1, 2, 0.1)).decode()
    call(keeper, "POST", collection + "/add", 201, {"ids": ["a"], "embeddings": [packed], "documents": ["text"], "metadatas": [{"n": 1, "x": 2.0}], "uris": ["u"]})
    got = call(keeper, "POST", collection + "/get", 200, {"include": ["embeddings", "documents", "metadatas", "uris"]})
    assert got == {"ids": ["a"], "embeddings": [[1, 2, 0.1]], "documents": ["text"], "metadatas": [{"n": 1, "x": 2.0}], "uris": ["u"],
                   "include": ["embeddings", "documents", "metadatas", "uris"]}
    call(keeper, "POST", collection + "/upsert", 200, {"ids": ["a"], "embeddings": [[3, 2, 1]], "metadatas": [{"x": None, "tags": ["p", "q"]}]})
    got = call(keeper, "POST", collection + "/get", 200, {"where": {"tags": {"$contains": "q"}}})
    assert got["documents"] == ["text"] and got["metadatas"] == [{"n": 1, "tags": ["p", "q"]}] and got["embeddings"] is None
    wrong = call(keeper, "POST", collection + "/query", 400, {"query_embeddings": [[1, 2]]})
    assert wrong["message"] == "Collection expecting embedding with dimension of 3, got 2"
    assert call(keeper, "POST", collection + "/delete", 200, {"ids": ["a", "nobody"]}) == {"deleted": 2}
    assert call(keeper, "POST", collection + "/query", 200, {"query_embeddings": [[1, 2, 3]]})["ids"] == [[]]


@pytest.mark.parametrize("what, body, status", [
    ("add", {}, 422), ("add", {"ids": ["a"]}, 422), ("add", {"ids": "a", "embeddings": [[1]]}, 422), ("add", {"ids": [""], "embeddings": [[1]]}, 400),
    ("add", {"ids": ["a", "b"], "embeddings": [[1]]}, 400), ("add", {"ids": ["a"], "embeddings": [[]]}, 400), ("add", {"ids": ["a"], "embeddings": ["?"]}, 400),
    ("add", {"ids": ["a"], "embeddings": [["1"]]}, 422), ("add", {"ids": ["a"], "embeddings": [[1e300]]}, 400),
    ("add", {"ids": ["a"], "embeddings": [[1]], "metadatas": [{"x": None}]}, 422), ("add", {"ids": ["a"], "embeddings": [[1]], "metadatas": [{"x": {"y": 1}}]}, 422),
    ("add", {"ids": ["a"], "embeddings": [[1]], "metadatas": [{"x": [1, "a"]}]}, 422), ("get", {"where": {}}, 400), ("get", {"where": {"a": 1, "b": 2}}, 400),
    ("get", {"where_document": {"$regex": "("}}, 400), ("get", {"include": ["nothing"]}, 422), ("get", {"limit": -1}, 422), ("get", {"limit": "many"}, 422),
    ("query", {}, 422), ("query", {"query_embeddings": [1]}, 422), ("query", {"query_embeddings": ["AAAA"]}, 422), ("delete", {"ids": []}, 400),
    ("delete", {"ids": ["a"], "limit": 1}, 400), ("get", [], 422), ("get", {"where": json.loads("[" * 100 + "]" * 100)}, 400)])
def test_what_is_wrong_is_said(keeper, collection, what, body, status):
    assert call(keeper, "POST", f"{collection}/{what}", status, body)["message"]


def test_what_is_no_json_is_refused(keeper, collection):
    for body in (b"", b"{", b"\xff\xfe", b'{"ids": [' + b"[" * 5000):
        reply = requests.post(keeper.url + collection + "/get", data=body, headers=OWNER | {"Content-Type": "application/json"}, timeout=60)
        assert reply.status_code == 400 and reply.json()["error"] == "InvalidArgumentError"
    assert requests.post(keeper.url + collection + "/get", data=b"x" * (43 << 20), headers=OWNER, timeout=60).status_code == 413


def test_two_servers_share_one_store(start_finder, index, tmp_path):
    shutil.copy(index / "papers.db", tmp_path)
    servers = [start_finder(tmp_path, env={"ALCOVE_TOKEN": "secret"}) for _ in range(2)]
    for server in servers:
        server.wait_until("/readyz", 200)
    made = call(servers[0], "POST", ROOT_PATH + "/collections", 200, {"name": "shared"})
    path = f"{ROOT_PATH}/collections/{made['id']}"
    for number in range(20):
        call(servers[number % 2], "POST", path + "/add", 201, {"ids": [str(number)], "embeddings": [[number, 1]]})
    for server in servers:
        assert call(server, "POST", path + "/get", 200, {})["ids"] == [str(number) for number in range(20)]


def has_chroma(module: str) -> bool:
    return subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode == 0


def seen_by_the_client(port: int, *token: str) -> dict:
    done = subprocess.run([PYTHON, str(SCENARIO), "127.0.0.1", str(port), *token], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "ANONYMIZED_TELEMETRY": "False"})
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def chroma_server(tmp_path_factory):
    """A real one."""
    program = Path(PYTHON).with_name("chroma")
    if not program.exists():
        pytest.skip("there is no Chroma server here; script/bootstrap --chroma installs one")
    port = free_port()
    with (tmp_path_factory.mktemp("chroma") / "log").open("w") as log:
        process = subprocess.Popen([str(program), "run", "--path", str(tmp_path_factory.mktemp("store")), "--port", str(port)], stdout=log, stderr=subprocess.STDOUT)
    yield port
    process.terminate()
    process.wait(timeout=30)


def test_the_real_client_does_all_it_does(keeper):
    if not has_chroma("chromadb"):
        pytest.skip("chromadb is not here; script/bootstrap --test installs its client")
    seen = seen_by_the_client(keeper.port, "secret")
    assert seen["l2"]["left"] == ["c", "d", "e", "f"] and seen["cosine"]["query all"]["ids"][0][0] == "a"
    assert seen["ip"]["gone"] == "NotFoundError"


def test_a_real_server_answers_the_same(keeper, chroma_server):
    for _ in range(600):
        try:
            requests.get(f"http://127.0.0.1:{chroma_server}/api/v2/heartbeat", timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    assert seen_by_the_client(keeper.port, "secret") == seen_by_the_client(chroma_server)
