"""The folder that script/release makes: complete, listed, and at home anywhere."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

# The C library's own, of which every machine has its version.
SYSTEM = {"ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2", "libutil.so.1"}

# Parts whose sources as a whole are under the GPL, and their libraries are not: MIT, LGPL, LGPL, BSD.
FREER_LIBRARY = {"libcom-err2", "libidn2-0", "libkeyutils1", "libuuid1"}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "alcove"
    subprocess.run([str(ROOT / "tools/release.py"), str(ROOT / "build/release"), str(folder)], check=True)
    return folder


def programs(release: Path) -> list[Path]:
    return [path for path in release.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]


def test_it_reads_a_sheet_where_nothing_else_is(release, models, samples, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(release, elsewhere)
    done = subprocess.run([str(elsewhere / "alcove"), "read", str(ROOT / "samples/sheets/clean-slip.pdf"), "--models", str(models), "--cache", "none", "--format", "json"],
                          env={}, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)[0]["register_number"] == samples["clean-slip.pdf"]["register_number"], done.stderr
    opened = subprocess.run([str(elsewhere / "alcove"), "--version"], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True).stdout
    strangers = [line for line in re.findall(r"(\S+) => (\S+)", opened) if line[0] not in SYSTEM and not line[1].startswith(str(elsewhere))]
    assert opened.count("=>") > 20 and strangers == []


def test_it_needs_nothing_beyond_an_old_c_library(release):
    there = {path.name for path in programs(release)} | SYSTEM
    for path in programs(release):
        needed = re.findall(r"NEEDED.*\[(.+)\]", subprocess.run(["readelf", "-d", str(path)], capture_output=True, text=True, check=True).stdout)
        assert set(needed) <= there, path
    host = subprocess.run(["ldd", "--version"], capture_output=True, text=True).stdout.splitlines()[0].split()[-1]
    text = subprocess.run(["readelf", "-V", *map(str, programs(release))], capture_output=True, text=True, check=True).stdout
    newest = max(tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_(\d+\.\d+)", text))
    assert newest <= tuple(map(int, host.split(".")))  # 2.36 on Debian 12, which is what releases are made on


def test_every_file_is_listed_with_its_digest_and_licence(release):
    bom = json.loads((release / "sbom.cdx.json").read_text())
    assert bom["bomFormat"] == "CycloneDX" and bom["specVersion"] == "1.5"
    listed = {one["name"]: one["hashes"][0]["content"] for part in [bom["metadata"]["component"], *bom["components"]] for one in part.get("components", [])}
    there = {str(path.relative_to(release)): hashlib.sha256(path.read_bytes()).hexdigest() for path in programs(release)}
    assert listed == there
    for part in bom["components"]:
        assert part["version"] and part["purl"].startswith("pkg:")
        assert len((release / "licences" / part["name"]).read_text()) > 10


def test_nothing_in_it_is_under_the_gpl_alone(release):
    """Most of Debian's files name the GPL somewhere, for a script or a test; a part's own licence is what its copyright file says of `Files: *`."""
    for path in (release / "licences").iterdir():
        own = re.search(r"^Files: \*\n(?:.+\n)*?License: *(.*)$", path.read_text(), re.M)
        assert not own or not own[1].startswith("GPL") or " or " in own[1] or path.name in FREER_LIBRARY, path.name
    for path in (release / "lib").iterdir():
        if path.name.startswith(("libx265", "libjbig")):
            assert path.stat().st_size < 20_000, "src/app/stand_ins takes its place"


def test_a_gateway_starts_without_engine_and_pdfium(release, tmp_path):
    light = tmp_path / "light"
    shutil.copytree(release, light, ignore=shutil.ignore_patterns("engine", "libpdfium.so"))
    said = subprocess.run([str(light / "alcove"), "--version"], env={}, capture_output=True, text=True, check=True).stdout
    assert "none here" in said.splitlines()[-1] and "commit" in said and "sqlite" in said
    done = subprocess.run([str(light / "alcove"), "gateway", "export", "--data", str(tmp_path / "none")], env={}, capture_output=True, text=True, timeout=60)
    assert "shared" not in done.stderr
