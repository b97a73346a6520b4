"""A Space that misbehaves in every way there is never makes a wrong record, and the sheets outlast it."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import requests
from conftest import ROOT
from gateway.kit import number_of, reading, sheet

from serving import Server, free_port


def page(space, handler, status=200, **headers):
    space.send(handler, status, b"<!doctype html><title>Hugging Face</title>", "text/html", **headers)


def half(space, handler, _):
    body = json.dumps(reading("123")).encode()
    space.send(handler, 200, body[: len(body) // 2])


def closes(space, handler, _):
    body = json.dumps(reading("123")).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:40])
    handler.close_connection = True


def endless(space, handler, _):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(2 << 30))
    handler.end_headers()
    try:
        for _ in range(2048):
            handler.wfile.write(b" " * (1 << 20))
    except OSError:
        handler.close_connection = True


def sure(confidence):
    def extract(space, handler, _):
        text = json.dumps(reading("123")).replace("0.97", confidence)
        space.send(handler, 200, text.encode())

    return extract


MISBEHAVIOURS = {
    "a page": lambda space, handler, _: page(space, handler),
    "a page while it builds": lambda space, handler, _: page(space, handler, 503),
    "a redirect": lambda space, handler, _: page(space, handler, 302, Location="https://huggingface.co/login"),
    "half a body": half,
    "closing in the middle": closes,
    "2 GB": endless,
    "confidence 7": sure("7"),
    "confidence NaN": sure("NaN"),
    "silence": lambda space, handler, _: time.sleep(5),
    "no token": lambda space, handler, _: space.send(handler, 401, b'{"detail":"no"}'),
    "another service": lambda space, handler, _: space.send(handler, 200, b'{"papers": []}'),
    "an error": lambda space, handler, _: space.send(handler, 500, b'{"detail":"boom"}'),
}


def test_misbehaviour_is_no_record_and_no_loss(start_gateway, space, export):
    most = 0.0
    for number, (name, misbehave) in enumerate(MISBEHAVIOURS.items()):
        space.extract = lambda handler, content, misbehave=misbehave: misbehave(space, handler, content)
        gateway = start_gateway("--policy", "remote-only", "--hold", 1, space_url=space.url)
        reply = gateway.post("/scan-upload", sheet(number))
        assert reply.status_code == 503 and reply.json()["status"] == "queued", f"{name}: {reply.text}"
        assert int(reply.headers["Retry-After"]) > 0
        assert export(gateway) == [], name
        status = Path(f"/proc/{gateway.process.pid}/status").read_text()
        most = max(most, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)
        gateway.kill()
    assert most < 150, f"{most} MB"
    space.extract = None
    gateway = start_gateway("--policy", "remote-only", space_url=space.url)
    gateway.wait_until_idle()
    assert sorted(record["register_number"] for record in export(gateway)) == sorted(
        number_of(sheet(number)) for number in range(len(MISBEHAVIOURS)))


def test_wrong_addresses_are_named(start_gateway, space):
    def state(**settings) -> dict:
        gateway = start_gateway("--policy", "remote-only", **settings)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            found = gateway.status()["space"]
            if found["state"] not in ("unknown", "waking"):
                break
            time.sleep(0.05)
        gateway.kill()
        return found

    page_address = state(space_url="https://huggingface.co/spaces/Some-One/answer_sheet")
    assert page_address["state"] == "misconfigured" and "https://some-one-answer-sheet.hf.space" in page_address["why"]
    assert state(space_url="http://127.0.0.1:9")["state"] == "unreachable"
    assert state(space_url=space.url)["state"] == "awake"
    space.health = lambda handler: page(space, handler)
    web = state(space_url=space.url)
    assert web["state"] == "misconfigured" and web["logs"]
    space.health = lambda handler: space.send(handler, 200, b'{"status":"ok","service":"Paper Finder"}')
    assert state(space_url=space.url)["state"] == "misconfigured"
    space.health = lambda handler: space.send(handler, 401, b"{}")
    assert "HF_SPACE_TOKEN" in state(space_url=space.url)["why"]


def test_a_space_that_wakes_is_counted(start_gateway, space):
    asleep = time.monotonic() + 1.5

    def health(handler):
        if time.monotonic() < asleep:
            return page(space, handler, 503)
        space.say_awake(handler)

    space.health = health
    gateway = start_gateway(space_url=space.url)
    reply = gateway.post("/scan-upload", sheet(1))
    assert reply.status_code == 200 and reply.json()["served_by"] == "remote"
    figures = requests.get(gateway.url + "/metrics").text
    assert "alcove_space_cold_starts 1" in figures
    assert float(re.search(r"alcove_space_cold_start_seconds ([\d.]+)", figures)[1]) > 0


def test_looks_at_a_sleeping_space_back_off_until_somebody_comes(start_gateway, space):
    looks = []

    def health(handler):
        looks.append(time.monotonic())
        page(space, handler, 503)

    space.health = health
    gateway = start_gateway(space_url=space.url)
    while len(looks) < 6:
        time.sleep(0.05)
    gaps = [late - early for early, late in zip(looks, looks[1:])]
    assert gaps[0] >= 0.2 and all(late > 1.3 * early for early, late in zip(gaps[1:], gaps[2:])), gaps
    # Somebody opens the page: it is looked at long before the next pause would be over, which is twice the last.
    while len(looks) < 7:
        requests.get(gateway.url + "/", headers={"Accept": "text/html"}, timeout=30)
        time.sleep(0.1)
    assert looks[6] - looks[5] < 1.5 * gaps[-1], looks


ASLEEP = float(os.environ.get("ALCOVE_ASLEEP", "4"))  # seconds; script/test --long takes the 90 that Spaces are known for


def test_a_space_that_sleeps_beyond_the_hold(start_gateway, space, models, samples, export):
    """With a reader here the sheet is read here once it was held long enough; without one its caller is told, and the Space reads it once it wakes."""
    awake_at = time.monotonic() + 3600

    def health(handler):
        if time.monotonic() < awake_at:
            return page(space, handler, 503)
        space.say_awake(handler)

    space.health = health
    hold = max(1, round(ASLEEP * 50 / 90))
    name = "clean-band.jpg"
    content = (ROOT / "samples/sheets" / name).read_bytes()
    alone = start_gateway("--policy", "remote-only", "--hold", hold, space_url=space.url)
    start = time.monotonic()
    awake_at = start + ASLEEP
    told = alone.post("/extract", content, name)
    assert told.status_code == 503 and told.json()["status"] == "queued" and hold <= time.monotonic() - start
    alone.wait_until_idle(ASLEEP + 120)
    [record] = export(alone)
    assert time.monotonic() - start >= ASLEEP and record["served_by"] == "remote" and record["register_number"] == number_of(content)
    assert "alcove_space_cold_starts 1" in requests.get(alone.url + "/metrics").text
    assert alone.stop() == 0

    awake_at = time.monotonic() + 3600
    both = start_gateway("--hold", hold, space_url=space.url, models=models, data=alone.data.with_name("both"))
    start = time.monotonic()
    read = both.post("/extract", content, name).json()
    assert read["served_by"] == "local" and read["fallback"] and read["register_number"] == samples[name]["register_number"]
    assert time.monotonic() - start >= hold


def test_a_real_space_stopped_started_and_killed(start_gateway, alcove, models, cache, samples, export, tmp_path):
    """`alcove serve answer-sheet` comes and goes underneath; each sheet has one record, read by it."""
    port, spaces = free_port(), []

    def start_space() -> Server:
        log = tmp_path / f"space-{len(spaces)}"
        with log.open("w") as output:
            process = subprocess.Popen([str(alcove), "serve", "answer-sheet", "--host", "127.0.0.1", "--port", str(port), "--models", str(models)],
                                       stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "ALCOVE_CACHE": str(cache), "ALCOVE_TOKEN": ""})
        spaces.append(Server(process, port, log))
        return spaces[-1]

    names = ["clean-band.jpg", "clean-ledger.png", "clean-slip.pdf", "clean-plain.webp", "scan-grey.bmp", "scan-folded.jpg"]
    gateway = start_gateway("--policy", "remote-only", space_url=f"http://127.0.0.1:{port}")

    def send(some: list[str]) -> None:
        for name in some:
            content = (ROOT / "samples/sheets" / name).read_bytes()
            assert gateway.post("/scan-upload", content, name, headers={"Prefer": "respond-async"}).status_code == 202

    try:
        send(names[:2])  # before it is there
        start_space()
        gateway.wait_until_idle(180)
        send(names[2:4])
        spaces[-1].process.kill()  # while it reads
        spaces[-1].process.wait()
        send(names[4:5])
        start_space()
        gateway.wait_until_idle(180)
        assert spaces[-1].stop() == 0
        send(names[5:])
        start_space()
        gateway.wait_until_idle(180)
    finally:
        for space in spaces:
            if space.process.poll() is None:
                space.process.kill()
                space.process.wait()
    records = {record["original_filename"]: record for record in export(gateway)}
    assert sorted(records) == sorted(names) and len(export(gateway)) == len(names)
    assert {record["served_by"] for record in records.values()} == {"remote"}
    for name in names[:4]:
        assert records[name]["register_number"] == samples[name]["register_number"]
