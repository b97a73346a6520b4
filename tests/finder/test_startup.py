"""The start that the original's set-up guide asks for: folders, model, index, and a log that tells it; against a Hub and an
OpenReview of the tests' own."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import requests
from hub.fake_hub import Fault, Hub
from papers.openreview_server import VENUE, OpenReviewServer, note

from conftest import ROOT
from serving import Server, free_port, starting

BERT = ROOT / "tests/golden/bert"
TOKEN = {"ALCOVE_TOKEN": "secret"}
OWNER = {"Authorization": "Bearer secret"}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def hub(tmp_path: Path):
    """A Hub with a small model under SPECTER2's names."""
    folder = tmp_path / "objects"
    folder.mkdir()
    hub = Hub(folder)
    for repo, source in {"allenai/specter2_base": "plain", "allenai/specter2": "adapter_seq_bn", "allenai/specter2_adhoc_query": "adapter_gated"}.items():
        hub.store.put(hub.store.create("models", repo), files(BERT / source))
    yield hub
    hub.close()


@pytest.fixture
def openreview():
    server = OpenReviewServer([note(number, abstract=f"A text of {number} words on graphs and their colours.") for number in range(1, 61)])
    yield server
    server.close()


@pytest.fixture
def start(alcove: Path, cache: Path, hub: Hub, openreview: OpenReviewServer, tmp_path: Path):
    """Starts a Space whose every address is one of the tests' own."""
    with starting() as start:
        def run(*arguments: object, storage: Path = tmp_path / "storage", pause: int = 0, env: dict[str, str] | None = None) -> Server:
            port = free_port()
            named = {"HF_ENDPOINT": hub.url(), "HF_HOME": str(tmp_path / "hf"), "OPENREVIEW_API_BASEURL_V2": openreview.url,
                     "OPENREVIEW_API_BASEURL_V1": openreview.url + "/v1", "ALCOVE_VENUES": VENUE, "ALCOVE_CACHE": str(cache), "OPENREVIEW_PASSWORD": "Pa55"}
            return start([str(alcove), "serve", "paper-finder", "--host", "127.0.0.1", "--port", str(port), "--data", str(storage), "--pause", str(pause),
                          "--patience", "1", *map(str, arguments)], port, tmp_path / f"log-{port}", {**os.environ, **named, **(env or {})})

        yield run



def is_whole(status: dict) -> bool:
    """All papers are in and found by meaning."""
    return status["by_meaning"] and status["papers"] == 60 == status["index"]["done"] and status["index"]["state"] == "idle"


def story(server: Server) -> list[str]:
    return [line["message"] for line in server.log_lines() if line["event"] == "startup"]


def titles(server: Server, query: str, **parameters: object) -> list[str]:
    reply = requests.get(server.url + "/api/search", params={"q": query, "n": 5, **parameters}, timeout=30)
    assert reply.status_code == 200, reply.text
    return [paper["title"] for paper in reply.json()["results"]]


def told(server: Server, *patterns: str) -> None:
    """Once the story has been told to its end: whether the log has these lines in this order."""
    server.until(lambda _: any("listening on" in line for line in story(server)))
    lines = iter(story(server))
    for pattern in patterns:
        assert any(re.search(pattern, line) for line in lines), f"{pattern} is not where it belongs:\n" + "\n".join(story(server))


def test_from_nothing_to_found_by_meaning(start, hub, tmp_path):
    storage = tmp_path / "storage"
    server = start()
    status = server.until(is_whole)
    assert "adapter" in status["model"]["description"]
    told(server, f"directories exist: {storage}/model_weights, {storage}/chroma_db_index", "Downloading model 'allenai/specter2_base'", f"Saving model to {storage}/model_weights",
         "downloaded and saved", "'openreview_papers' ready", "Index is empty", f"listening on 127.0.0.1:{server.port}")
    assert (storage / "model_weights/model.safetensors").read_bytes() == (BERT / "plain/model.safetensors").read_bytes()
    assert (storage / "chroma_db_index/papers.db").exists() and not list(storage.glob("*.download"))
    assert titles(server, "colours of graphs", mode="meaning") and "Pa55" not in server.log.read_text()
    assert server.stop() == 0

    hub.close()  # a second start asks nobody
    again = start(env={"HF_HUB_OFFLINE": "1"})
    again.until(is_whole)
    told(again, "directories exist", f"load model from local path: {storage}/model_weights", "Model loaded successfully from local", "'openreview_papers' ready",
         "Existing index found with 60 entries", "listening on")
    assert again.stop() == 0


