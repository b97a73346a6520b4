"""alcove gateway doctor: what is wrong is named with its fix, and nothing is changed."""

import json
import sqlite3

import pytest
from gateway.kit import SERVICE, sheet


@pytest.fixture
def examine(run, tmp_path):
    def call(*arguments: object, data=None, space_url: str = "", models=None, **env: str) -> tuple[int, dict[str, dict]]:
        done = run("gateway", "doctor", "--json", "--hold", 2, "--data", data or tmp_path / "data", "--models", models or tmp_path / "none", *arguments,
                   env={"HF_SPACE_URL": space_url, "DATABASE_URL": "", "ALCOVE_TOKEN": ""} | env)
        return done.returncode, {finding["code"]: finding for finding in json.loads(done.stdout)["findings"]}

    return call


def test_a_sound_gateway_hears_where_its_files_live(examine, space, run, tmp_path):
    code, found = examine(space_url=space.url)
    assert code == 0 and set(found) == {"files_on_this_disk", "no_token"}
    assert "DATABASE_URL" in found["files_on_this_disk"]["finding"] and str(tmp_path / "data") in found["files_on_this_disk"]["finding"]
    assert not (tmp_path / "data").exists(), "it changes nothing"
    shown = run("gateway", "doctor", "--data", tmp_path / "data", env={"HF_SPACE_URL": space.url, "DATABASE_URL": ""})
    assert shown.returncode == 0 and "notice  DATABASE_URL is not set" in shown.stdout and f"{space.url} awake" in shown.stdout


def test_whoever_reads_is_looked_at(examine, space, models, tmp_path):
    def fault(expected: str, **settings) -> dict:
        code, found = examine(**settings)
        assert code == 1 and found[expected]["severity"] == "fault", found
        assert found[expected]["fix"]
        return found[expected]

    assert "HF_SPACE_URL is not configured" in fault("no_reader")["finding"]
    page = fault("space_address", space_url="https://huggingface.co/spaces/Some-One/answer_sheet")
    assert "https://some-one-answer-sheet.hf.space" in page["finding"]
    fault("space_unreachable", space_url="http://127.0.0.1:9")
    space.health = lambda handler: space.send(handler, 401, b"{}")
    assert "HF_SPACE_TOKEN" in fault("space_misconfigured", space_url=space.url)["finding"]
    space.health = lambda handler: space.send(handler, 200, b"<!doctype html>", "text/html")
    assert "web page" in fault("space_misconfigured", space_url=space.url)["finding"]
    space.health = lambda handler: space.send(handler, 200, b'{"status":"ok","service":"Paper Finder"}')
    assert "not the answer-sheet service" in fault("space_misconfigured", space_url=space.url)["finding"]

    def newer(handler):
        status = {"version": "9.0.0", "limits": {}, "queue": {}, "ready": True}
        health = {"status": "ok", "service": SERVICE}
        space.send(handler, 200, json.dumps(status if handler.path == "/status" else health).encode())

    space.health = newer
    assert "9.0.0" in fault("space_misconfigured", space_url=space.url)["finding"]

    code, found = examine(models=models)
    assert code == 0 and "space_not_configured" in found
    half = tmp_path / "half"
    half.mkdir()
    (half / "weights.onnx").touch()
    (half / "best_subject_model_final.pth").touch()
    assert "improved_weights" in fault("models_incomplete", models=half)["finding"]


def test_the_records_are_looked_at(examine, space, start_gateway):
    gateway = start_gateway(space_url=space.url)
    gateway.post("/scan-upload", sheet(1))
    code, found = examine(space_url=space.url, data=gateway.data)
    assert code == 0 and str(gateway.process.pid) in found["gateway_runs"]["finding"]
    gateway.stop()
    assert "gateway_runs" not in examine(space_url=space.url, data=gateway.data)[1]
    with sqlite3.connect(gateway.data / "gateway.sqlite") as database:
        database.execute("UPDATE alcove_schema SET version = version + 1, written_by = '9.9' WHERE name = 'gateway'")
    code, found = examine(space_url=space.url, data=gateway.data)
    assert code == 1 and "alcove 9.9" in found["newer_schema"]["finding"]
    (gateway.data / "gateway.sqlite").write_bytes(b"no database at all" * 100)
    for beside in gateway.data.glob("gateway.sqlite-*"):
        beside.unlink()
    assert examine(space_url=space.url, data=gateway.data)[0] == 1


def test_a_database_is_looked_at(examine, space, postgres_server):
    code, found = examine(space_url=space.url, DATABASE_URL=postgres_server(), ALCOVE_TOKEN="secret")
    assert (code, found) == (0, {})
    code, found = examine(space_url=space.url, DATABASE_URL="postgresql://alcove:hidden@127.0.0.1:9/x")
    assert code == 1 and "hidden" not in json.dumps(found["database"])
