"""The contract of the gateway over HTTP, with a Space that behaves and without one."""

import json
import os
import stat
import subprocess
import time
from pathlib import Path

import pytest
import requests
from conftest import ROOT
from gateway.kit import Gateway, number_of, reading, sheet

from serving import free_port

BOTH = pytest.mark.parametrize("prefix", ["", "/extract"])


def test_status_with_a_space_has_the_guides_three_keys(start_gateway, space):
    gateway = start_gateway(space_url=space.url)
    assert requests.get(gateway.url + "/extract/status").json() == {
        "extraction_available": True, "mode": "remote", "hf_space_url": space.url}


def test_without_space_and_models_it_says_what_to_do(start_gateway):
    gateway = start_gateway()
    status = requests.get(gateway.url + "/extract/status").json()
    assert status["extraction_available"] is False and status["mode"] == "local"
    assert {"models_directory", "models_dir_exists", "model_files"} <= set(status)
    assert "HF_SPACE_URL is not configured" in status["note"]
    assert any("HF_SPACE_URL is not configured" in line.get("note", "") for line in gateway.lines())
    reply = gateway.post("/extract", sheet(1))
    assert reply.status_code == 503 and "HF_SPACE_URL" in reply.json()["detail"] and "Retry-After" in reply.headers
    assert requests.get(gateway.url + "/readyz").status_code == 503
    assert requests.get(gateway.url + "/health").status_code == 200


@BOTH
def test_extract_and_scan_upload_in_both_spellings(start_gateway, space, prefix):
    gateway = start_gateway(space_url=space.url)
    content = sheet(1)
    extracted = gateway.post(prefix + "/extract", content).json()
    number = number_of(content)
    assert extracted["success"] is True and extracted["register_number"] == number and extracted["subject_code"] == "CS101"
    assert extracted["register_confidence"] == extracted["subject_confidence"] == 0.97
    assert extracted["regions_found"] == {"register": 1, "subject": 1}
    assert extracted["suggested_filename"] == f"{number}_CS101.pdf"
    assert extracted["served_by"] == "remote" and extracted["attempts"] == 1

    content = sheet(2)
    stored = gateway.post(prefix + "/scan-upload", content, "scan 2.pdf", exam_type="CIA2").json()
    number = number_of(content)
    assert stored["success"] is True and stored["original_filename"] == "scan 2.pdf"
    assert stored["renamed_filename"] == f"{number}_CS101_CIA2.pdf" and stored["exam_type"] == "CIA2"
    assert stored["attempt_number"] == 1 and stored["workflow_status"] == "pending" and len(stored["artifact_uuid"]) == 36

    log = requests.get(gateway.url + prefix + "/scan-log").json()
    assert log["total"] == 2 and log["entries"][0]["artifact_uuid"] == stored["artifact_uuid"]


def test_the_record_the_file_and_the_export_agree(start_gateway, space, export, run):
    gateway = start_gateway(space_url=space.url)
    stored = gateway.post("/scan-upload", sheet(1), "=cmd'; DROP TABLE records;--.pdf").json()
    record = gateway.judged(stored["artifact_uuid"])
    assert record["original_filename"] == "=cmd'; DROP TABLE records;--.pdf"
    assert record["reply"]["success"] is True
    assert requests.get(f"{gateway.url}/records/{stored['artifact_uuid']}/file").content == sheet(1)
    rows = export(gateway)
    assert len(rows) == 1
    wanted = {"sha256", "original_filename", "renamed_filename", "register_number", "subject_code", "exam_type", "attempt_number",
              "workflow_status", "decision", "served_by"}
    assert wanted <= set(rows[0]) and all(rows[0][name] == record[name] for name in wanted)
    table = run("gateway", "export", "--data", gateway.data, "--format", "csv").stdout
    assert table.splitlines()[0].startswith("sha256,original_filename,renamed_filename,register_number,subject_code,exam_type")
    assert table.splitlines()[1].split(",")[1] == "'=cmd'; DROP TABLE records;--.pdf", "no formula for a spreadsheet"
    files = [path for path in (gateway.data / "files").rglob("*") if path.is_file()] + [gateway.data / "gateway.sqlite"]
    assert len(files) == 2 and all(stat.S_IMODE(os.stat(path).st_mode) == 0o600 for path in files)