def test_what_is_partly_there_is_repaired(start, hub, tmp_path):
    weights = tmp_path / "storage/model_weights"
    shutil.copytree(BERT / "plain", weights)
    (weights / "model.safetensors").write_bytes((BERT / "plain/model.safetensors").read_bytes()[:1000])
    server = start()
    server.until(lambda status: status["state"] == "ready")
    told(server, "from local path", "Failed to load model locally", "Downloading model 'allenai/specter2_base'", "downloaded and saved", "listening on")
    assert (weights / "model.safetensors").read_bytes() == (BERT / "plain/model.safetensors").read_bytes()


def test_missing_adapters_alone_are_fetched(start, hub, tmp_path):
    shutil.copytree(BERT / "plain", tmp_path / "storage/model_weights")
    server = start()
    server.until(lambda status: status["state"] == "ready")
    assert not hub.seen("specter2_base") and hub.seen("specter2_adhoc_query")
    told(server, "Downloading model 'allenai/specter2'", "Model loaded successfully", "listening on")


@pytest.mark.parametrize("fault", [Fault("GET hub", status=404), Fault("GET cdn", corrupt=True)])
def test_without_a_model_words_stay_up(start, hub, fault):
    hub.faults = [fault]
    server = start()
    status = server.until(lambda status: status["papers"] == 60 and status["index"]["state"] == "idle")
    assert status["state"] == "failed" and not status["by_meaning"]
    told(server, "Downloading model", "^FATAL: .*specter2_base", "Index is empty", "listening on")
    assert len(titles(server, "colours")) == 5


def test_words_are_found_after_the_first_page(start, openreview):
    openreview.notes = [note(number) for number in range(1, 2101)]
    openreview.trouble, openreview.trouble_after = "429", 2  # the group and the first page, then it wants to be left alone
    server = start("--model", "none")
    status = server.until(lambda status: status["papers"] > 0)
    assert 0 < status["papers"] < 2100 and len(titles(server, "graphs")) == 5
    openreview.trouble = ""
    server.until(lambda status: status["index"]["state"] == "idle")
    assert requests.post(server.url + "/api/index", json={"action": "start"}, timeout=10).status_code == 401, "nobody owns it"


def test_the_owner_starts_and_stops_indexing(start, openreview):
    server = start("--model", "none", pause=500, env=TOKEN | {"ALCOVE_VENUES": "none"})
    server.until(lambda status: status["state"] == "ready")

    def control(status: int, body: dict, headers: dict[str, str] = OWNER) -> dict:
        reply = requests.post(server.url + "/api/index", json=body, headers=headers, timeout=10)
        assert reply.status_code == status, reply.text
        return reply.json()

    control(401, {"action": "start"}, {})
    control(400, {"action": "dance"})
    control(400, {"action": "start", "venues": ["no <venue>"]})
    openreview.trouble = "500"
    assert control(202, {"action": "start", "venues": [VENUE]})["state"] == "indexing"
    assert control(409, {"action": "start", "venues": [VENUE]})["code"] == "indexing"
    control(202, {"action": "stop"})
    server.until(lambda status: status["index"]["state"] != "indexing")
    openreview.trouble = ""
    control(202, {"action": "start", "venues": [f"https://openreview.net/group?id={VENUE}#tab"]})
    server.until(lambda status: status["papers"] == 60)
    assert requests.get(server.url + "/api/index", timeout=10).json()["total"] == 60


def test_an_index_of_the_originals_is_taken_over(start, tmp_path):
    index = tmp_path / "storage/chroma_db_index"
    index.mkdir(parents=True)
    shutil.unpack_archive(ROOT / "tests/golden/chroma.zip", tmp_path / "golden")
    source = next((tmp_path / "golden").rglob("chroma.sqlite3")).parent
    shutil.copytree(source, index, dirs_exist_ok=True)
    server = start("--model", "none", env={"ALCOVE_VENUES": "none"})
    status = server.until(lambda status: status["papers"] > 0 and status["index"]["state"] == "idle")
    assert titles(server, "Renamed") and status["papers"] >= 2, server.log.read_text()


def answers(server: Server) -> object:
    found = requests.get(server.url + "/api/search", params={"q": "graphs and colours", "n": 60}, timeout=30).json()
    return [(paper["id"], paper["score"]) for paper in found["results"]]


