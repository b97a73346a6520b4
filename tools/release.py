#!/usr/bin/env python3
"""Puts a release together: tools/release.py BUILD FOLDER makes FOLDER of a build, called by script/release.

    FOLDER/alcove, libpdfium.so    the program, stripped, and what opens PDFs
    FOLDER/engine/                 OpenVINO and the library that holds it; a gateway without models does without
    FOLDER/lib/                    every other library but the C library's own
    FOLDER/licences/               one file for each part
    FOLDER/sbom.cdx.json           CycloneDX 1.5: each part with version, licence and the sha256 of its files
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Belongs to the kernel's side of the machine: mixing versions of these crashes.
SYSTEM = {"ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2", "libutil.so.1"}


@dataclass
class Part:
    name: str
    version: str
    source: str                 # package URL
    licence: str                # an SPDX expression, or empty where the licence file alone tells
    texts: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def libraries_of(program: Path) -> dict[str, Path]:
    """By the name they are asked for, all that the dynamic linker loads with `program`."""
    listed = output("ldd", program)
    missing = re.findall(r"(\S+) => not found", listed)
    if missing:
        raise SystemExit(f"script/release: {program} lacks {', '.join(missing)}")
    return {name: Path(path) for name, path in re.findall(r"(\S+) => (/\S+)", listed) if name not in SYSTEM}


def package_of(library: Path) -> str:
    """Debian's package of a file. The merged /usr hides some under their old names."""
    for name in (library.resolve(), Path(str(library.resolve()).removeprefix("/usr"))):
        found = subprocess.run(["dpkg", "-S", str(name)], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    raise SystemExit(f"script/release: no Debian package has {library}; it would go out without its licence")


def put(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source.resolve(), target)
    target.chmod(0o755)
    subprocess.run(["strip", "--strip-unneeded", str(target)], check=True)
    return target


def debian_parts(program: Path, folder: Path) -> list[Part]:
    parts: dict[str, Part] = {}
    for name, path in sorted(libraries_of(program).items()):
        if path.parent == (program.parent / "lib").resolve():
            continue  # ours
        target = folder / "lib" / name
        package = package_of(path)
        if package not in parts:
            version = output("dpkg-query", "-W", "-f", "${Version}", package)
            text = Path("/usr/share/doc") / package / "copyright"
            parts[package] = Part(package, version, f"pkg:deb/debian/{package}@{version}?arch=amd64", "", [text])
        parts[package].files.append(put(path, target))
    return list(parts.values())


def wheel_part(name: str, licence: str, files: list[Path]) -> Part:
    info = next((ROOT / ".deps" / name).glob("*.dist-info"))
    package, version = info.name.removesuffix(".dist-info").split("-")
    texts = sorted(path for path in info.rglob("*") if path.is_file() and re.search(r"licen|notice|copyright|third", str(path.relative_to(info)), re.I))
    return Part(package, version, f"pkg:pypi/{package}@{version}", licence, texts, files)


def drogon_part() -> Part:
    version = re.search(r"drogon_version=([\d.]+)", (ROOT / "script/bootstrap").read_text())[1]
    return Part("drogon", version, f"pkg:generic/drogon@{version}", "MIT", [])  # and Trantor: linked into the program


def component(part: Part, folder: Path) -> dict:
    made = {"type": "library", "bom-ref": part.source, "name": part.name, "version": part.version, "purl": part.source}
    if part.licence:
        made["licenses"] = [{"expression": part.licence}]
    made["components"] = [{"type": "file", "name": str(path.relative_to(folder)),
                           "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]} for path in part.files]
    return {key: value for key, value in made.items() if value != []}


def main() -> None:
    build, folder = Path(sys.argv[1]), Path(sys.argv[2])
    program = build / "alcove"
    version, commit = output(program, "--version").splitlines()[:2]
    shutil.rmtree(folder, ignore_errors=True)
    own = [put(program, folder / "alcove")]
    own += [put(path, folder / "engine" / path.name) for path in sorted(build.glob("libalcove_*.so"))]
    own += [put(path, folder / "lib" / path.name) for path in sorted((build / "lib").glob("*.so.*"))]  # src/app/stand_ins
    engine = [put(path, folder / "engine" / path.name) for path in sorted((ROOT / ".deps/openvino/lib").iterdir())]
    pdfium = [put(ROOT / ".deps/pdfium/lib/libpdfium.so", folder / "libpdfium.so")]
    parts = debian_parts(program, folder)
    parts += [wheel_part("openvino", "Apache-2.0", engine), wheel_part("pdfium", "Apache-2.0 AND BSD-3-Clause", pdfium), drogon_part()]

    licences = folder / "licences"
    licences.mkdir()
    shutil.copyfile(ROOT / "LICENSE", licences / "alcove")
    for part in parts:
        text = "\n\n".join(path.read_text(errors="replace") for path in part.texts)
        (licences / part.name).write_text(text or f"{part.name} {part.version}: {part.licence}\n")
    alcove = Part("alcove", version, f"pkg:generic/alcove@{version}", "MIT", [], own)
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
           "metadata": {"component": component(alcove, folder) | {"type": "application"}, "properties": [{"name": "commit", "value": commit.split()[-1]}]},
           "components": [component(part, folder) for part in sorted(parts, key=lambda part: part.name)]}
    (folder / "sbom.cdx.json").write_text(json.dumps(bom, indent=1) + "\n")


if __name__ == "__main__":
    main()
