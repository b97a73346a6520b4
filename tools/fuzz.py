#!/usr/bin/env python3
"""Runs the fuzz targets one after the other: tools/fuzz.py [--seconds 60] [--report FILE] [TARGET...]

They are built with `cmake --build --preset fuzz --target fuzz`. Seeds are made here, from the repository's small files
and from nothing; what a target has learned stays in build/fuzz/corpus. An input that breaks a target lands in
build/fuzz/found: mend the code, keep the input in fuzz/finds/TARGET, and the ordinary tests run it from then on.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as Xml
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/fuzz"
LARGEST_SEED = 40_000


def files(*folders: str) -> Iterator[bytes]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".py", ".md", ".json") and path.stat().st_size <= LARGEST_SEED:
                yield path.read_bytes()


def zips() -> Iterator[bytes]:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({"weight": [1.0, 2.0]}, 2))
            archive.writestr("archive/version", "3\n")
            archive.comment = b"comment"
        yield file.getvalue()
    yield from (content for content in torches() if content[:2] == b"PK")


def pickles() -> Iterator[bytes]:
    shared = [1, -1, 1 << 70, 1.5, True, None, "text", b"bytes"]
    value = OrderedDict(a=shared, b=(shared, {"c": {1, 2}}), d=slice(1, 2), e=complex(1, 2), f=bytearray(b"x"))
    yield from (pickle.dumps(value, protocol) for protocol in range(6))
    for content in torches():
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                yield from (archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))


def torches() -> Iterator[bytes]:
    yield from files("tests/golden/tensors", "tests/golden/refusals", "tests/golden/readers")


def safetensors() -> Iterator[bytes]:
    for header, data in (
        ({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}, bytes(24)),
        ({"__metadata__": {"k": "v"}, "b": {"dtype": "BF16", "shape": [], "data_offsets": [0, 2]}}, bytes(2)),
        ({"c": {"dtype": "I64", "shape": [0], "data_offsets": [0, 0]}}, b""),
    ):
        text = json.dumps(header).encode()
        yield struct.pack("<Q", len(text)) + text + data


def replies() -> Iterator[bytes]:
    yield b"s" + struct.pack("<i", 77)
    yield b"p" + struct.pack("<Qiii", 1 << 40, 20, 30, 2)
    yield b"e" + bytes([4, 7]) + b"damaged" + b"this file is damaged; send it again"
    yield b"c" + struct.pack("<QQi", 1 << 40, 5000, 3)
    yield b"x" + struct.pack("<iQQ", 9, 1 << 20, 3)
    for cut_to in (-1, 2):
        yield struct.pack("<QQiiidi", 100, 1000, 100, 5, 0, 200.0, cut_to) + b"password"


FORM = (
    b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\npixels\r\n'
    b'--cut\r\nContent-Disposition: form-data; name="password"\r\n\r\nsecret\r\n--cut--\r\n'
)


def uploads() -> Iterator[bytes]:
    yield b"multipart/form-data; boundary=cut\n" + FORM
    yield b'multipart/form-data; boundary="cut"; charset=utf-8\n' + FORM
    yield b'application/json\n{"image_data": "cGl4ZWxz", "filename": "a.jpg", "exam_type": "CIA1", "password": null}'
    yield b"application/x-www-form-urlencoded\nimage_data=data:image/jpeg;base64,cGl4ZWxz&filename=a.jpg"


def batches() -> Iterator[bytes]:
    yield b"multipart/form-data; boundary=cut\n" + FORM
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name in ("a.jpg", "folder/b.pdf", "__MACOSX/._a.jpg", "../c.png"):
                archive.writestr(name, name * 9)
        yield b"application/zip\n" + file.getvalue()


def requests() -> Iterator[bytes]:
    for path in ("/", "/status", "/metrics", "/readyz", "/livez", "/v2/health/ready", "/sheet/index.html", "/openapi.json",
                 "/jobs/7", "/jobs/7/events?last_event_id=3", "/%2e%2e/%00"):
        yield f"GET {path}\naccept: text/html, */*;q=0.1\nif-none-match: \"x\"\nlast-event-id: 3\n\n".encode()
    for line in ("POST /extract?preview=1", "POST /extract/batch", "POST /extract/base64", "PUT /jobs/7"):
        yield f"{line}\ncontent-type: multipart/form-data; boundary=cut\nauthorization: Bearer x\n\n".encode() + FORM
    yield b"OPTIONS /extract\norigin: https://a.example\naccess-control-request-method: POST\n\n"


def chroma_bodies() -> Iterator[bytes]:
    records = {"ids": ["a", "b"], "embeddings": [[0.5, 1], None], "documents": ["a text", None], "metadatas": [{"a": 1, "c": [1, 2]}, None]}
    where = {"$and": [{"a": {"$gte": 1}}, {"$or": [{"b": "text"}, {"d": {"$in": [True, False]}}, {"c": {"$contains": 2}}]}]}
    for body in (
        {"name": "papers", "metadata": {"a": 1}, "get_or_create": True, "configuration": {"hnsw": {"space": "cosine"}}},
        records,
        {"query_embeddings": [[0.5, 1]], "n_results": 3, "where": where, "include": ["distances", "documents"]},
        {"ids": ["a"], "where_document": {"$not_contains": "graph"}, "limit": 1, "offset": 0},
        where,
        {"$and": [{"$contains": "text"}, {"$regex": "t.xt"}]},
    ):
        yield json.dumps(body).encode()


def gradio_queues() -> Iterator[bytes]:
    """Pairs of an action and what it is done to (fuzz/gradio_queue_fuzz.cpp)."""
    yield bytes([0, 1, 5, 1, 1, 1, 2, 1])           # join, listen to the session, begin, finish
    yield bytes([0, 1, 0, 1, 6, 1, 3, 1, 4, 2])     # two calls: one fails while it is listened to, one is cancelled
    yield bytes([0, 1, 5, 1, 7, 0, 1, 1, 2, 1])     # the listener leaves before the answer


def paper_files() -> Iterator[bytes]:
    yield b'@string{v = "Venue"}\n@inproceedings{a, title = {{B}ERT \\"{u} $x$}, author = "A, B and {C D}", booktitle = v # " 2020", year = 2020}\n'
    yield b"TY  - JOUR\r\nAU  - A, B\r\nTI  - Title\r\nPY  - 2020/01\r\nKW  - k\r\nER  - \r\n"
    yield b'\xef\xbb\xbftitle;authors;year\r\n"A ""b""";"B, C";2020\r\n'
    yield b'{"notes":[{"id":"a","forum":"a","content":{"title":{"value":"T"},"authors":{"value":["A B"]},"venue":{"value":"V 2020 poster"}}}]}'
    yield b'{"title":"T","authors":"A B;C D","keywords":"k;l"}\n{"title":"U"}\n'


