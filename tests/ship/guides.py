"""Both set-up guides, from their first command to their last, against the fake hub and a real gateway. Where the Spaces run is the host's
business (host.py): the same steps serve tests/ship and, in an image, tests/image."""

import csv
import io
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import requests
from hub.fake_hub import Hub
from papers.openreview_server import VENUE, OpenReviewServer, note

from conftest import ROOT
from serving import free_port

SHEETS = ("clean-band.jpg", "clean-ledger.png", "clean-plain.webp", "turned-180.png")


def answer_sheets(hub: Hub, call: Callable, alcove: Path, models: Path, home: Path, samples: dict[str, dict]) -> None:
    """Create, push, build, wake, configure the gateway, scan, export."""
    rehearsed = call("space", "new", "answer-sheet", "--models", models, "--dry-run")
    assert rehearsed.returncode == 0 and not hub.store.repos, rehearsed.stderr
    made = call("space", "new", "answer-sheet", "--models", models, "--yes", timeout=1500)
    assert made.returncode == 0, made.stderr
    space = hub.space("alice/answer-sheet-ml")
    host = hub.app_host(space)
    assert "BUILDING" in made.stderr and made.stdout.startswith(host)
    assert call("space", "doctor", "alice/answer-sheet-ml", "--models", models).returncode == 0

    # What `new` said last: the gateway takes its settings from this file.
    lines = (home / ".config/alcove/alice--answer-sheet-ml.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    assert settings["HF_SPACE_URL"] == host
    stranger = requests.post(hub.url("app") + "/extract", files={"file": b"x"}, headers=host_header(space), timeout=60)
    assert stranger.status_code == 401, f"strangers stay out: {stranger.status_code} {stranger.text}"

    space.set("SLEEPING")
    port, log = free_port(), home / "gateway.log"
    data = home / "records"
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "ALCOVE_MODELS": str(home / "none"), **settings}
    with log.open("w") as output:
        gateway = subprocess.Popen([str(alcove), "gateway", "--port", str(port), "--host", "127.0.0.1", "--data", str(data)], env=environment, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: requests.get(url + "/extract/status", timeout=5).status_code == 200, "the gateway")
        assert requests.get(url + "/extract/status", timeout=5).json() == {"extraction_available": True, "mode": "remote", "hf_space_url": host}
        for name in SHEETS:  # the first of them wakes the Space
            sent = requests.post(url + "/scan-upload", files={"file": (name, (ROOT / "samples/sheets" / name).read_bytes())}, data={"exam_type": "MID"}, timeout=120)
            assert sent.status_code == 200, sent.text
            assert sent.json()["register_number"] == samples[name]["register_number"] and sent.json()["served_by"] == "remote"
        assert call("space", "doctor", "alice/answer-sheet-ml", "--gateway", url).returncode == 0
    finally:
        gateway.terminate()
        gateway.wait(timeout=60)
    printed = call("gateway", "export", "--data", data, "--format", "csv").stdout
    rows = {row["original_filename"]: row for row in csv.DictReader(io.StringIO(printed))}
    assert {name: row["register_number"] for name, row in rows.items()} == {name: samples[name]["register_number"] for name in SHEETS}
    assert all(row["subject_code"] == samples[name]["subject_code"] for name, row in rows.items())


def paper_finder(hub: Hub, call: Callable, model: Path, home: Path, volume: Path) -> None:
    """A workflow for the repository, a venue indexed onto the volume, a Space with it, a restart, the same answers."""
    checkout = home / "checkout"
    checkout.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(checkout)], check=True)
    written = call("space", "workflow", "alice/openreview-finder", cwd=checkout)
    assert written.returncode == 0 and (checkout / ".github/workflows/sync_to_hf_space.yml").exists(), written.stderr
    assert {"api_cache/", "chroma_db_persistent/"} <= set((checkout / ".gitignore").read_text().splitlines())

    volume.mkdir(parents=True, exist_ok=True)
    server = OpenReviewServer([note(number) for number in range(1, 25)])
    try:
        indexed = call("papers", "index", VENUE, "--data", volume, "--model", model, "--api", server.url, "--older-api", server.url + "/v1", "--pause", "0", timeout=120)
    finally:
        server.close()
    assert indexed.returncode == 0 and indexed.stdout.startswith("24 papers in"), indexed.stderr
    for path in volume.rglob("*"):
        os.chmod(path, 0o777 if path.is_dir() else 0o666)

    made = call("space", "new", "paper-finder", "--models", model, "--volume", "bucket:alice/papers:/data", "--private", "--yes", timeout=1500)
    assert made.returncode == 0, made.stderr
    space = hub.space("alice/openreview-finder")
    before = answers(hub, space)
    assert before[0] and before[0][0].startswith("note")
    assert call("space", "restart", "alice/openreview-finder").returncode == 0
    assert call("space", "watch", "alice/openreview-finder", timeout=120).returncode == 0
    assert answers(hub, space) == before


def answers(hub: Hub, space) -> list[list[str]]:
    """The ids that three searches find, by words and by meaning."""
    headers = {"X-HF-Authorization": "Bearer hf_alice_write", **host_header(space)}

    def found(query: str, mode: str) -> list[str]:
        reply = requests.get(hub.url("app") + "/api/search", params={"q": query, "mode": mode}, headers=headers, timeout=60)
        assert reply.status_code == 200, reply.text
        return [hit["id"] for hit in reply.json()["results"]]

    def ready() -> bool:
        # Words answer first, meaning once the model is there.
        return requests.get(hub.url("app") + "/api/search", params={"q": "graphs", "mode": "meaning"}, headers=headers, timeout=30).status_code == 200

    wait_for(ready, "the finder")
    return [found("diffusion", "words"), found("graphs", "meaning"), found("paper 7", "both")]


def host_header(space) -> dict[str, str]:
    """The Space's address for a client whose resolver does not know that names under .localhost are this machine."""
    return {"Host": f"{space.subdomain}.hf.space"}


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{what} was not there within {seconds} s")
