"""Both set-up guides, from their first command to their last, against the fake hub and a real gateway. Where the Spaces run is the host's
business (host.py): the same steps serve tests/ship and, in an image, tests/image."""

import csv
import hashlib
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

SHEETS = ("skewed.jpg", "clean-ledger.png", "clean-plain.webp", "turned-180.png")


def answer_sheets(hub: Hub, call: Callable, alcove: Path, models: Path, home: Path, samples: dict[str, dict]) -> None:
    """Create, push, build, wake, configure the gateway, scan, export."""
    rehearsed = call("space", "new", "answer-sheet", "--models", models, "--dry-run")
    assert rehearsed.returncode == 0 and not hub.store.repos, rehearsed.stderr
    made = call("space", "new", "answer-sheet", "--models", models, "--yes", timeout=1500)
    assert made.returncode == 0, made.stderr
    space = hub.space("alice/answer-sheet-ml")
    host = hub.app_host(space)
    files = hub.store.repos["spaces", "alice/answer-sheet-ml"].at("main").files
    assert not [path for path, file in files.items() if ("libx265" in path or "libjbig" in path) and file.size > 20_000], "nothing under the GPL goes up"
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


def weights_from_afar(hub: Hub, call: Callable, models: Path, home: Path, samples: dict[str, dict], by_address: set[str]) -> None:
    """A Space whose weights do not go up with it: those named `by_address` come from addresses, the others from a repository of the Hub."""
    folder = home / "addresses"
    folder.mkdir()
    lines, rest = [], {}
    for path in sorted(models.glob("*.p*")):
        if path.name in by_address:
            hub.store.put(hub.store.create("models", "bob/detector"), {path.name: path.read_bytes()})
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()} {hub.url()}/bob/detector/resolve/main/{path.name} {path.name}\n")
        else:
            rest[path.name] = path.read_bytes()
    (folder / "weights.txt").write_text("".join(lines))
    hub.store.put(hub.store.create("models", "alice/weights"), rest)
    made = call("space", "new", "answer-sheet", "--models", folder, "--name", "afar", "--variable", "ALCOVE_MODELS_REPO=alice/weights", "--variable", f"HF_ENDPOINT={hub.url()}",
                "--yes", timeout=1500)
    assert made.returncode == 0, made.stderr
    space = hub.space("alice/afar")
    name = "clean-ledger.png"
    headers = {"Authorization": f"Bearer {space.secrets['ALCOVE_TOKEN']}", **host_header(space)}
    wait_for(lambda: requests.get(hub.url("app") + "/readyz", headers=headers, timeout=30).status_code == 200, "the models")
    reply = requests.post(hub.url("app") + "/extract", files={"file": (name, (ROOT / "samples/sheets" / name).read_bytes())}, headers=headers, timeout=60)
    assert reply.json()["register_number"] == samples[name]["register_number"], reply.text


def paper_finder(hub: Hub, call: Callable, model: Path, home: Path, volume: Path) -> None:
    """A workflow for the repository, a venue indexed on the laptop, a Space that takes it onto its volume, a restart, the same answers; and
    another index, pushed later."""
    checkout = home / "checkout"
    checkout.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(checkout)], check=True)
    written = call("space", "workflow", "alice/openreview-finder", cwd=checkout)
    assert written.returncode == 0 and (checkout / ".github/workflows/sync_to_hf_space.yml").exists(), written.stderr
    assert {"api_cache/", "chroma_db_persistent/"} <= set((checkout / ".gitignore").read_text().splitlines())

    laptop = home / "laptop"
    server = OpenReviewServer([note(number) for number in range(1, 25)])
    try:
        indexed = call("papers", "index", VENUE, "--data", laptop, "--model", model, "--api", server.url, "--older-api", server.url + "/v1", "--pause", "0", timeout=120)
    finally:
        server.close()
    assert indexed.returncode == 0 and indexed.stdout.startswith("24 papers in"), indexed.stderr

    made = call("space", "new", "paper-finder", "--models", model, "--index", laptop, "--volume", "bucket:alice/papers:/data", "--private", "--yes",
                timeout=1500)
    assert made.returncode == 0, made.stderr
    space = hub.space("alice/openreview-finder")
    before = answers(hub, space)
    assert before[0] and before[0][0].startswith("note") and list(volume.rglob("papers.db"))
    assert call("space", "restart", "alice/openreview-finder").returncode == 0
    assert call("space", "watch", "alice/openreview-finder", timeout=120).returncode == 0
    assert answers(hub, space) == before

    (home / "more.jsonl").write_text(json.dumps({"id": "late", "title": "Diffusion of a late paper", "abstract": "It came after the index was made."}) + "\n")
    assert call("papers", "import", home / "more.jsonl", "--data", laptop, "--model", model).returncode == 0
    pushed = call("space", "push", "alice/openreview-finder", checkout, "--index", laptop, "--keep", timeout=1500)
    assert pushed.returncode == 0, pushed.stderr
    after = answers(hub, space)
    assert set(after[0]) == {*before[0], "late"}


def answers(hub: Hub, space) -> list[list[str]]:
    """The ids that three searches find, by words and by meaning."""
    headers = {"X-HF-Authorization": "Bearer hf_alice_write", **host_header(space)}

    def found(query: str, mode: str) -> list[str]:
        reply = requests.get(hub.url("app") + "/api/search", params={"q": query, "mode": mode, "n": 50}, headers=headers, timeout=60)
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