def test_a_space_comes_back_from_its_mount_alone(start, tmp_path):
    mount = tmp_path / "storage/chroma_db_index"
    first = start("--work", tmp_path / "work1")
    first.until(is_whole)
    deadline = time.monotonic() + 60
    while [line["event"] for line in first.log_lines()][-1] != "snapshot" and time.monotonic() < deadline:
        time.sleep(0.1)
    before = answers(first)
    assert first.stop() == 0 and len(before) == 60
    copies = sorted(mount.glob("papers-*.db"))
    assert 1 <= len(copies) <= 2 and not (mount / "papers.db").exists()

    # What a mount that loses late writes leaves: a last copy cut short, another that is all zeros, and half-made names.
    number, digest = copies[-1].stem.split("-")[1:]
    whole = copies[-1].read_bytes()
    (mount / f"papers-{int(number) + 1:08}-{'a' * 64}.db").write_bytes(whole[:len(whole) // 2])
    (mount / f"papers-{int(number) + 2:08}-{'b' * 64}.db").write_bytes(bytes(len(whole)))
    (mount / f"papers-{int(number) + 3:08}-{'c' * 64}.db.17.part").write_bytes(whole)
    (mount / "papers-99999999999999999999999-d.db").write_bytes(b"")
    shutil.rmtree(tmp_path / "work1")
    second = start("--work", tmp_path / "work2", env={"ALCOVE_VENUES": "none"})
    second.until(is_whole)
    assert answers(second) == before
    events = second.log_lines()
    assert [line["from"] for line in events if line["event"] == "restored"] == [copies[-1].name]
    assert sum(line["event"] == "snapshot_damaged" for line in events) == 2
    assert second.stop() == 0


def test_collections_come_back_from_the_mount_too(start, tmp_path):
    mount, path = tmp_path / "storage/chroma_db_index", "/api/v2/tenants/default_tenant/databases/default_database/collections"
    env = TOKEN | {"ALCOVE_VENUES": "none"}

    def call(server: Server, what: str, body: dict) -> dict:
        reply = requests.post(server.url + path + what, json=body, headers=OWNER, timeout=30)
        assert reply.ok, reply.text
        return reply.json()

    def copied(server: Server) -> None:
        deadline = time.monotonic() + 60
        while "collections_snapshot" not in [line["event"] for line in server.log_lines()]:
            assert time.monotonic() < deadline, server.log.read_text()
            time.sleep(0.1)

    first = start("--model", "none", "--work", tmp_path / "work1", env=env)
    first.until(lambda status: status["state"] == "ready")
    made = call(first, "", {"name": "kept"})
    call(first, f"/{made['id']}/add", {"ids": ["a"], "embeddings": [[1, 2]], "documents": ["text"]})
    copied(first)
    call(first, f"/{made['id']}/add", {"ids": ["late"], "embeddings": [[3, 4]]})
    assert first.stop() == 0, "the last copy is made on the way out"
    copies = sorted(mount.glob("collections-*.db"))
    assert 1 <= len(copies) <= 2 and not (mount / "collections.db").exists()

    # A mount that loses late writes, and a machine that forgot the database but not its log.
    number = int(copies[-1].stem.split("-")[1])
    (mount / f"collections-{number + 1:08}-{'a' * 64}.db").write_bytes(copies[-1].read_bytes()[:1000])
    shutil.rmtree(tmp_path / "work1")
    (tmp_path / "work2").mkdir()
    (tmp_path / "work2/collections.db-wal").write_bytes(b"of another database")
    second = start("--model", "none", "--work", tmp_path / "work2", env=env)
    second.until(lambda status: status["state"] == "ready")
    got = call(second, f"/{made['id']}/get", {"include": ["embeddings", "documents"]})
    assert got["ids"] == ["a", "late"] and got["embeddings"] == [[1, 2], [3, 4]] and got["documents"] == ["text", None]
    assert sum(line["event"] == "snapshot_damaged" for line in second.log_lines()) == 1
    assert second.stop() == 0


def test_without_a_setting_the_storage_lies_beside_it(alcove, tmp_path):
    if Path("/data").is_dir():
        pytest.skip("this machine has a /data")
    log = tmp_path / "log"
    with log.open("w") as output:
        port = free_port()
        process = subprocess.Popen([str(alcove), "serve", "paper-finder", "--port", str(port), "--model", "none", "--venue", "none"], cwd=tmp_path,
                                   stdout=output, stderr=subprocess.STDOUT)
    server = Server(process, port, log)
    try:
        server.until(lambda status: status["state"] == "ready")
        assert (tmp_path / "persistent_storage/model_weights").is_dir() and (tmp_path / "persistent_storage/chroma_db_index").is_dir()
        told(server, "directories exist", "Index is empty", f"listening on 0.0.0.0:{port}")
        assert json.loads(log.read_text().splitlines()[-1])
    finally:
        server.stop()