def test_async_is_answered_at_once_and_found_later(start_gateway, space):
    space.delay = 1.0
    gateway = start_gateway(space_url=space.url)
    accepted = gateway.post("/extract", sheet(1), headers={"Prefer": "respond-async"})
    assert accepted.status_code == 202
    where = gateway.url + accepted.headers["Location"]
    assert requests.get(where).status_code in (200, 202)
    gateway.wait_until_idle()
    assert requests.get(where).json()["register_number"] == number_of(sheet(1))


def test_a_caller_is_held_and_then_told_that_the_sheet_is_queued(start_gateway, space, export):
    """While the Space starts; once it has, the sheet that waited is read."""
    asleep = True

    def health(handler):
        if asleep:
            return space.send(handler, 503, b"<html>starting</html>", "text/html")
        space.send(handler, 200, json.dumps({"status": "ok", "service": "Answer Sheet ML Inference"}).encode())

    space.health = health
    gateway = start_gateway("--hold", 1, space_url=space.url)
    start = time.monotonic()
    reply = gateway.post("/extract", sheet(1))
    assert reply.status_code == 503 and reply.json()["status"] == "queued" and int(reply.headers["Retry-After"]) > 0
    assert time.monotonic() - start >= 1
    assert gateway.status()["space"]["state"] == "waking"
    asleep = False
    gateway.wait_until_idle()
    assert [record["register_number"] for record in export(gateway)] == [number_of(sheet(1))]
    # Sent again, as the reply advised against: the same record.
    assert gateway.post("/extract", sheet(1)).json()["duplicate"] is True
    assert len(export(gateway)) == 1 and space.asked == 1


def test_what_cannot_be_taken_is_refused_and_leaves_nothing(start_gateway, space, export):
    gateway = start_gateway(space_url=space.url)
    refused = [
        (gateway.post("/scan-upload", b"", "a.pdf"), 422),
        (gateway.post("/scan-upload", b"hello", "a.pdf"), 422),
        (gateway.post("/scan-upload", b"hello", "a.txt"), 400),
        (gateway.post("/scan-upload", sheet(1), exam_type="../../x"), 400),
        (requests.post(gateway.url + "/scan-upload", data={"exam_type": "CIA1"}), 400),
        (requests.post(gateway.url + "/scan-upload", data=b"\x00" * 100), 400),
        (gateway.post("/scan-upload", b"%PDF" + b"x" * 53_000_000), 413),
    ]
    for reply, status in refused:
        assert reply.status_code == status, reply.text
        assert reply.json()["detail"]
    assert requests.get(gateway.url + "/records/' OR 1=1 --").status_code == 404
    assert requests.get(gateway.url + "/records?limit=0").status_code == 400
    assert export(gateway) == [] and space.asked == 0


def test_an_unreadable_sheet_has_its_record_too(start_gateway, space, export):
    def extract(handler, _):
        space.send(handler, 422, b'{"success":false,"error":"locked","detail":"the PDF is locked","code":"pdf_encrypted"}')

    space.extract = extract
    gateway = start_gateway(space_url=space.url)
    reply = gateway.post("/scan-upload", sheet(1), "locked.pdf")
    assert reply.status_code == 422
    body = reply.json()
    assert body["success"] is False and body["stage"] == "extraction" and body["original_filename"] == "locked.pdf"
    assert body["code"] == "pdf_encrypted" and "locked" in body["error"]
    assert [record["workflow_status"] for record in export(gateway)] == ["unreadable"]


def test_two_attempts_and_no_more(start_gateway, space):
    def extract(handler, _):
        space.send(handler, 200, json.dumps(reading("42")).encode())

    space.extract = extract
    gateway = start_gateway("--attempts", 2, space_url=space.url)
    first, second, third = (gateway.post("/scan-upload", sheet(number)).json() for number in range(3))
    assert [answer["attempt_number"] for answer in (first, second)] == [1, 2]
    assert third["workflow_status"] == "duplicate" and third["duplicate_of"] == second["artifact_uuid"]


def test_a_token_guards_the_sheets(start_gateway, space):
    gateway = start_gateway(space_url=space.url, ALCOVE_TOKEN="secret")
    assert gateway.post("/extract", sheet(1)).status_code == 401
    assert requests.get(gateway.url + "/scan-log").status_code == 401
    assert requests.get(gateway.url + "/health").status_code == 200
    assert requests.get(gateway.url + "/extract/status").status_code == 200
    assert gateway.post("/extract", sheet(1), headers={"Authorization": "Bearer secret"}).status_code == 200
    assert "secret" not in gateway.log.read_text()