def paper_queries() -> Iterator[bytes]:
    yield b'graph author:"LeCun, Yann" title:x keyword:y venue:nips year:>=2020 -not -"a phrase" "another" decision:oral -area:z'
    yield b"year:2020..2023 year:<1999 transfomers self-supervised"


def texts() -> Iterator[bytes]:
    cases = json.loads((ROOT / "tests/golden/tokens/cases.json").read_text())
    for kind in (b"u", b"c"):
        yield from (kind + text.encode() for text in sorted({case["text"] for case in cases["encoded"]}) if len(text) < 1000)
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "##b": 5}
    parts = {"added_tokens": [{"id": 3, "content": "[SEP]", "normalized": False, "lstrip": False}], "pre_tokenizer": {"type": "BertPreTokenizer"},
             "normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 100, "vocab": vocabulary}}
    yield b"j" + json.dumps(parts).encode()


SEEDS = {
    "zip": zips,
    "pickle": pickles,
    "torch_archive": torches,
    "safetensors": safetensors,
    "decode": lambda: files("tests/golden/images", "src/imaging/testdata"),
    "decode_reply": replies,
    "upload": uploads,
    "batch": batches,
    "http": requests,
    "chroma": chroma_bodies,
    "gradio_queue": gradio_queues,
    "paper_files": paper_files,
    "paper_query": paper_queries,
    "tokenizer": texts,
}


def run(target: str, seconds: int) -> tuple[bool, str]:
    """Whether all went well, and the last lines of what was said."""
    program = BUILD / f"fuzz/fuzz_{target}"
    if not program.exists():
        return False, f"{program} is missing; cmake --preset fuzz && cmake --build --preset fuzz --target fuzz"
    corpus, seeds, found = BUILD / "corpus" / target, BUILD / "seeds" / target, BUILD / "found"
    for folder in (corpus, seeds, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(SEEDS[target]()):
        (seeds / str(number)).write_bytes(content)
    kept = ROOT / "fuzz/finds" / target
    command = [program, corpus, seeds, *([kept] if kept.is_dir() else []), f"-max_total_time={seconds}", "-timeout=60",
               "-rss_limit_mb=4096", "-max_len=65536", "-print_final_stats=1", f"-artifact_prefix={found}/{target}-"]
    # Memory that a decoder asks for and does not get is an error like others.
    environment = {**os.environ, "ASAN_OPTIONS": "allocator_may_return_null=1:detect_leaks=1",
                   "ALCOVE_PDFIUM": str(ROOT / ".deps/pdfium/lib/libpdfium.so")}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)
    return done.returncode == 0, "\n".join(done.stderr.splitlines()[-60:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", choices=[*SEEDS, []], metavar="TARGET", help=", ".join(SEEDS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--report", type=Path, help="a JUnit file to write")
    options = parser.parse_args()

    suite = Xml.Element("testsuite", name="fuzz")
    broken = 0
    for target in options.targets or SEEDS:
        started = time.monotonic()
        well, said = run(target, options.seconds)
        executed = next((line.split()[-1] for line in said.splitlines() if "number_of_executed_units" in line), "?")
        print(f"{target:14} {'well' if well else 'BROKEN'}  {executed} runs", flush=True)
        case = Xml.SubElement(suite, "testcase", name=target, time=f"{time.monotonic() - started:.1f}")
        if not well:
            broken += 1
            print(said, flush=True)
            Xml.SubElement(case, "failure").text = said
    if options.report:
        suite.attrib |= {"tests": str(len(suite)), "failures": str(broken)}
        Xml.ElementTree(suite).write(options.report)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
