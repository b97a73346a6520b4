"""What an office does beside single uploads: a watched folder, a backup, PDF pages."""

import json
import os
import signal
import subprocess
import threading
import time

import requests
from conftest import ROOT
from gateway.kit import number_of, sheet


def test_a_backup_is_taken_while_it_runs_and_restored(start_gateway, space, export, run, tmp_path):
    gateway = start_gateway(space_url=space.url)
    stop = threading.Event()

    def send() -> None:
        number = 100
        while not stop.is_set():
            gateway.post("/scan-upload", sheet(number))
            number += 1

    for number in range(5):
        gateway.post("/scan-upload", sheet(number))
    sender = threading.Thread(target=send)
    sender.start()
    done = run("gateway", "backup", tmp_path / "copy", "--data", gateway.data)
    stop.set()
    sender.join()
    assert done.returncode == 0, done.stderr
    assert run("gateway", "backup", tmp_path / "copy", "--data", gateway.data).returncode == 2
    gateway.kill()
    done = run("gateway", "restore", tmp_path / "copy", "--data", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    again = start_gateway(space_url=space.url, data=tmp_path / "new")
    again.wait_until_idle()
    numbers = {record["register_number"] for record in export(again)}
    assert {number_of(sheet(number)) for number in range(5)} <= numbers
    assert again.post("/scan-upload", sheet(0)).json()["duplicate"] is True
    first = requests.get(again.url + "/records").json()["records"][-1]
    assert requests.get(f"{again.url}/records/{first['artifact_uuid']}/file").content == sheet(0)


def test_a_watched_folder_is_emptied_through_an_outage(start_gateway, space, export, alcove, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    gateway = start_gateway(space_url=space.url)
    (folder / "1.pdf").write_bytes(sheet(1))
    (folder / "note.txt").write_text("not a sheet")
    (folder / "bad.pdf").write_bytes(b"hello")
    gateway.kill()
    watch = subprocess.Popen([str(alcove), "watch", str(folder), "--gateway", gateway.url, "--settle", "0.2"],
                             stderr=subprocess.DEVNULL, env={**os.environ, "ALCOVE_TOKEN": ""})
    try:
        time.sleep(1)
        assert (folder / "1.pdf").exists(), "nobody took it"
        # The same address answers again.
        process = subprocess.Popen([str(alcove), "gateway", "--port", str(gateway.port), "--host", "127.0.0.1", "--data", str(gateway.data)],
                                   env=gateway.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            (folder / "2.pdf").write_bytes(sheet(2))
            end = time.monotonic() + 60
            while len(list(folder.glob("done/*"))) < 2 and time.monotonic() < end:
                time.sleep(0.05)
            end = time.monotonic() + 60
            while len(export(gateway)) < 2 and time.monotonic() < end:
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    finally:
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(timeout=60) == 0
    assert sorted(path.name for path in folder.glob("done/*")) == ["1.pdf", "2.pdf"]
    assert [path.name for path in folder.glob("refused/*")] == ["bad.pdf"]
    assert (folder / "note.txt").exists()
    journal = [json.loads(line) for line in (folder / "alcove-journal.jsonl").read_text().splitlines()]
    assert {(line["file"], line["result"]) for line in journal} == {("1.pdf", "taken"), ("2.pdf", "taken"), ("bad.pdf", "refused")}
    assert {record["original_filename"] for record in export(gateway)} == {"1.pdf", "2.pdf"}


def test_a_picture_becomes_a_pdf_page_that_reads_the_same(start_gateway, space, models, run, samples, tmp_path):
    gateway = start_gateway(space_url=space.url)
    for name in ("clean-band.jpg", "clean-ledger.png"):
        stored = gateway.post("/scan-upload", (ROOT / "samples/sheets" / name).read_bytes(), name).json()
        reply = requests.get(f"{gateway.url}/records/{stored['artifact_uuid']}/pdf")
        assert reply.status_code == 200 and stored["renamed_filename"] in reply.headers["Content-Disposition"]
        page = tmp_path / f"{name}.pdf"
        page.write_bytes(reply.content)
        read = json.loads(run("read", page, "--models", models, "--format", "json").stdout)[0]
        assert read["register_number"] == samples[name]["register_number"]
    stored = gateway.post("/scan-upload", (ROOT / "samples/sheets/scan-grey.bmp").read_bytes(), "a.bmp").json()
    assert requests.get(f"{gateway.url}/records/{stored['artifact_uuid']}/pdf").json()["code"] == "no_pdf"