def test_one_line_for_each_request_and_figures(start_gateway, space):
    gateway = start_gateway(space_url=space.url)
    gateway.post("/extract", sheet(1))
    requests.get(gateway.url + "/health")
    lines = [line for line in gateway.lines() if line["event"] == "request"]
    asked = {(line["method"], line["route"], line["status"]) for line in lines}
    assert {("POST", "/extract", 200), ("GET", "/health", 200)} <= asked and all(line["ms"] >= 0 for line in lines)
    figures = requests.get(gateway.url + "/metrics").text
    assert 'alcove_gateway_reads_total{served_by="remote"} 1' in figures
    assert 'alcove_gateway_records_total{workflow_status="pending"} 1' in figures


def test_it_listens_everywhere_on_the_hosts_port(alcove, space, tmp_path):
    """As hosts that rent out containers want it: 0.0.0.0, and PORT from the environment."""
    port = free_port()
    env = {**os.environ, "PORT": str(port), "HF_SPACE_URL": space.url, "ALCOVE_DATA": str(tmp_path / "data"), "DATABASE_URL": ""}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([str(alcove), "gateway"], env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        gateway = Gateway(process, port, tmp_path / "log", tmp_path / "data", env).wait()
        assert {"event": "listening", "host": "0.0.0.0", "port": port}.items() <= next(line for line in gateway.lines() if line["event"] == "listening").items()
        listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        assert any(line[1] == f"00000000:{port:04X}" and line[3] == "0A" for line in listening)
        assert gateway.stop() == 0
    finally:
        process.kill()
        process.wait()


def test_a_second_gateway_on_one_folder_is_refused(start_gateway, space):
    first = start_gateway(space_url=space.url)
    second = start_gateway(space_url=space.url, wait=False)
    assert second.process.wait(timeout=60) == 3
    assert "in use by another alcove" in second.log.read_text() and str(first.process.pid) in second.log.read_text()


def test_a_job_is_safe_at_once_streamed_and_resumed(start_gateway, space):
    space.delay = 0.05
    gateway = start_gateway(space_url=space.url)
    files = [("file", (f"{number}.pdf", sheet(number))) for number in range(6)] + [("file", ("note.txt", b"no sheet"))]
    put = requests.put(gateway.url + "/jobs/monday", files=files)
    assert put.status_code == 202 and put.json()["files"] == 7
    assert requests.put(gateway.url + "/jobs/monday", files=files).status_code in (200, 202)
    assert requests.put(gateway.url + "/jobs/monday", files=files[:2]).status_code == 409

    def events(after: int | None = None) -> list[tuple[int, str, dict]]:
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        text = requests.get(gateway.url + "/jobs/monday/events", headers=headers, timeout=120).text
        found = []
        for block in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "event" in fields:
                found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        return found

    seen = events()
    assert [number for number, *_ in seen] == list(range(1, 9)) and seen[-1][1] == "done"
    assert sorted(line["index"] for _, kind, line in seen if kind == "result") == list(range(7))
    assert events(5) == seen[5:]
    assert requests.get(gateway.url + "/jobs/monday/events", headers={"Last-Event-ID": "8"}).status_code == 204
    done = requests.get(gateway.url + "/jobs/monday").json()
    assert done["state"] == "done" and done["read"] == 7
    assert requests.get(gateway.url + "/jobs/tuesday").status_code == 404


@pytest.mark.parametrize("policy", ["remote-first", "local-first"])
def test_a_real_sheet_is_read_here_when_the_space_is_gone(start_gateway, models, policy, samples):
    gateway = start_gateway("--policy", policy, models=models, space_url="http://127.0.0.1:9")
    name = "clean-band.jpg"
    reply = gateway.post("/scan-upload", (ROOT / "samples/sheets" / name).read_bytes(), name).json()
    assert reply["register_number"] == samples[name]["register_number"]
    assert reply["served_by"] == "local" and {model["role"] for model in reply["models"]} >= {"detector", "register_reader"}
    assert (reply["fallback"] is None) == (policy == "local-first")
    assert gateway.stop() == 0


def test_the_engine_is_not_opened_without_need(start_gateway, space, models):
    gateway = start_gateway(space_url=space.url, models=models)
    gateway.post("/extract", sheet(1))
    opened = open(f"/proc/{gateway.process.pid}/maps").read()
    assert "openvino" not in opened and "libalcove_engine" not in opened
