"""The gateway's two images. The program in them is this build's; with ALCOVE_IMAGE_SOURCES (`script/test --image --long`) it is compiled by the
Dockerfile's own first stage."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import requests
from ship.host import ImageHost, image

from conftest import ROOT

DOCKERFILE = ROOT / "deploy/gateway/Dockerfile"


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory):
    contexts, made = {}, set()
    if not os.environ.get("ALCOVE_IMAGE_SOURCES"):
        folder = tmp_path_factory.mktemp("built")
        subprocess.run([str(ROOT / "tools/release.py"), str(ROOT / "build/release"), str(folder / "opt/alcove")], check=True)
        contexts = {"build": folder}

    def call(target: str) -> str:
        if target not in made:
            image.build(ROOT, target, DOCKERFILE, target, contexts=contexts)
            made.add(target)
        return target

    return call


def start(tag: str, folder: Path, command: list[str] | None = None, **env: str):
    folder.chmod(0o755)
    host = ImageHost(folder, folder / "data", tag, command=command)
    host.volume.mkdir(exist_ok=True)
    os.chown(host.volume, 1000, 1000)
    return host.start(env)


def send(gateway, name: str) -> dict:
    sheet = (ROOT / "samples/sheets" / name).read_bytes()
    reply = requests.post(gateway.url + "/scan-upload", files={"file": (name, sheet)}, timeout=120)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_gateway_alone(make, tmp_path, capsys):
    tag = make("gateway")
    assert not [path for path in (image.HOME / tag).rglob("*.so*") if "openvino" in path.name or "pdfium" in path.name]
    running = start(tag, tmp_path, HF_SPACE_URL="http://127.0.0.1:9")
    try:
        running.wait("/livez")
        status = requests.get(running.url + "/extract/status", timeout=10).json()
        assert status == {"extraction_available": True, "mode": "remote", "hf_space_url": "http://127.0.0.1:9"}
        port = running.url.rsplit(":", 1)[1]
        health = json.loads((image.HOME / f"{tag}.json").read_text())["health"]
        assert subprocess.run(image.start_line(tag, env={"PORT": port}, command=health), capture_output=True, timeout=60).returncode == 0
    finally:
        running.stop()
    with capsys.disabled():
        print(f"\n   gateway: {image.beyond_base(tag):.0f} MB beyond the base", flush=True)


def test_the_gateway_that_reads(make, tmp_path, samples, capsys):
    tag = make("local-reading")
    running = start(tag, tmp_path, ALCOVE_POLICY="local-first")
    try:
        running.wait("/readyz")
        name = "clean-ledger.png"
        sent = send(running, name)
        assert sent["register_number"] == samples[name]["register_number"] and sent["served_by"] == "local"
    finally:
        running.stop()
    with capsys.disabled():
        print(f"\n   local-reading: {image.beyond_base(tag):.0f} MB beyond the base, weights of {image.megabytes(image.HOME / tag / 'srv'):.0f} MB in it", flush=True)


def test_a_sheet_goes_through_the_gateway_to_a_space(make, tmp_path, samples):
    """Two images: one takes the sheet in and keeps its record, the other reads it."""
    gateway, reader = make("gateway"), make("local-reading")
    name = "clean-band.jpg"
    (tmp_path / "space").mkdir()
    space = start(reader, tmp_path / "space", ["/opt/alcove/alcove", "serve", "answer-sheet"], ALCOVE_TOKEN="between-the-two")
    try:
        space.wait("/readyz")
        assert requests.post(space.url + "/extract", files={"file": b"x"}, timeout=10).status_code == 401
        running = start(gateway, tmp_path, HF_SPACE_URL=space.url, HF_SPACE_TOKEN="between-the-two")
        try:
            running.wait("/readyz")
            sent = send(running, name)
            assert sent["register_number"] == samples[name]["register_number"] and sent["served_by"] == "remote"
        finally:
            running.stop()
    finally:
        space.stop()
    export = image.start_line(gateway, {"/data": str(tmp_path / "data")}, command=["/opt/alcove/alcove", "gateway", "export"])
    record = json.loads(subprocess.run(export, capture_output=True, text=True, check=True, timeout=60).stdout)
    assert record["original_filename"] == name and record["subject_code"] == samples[name]["subject_code"]
