#!/usr/bin/env python3
"""Holds the folders of src/ to their direction: who may include whom, where each foreign library lives, and one type for a name.

Exits 1 and names every line that breaks the table. The table is the one of docs/architecture.md.
"""

import re
import sys
from pathlib import Path

# folder: (our folders it may include, the foreign headers whose only home it is)
TABLE = {
    "base": (set(), ["spdlog/", "openssl/", "zip.h"]),
    "weights": ({"base"}, []),
    "graph": ({"base"}, ["onnx/", "google/protobuf/"]),
    "models": ({"base", "weights", "graph"}, []),
    "engine": ({"base", "graph"}, ["openvino/", "onnxruntime_c_api.h", "onnxruntime_cxx_api.h"]),
    "imaging": ({"base"}, ["jpeglib.h", "jerror.h", "turbojpeg.h", "png.h", "tiffio.h", "tiff.h", "webp/", "libheif/", "seccomp.h"]),
    "text": ({"base"}, ["utf8proc.h"]),
    "store": ({"base"}, ["sqlite3.h", "libpq-fe.h", "hwy/", "re2/"]),
    "net": ({"base"}, ["curl/"]),
    "hub": ({"base", "net"}, []),
    "sheets": ({"base", "imaging", "weights", "models", "graph", "engine"}, []),
    "papers": ({"base", "text", "weights", "models", "graph", "engine", "store", "net"}, []),
    "gateway": ({"base", "net", "store", "imaging", "sheets"}, ["sodium.h"]),
    "api": ({"base", "imaging", "store", "sheets", "papers", "gateway", "engine"}, ["drogon/", "trantor/", "json/"]),
    "app": ({"base", "weights", "graph", "models", "engine", "imaging", "text", "sheets", "store", "papers", "net", "hub", "gateway", "api"}, ["CLI/"]),
}
# Value libraries that every folder may use.
COMMON = ("fmt/", "nlohmann/", "gtest/", "gmock/")

NAMESPACE = re.compile(r"^namespace ([\w:]+) \{", re.MULTILINE)
TYPE = re.compile(r"^(?:struct|class|enum class) (\w+)(?: final)?(?: : [^;{]+)? \{", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def breaches(root: Path) -> list[str]:
    homes = {header: folder for folder, (_, headers) in TABLE.items() for header in headers}
    found = []
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in {".h", ".cpp", ".inc"}:
            continue
        folder = path.relative_to(root / "src").parts[0]
        if folder not in TABLE:
            found.append(f"{path.relative_to(root)}: the table knows no folder {folder}/")
            continue
        allowed = TABLE[folder][0] | {folder}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            where, name = f"{path.relative_to(root)}:{number}", match.group(2)
            if match.group(1) == '"':
                target = name.split("/")[0]
                if target not in allowed:
                    found.append(f"{where}: {folder}/ may not include {name}")
                continue
            if name.startswith(COMMON):
                continue
            home = next((home for header, home in homes.items() if name == header or (header.endswith("/") and name.startswith(header))), None)
            if home is not None and home != folder:
                found.append(f"{where}: <{name}> belongs to {home}/ alone")
    return found


def shared_names(root: Path) -> list[str]:
    """Types of one namespace with one name, in two headers: no compiler sees them, and the linker mixes their functions up."""
    homes: dict[tuple[str, str], list[str]] = {}
    for path in sorted((root / "src").rglob("*.h")):
        text = path.read_text()
        namespace = next(iter(NAMESPACE.findall(text)), "")
        for name in TYPE.findall(text):
            homes.setdefault((namespace, name), []).append(str(path.relative_to(root)))
    return [f"{' and '.join(files)}: both define {namespace}::{name}" for (namespace, name), files in homes.items() if len(files) > 1]


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    found = breaches(root) + shared_names(root)
    print("\n".join(found) if found else "layers: every include goes the right way")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
