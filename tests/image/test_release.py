"""What script/release makes, run in a Debian that has nothing but itself, as nobody in particular, on a system that cannot be written."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ship.host import image

from conftest import ROOT

SHEETS = ("clean-slip.pdf", "clean-band.jpg", "clean-plain.webp")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, its checksum compared, unpacked; a sheet and the weights beside it."""
    made = subprocess.run([str(ROOT / "script/release")], capture_output=True, text=True, check=True).stdout.splitlines()[-3:]
    archive, parts, sums = (ROOT / line for line in made)
    subprocess.run(["sha256sum", "--check", "--strict", sums.name], cwd=sums.parent, check=True)
    assert sums.read_text().split()[1::2] == [archive.name, parts.name]
    folder = tmp_path_factory.mktemp("release")
    folder.chmod(0o755)
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(folder), "--strip-components=1"], check=True)
    assert (folder / "sbom.cdx.json").read_bytes() == parts.read_bytes()
    shutil.copytree(ROOT / "models/demo", folder / "models")
    for name in SHEETS:
        shutil.copy(ROOT / "samples/sheets" / name, folder)
    return folder


@pytest.mark.parametrize("debian", image.SUITES)
def test_it_reads_a_sheet_in_a_bare_debian(release, samples, debian):
    def run(*words: str) -> str:
        line = image.enter(image.base_root(debian), ["/mnt/alcove", *words], {"PATH": image.PATH}, user="1000", binds={"/mnt": str(release)}, read_only=True)
        done = subprocess.run(line, capture_output=True, text=True, timeout=120)
        assert done.stdout, done.stderr
        return done.stdout

    assert run("--version").splitlines()[0] == json.loads((release / "sbom.cdx.json").read_text())["metadata"]["component"]["version"]
    read = json.loads(run("read", *(f"/mnt/{name}" for name in SHEETS), "--models", "/mnt/models", "--cache", "none", "--format", "json"))
    assert [one["register_number"] for one in read] == [samples[name]["register_number"] for name in SHEETS]
