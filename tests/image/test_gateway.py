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
    contexts = {}
    if not os.environ.get("ALCOVE_IMAGE_SOURCES"):
        folder = tmp_path_factory.mktemp("built")
        subprocess.run([str(ROOT / "tools/release.py"), str(ROOT / "build/release"), str(folder / "opt/alcove")], check=True)
        contexts = {"build": folder}

    def call(target: str) -> str:
        image.build(ROOT, target, DOCKERFILE, target, contexts=contexts)
        return target

    return call


def start(tag: str, folder: Path, **env: str):
    folder.chmod(0o755)
    host = ImageHost(folder, folder / "data", tag)
    host.volume.mkdir()
    os.chown(host.volume, 1000, 1000)
    return host.start(env)


def test_the_gateway_alone(make, tmp_path, capsys):
    tag = make("gateway")
    assert not list(image.HOME.joinpath(tag).rglob("*openvino*")) and not list(image.HOME.joinpath(tag).rglob("libpdfium*"))
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
        sent = requests.post(running.url + "/scan-upload", files={"file": (name, (ROOT / "samples/sheets" / name).read_bytes())}, timeout=120).json()
        assert sent["register_number"] == samples[name]["register_number"] and sent["served_by"] == "local"
    finally:
        running.stop()
    with capsys.disabled():
        print(f"\n   local-reading: {image.beyond_base(tag):.0f} MB beyond the base, weights of {image.megabytes(image.HOME / tag / 'srv'):.0f} MB in it", flush=True)
